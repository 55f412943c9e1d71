package hub

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// hello lets a connection in. An error that the client can mend leaves the
// connection open for another hello, up to maxHellos. What the client is timed
// for is its silence: how long the store takes is not its fault, and must not
// cost it its token.
func (s *session) hello(ctx context.Context, in inbound) error {
	s.late.Stop()
	s.hellos++
	err := s.enter(ctx, in)
	switch {
	case err == nil, errors.Is(err, errEnd):
		return err
	case errors.Is(err, ErrExpired):
		s.conn.Close(CloseUnknown, "the token is not valid")
		return errEnd
	case s.hellos >= maxHellos:
		s.fail(in.ID, err)
		s.conn.Close(ClosePolicy, "too many hellos")
		return errEnd
	}
	s.fail(in.ID, err)
	s.late.Reset(helloTimeout)
	return nil
}

func (s *session) enter(ctx context.Context, in inbound) error {
	var hello helloData
	if err := decode(in.Data, &hello); err != nil {
		return err
	}
	if hello.After != nil && *hello.After < 0 {
		return Errorf(CodeBadField, "The field %q is negative.", "after")
	}
	if len(hello.Lang) > maxLang {
		return Errorf(CodeBadField, "The field %q is too long.", "lang")
	}
	s.lang = s.hub.opts.Texts.Pick(hello.Lang)
	switch {
	case hello.Domain != "":
		return s.enterVisitor(ctx, in.ID, hello)
	case hello.Watch != "":
		return s.enterWatch(ctx, in.ID, hello)
	case hello.Room != "":
		return s.enterAdmin(ctx, in.ID, hello)
	}
	return Errorf(CodeBadField, "hello names a domain, a room or a domain to watch.")
}

func (s *session) enterVisitor(ctx context.Context, id string, hello helloData) error {
	d, err := s.hub.opts.Store.DomainByKey(ctx, hello.Domain)
	if errors.Is(err, ErrNotFound) {
		return Errorf(CodeNotFound, "There is no domain with this widget key.")
	}
	if err != nil {
		return err
	}
	if !s.fromDomain(d) {
		return Errorf(CodeForbidden, "This page may not use the chat.")
	}
	s.domain = d
	if hello.Token != "" && hello.Room != "" {
		// A member before the store is asked whether it may be: what the store
		// then says of the room misses nothing, and it need not be asked again.
		return s.sit(Visitor, hello.Room, func(r *liveRoom) error {
			entry, err := s.letIn(ctx, d, hello)
			if err != nil {
				return err
			}
			return s.join(ctx, id, hello, r, &entry.Room, entry.Token)
		})
	}
	entry, err := s.letIn(ctx, d, hello)
	if err != nil {
		return err
	}
	return s.sit(Visitor, entry.Room.ID, func(r *liveRoom) error {
		if entry.Token == "" {
			return s.join(ctx, id, hello, r, nil, "")
		}
		// Nobody else can have written into a room this new, until its hooks
		// hear of it.
		s.hub.hooks.RoomOpened.fire(RoomOpened{entry.Room})
		return s.join(ctx, id, hello, r, &entry.Room, entry.Token)
	})
}

// letIn asks the store and the hooks for a visitor.
func (s *session) letIn(ctx context.Context, d Domain, hello helloData) (Entry, error) {
	entry, err := s.hub.opts.Store.EnterVisitor(ctx, d, hello.Token, hello.Room)
	if err != nil {
		return Entry{}, err
	}
	e := SessionOpening{Domain: d, Room: entry.Room, Author: entry.Visitor, IP: s.hs.IP, Lang: s.lang}
	if _, err := s.hub.hooks.SessionOpening.run(ctx, e); err != nil {
		return Entry{}, err
	}
	s.be(Visitor, Access{Author: entry.Visitor})
	return entry, nil
}

func (s *session) enterAdmin(ctx context.Context, id string, hello helloData) error {
	if err := s.fromConsole(); err != nil {
		return err
	}
	access, room, err := s.hub.opts.Store.EnterAdmin(ctx, s.hs.Identity, hello.Room)
	if err != nil {
		return err
	}
	e := SessionOpening{Room: room, Author: access.Author, IP: s.hs.IP}
	if _, err := s.hub.hooks.SessionOpening.run(ctx, e); err != nil {
		return err
	}
	s.be(Admin, access)
	return s.sit(Admin, room.ID, func(r *liveRoom) error {
		// Again: access may have been withdrawn before this session could be
		// found by it, and the room is now read by a member.
		access, room, err := s.hub.opts.Store.EnterAdmin(ctx, s.hs.Identity, hello.Room)
		if err != nil {
			return err
		}
		s.be(Admin, access)
		return s.join(ctx, id, hello, r, &room, "")
	})
}

func (s *session) enterWatch(ctx context.Context, id string, hello helloData) error {
	if err := s.fromConsole(); err != nil {
		return err
	}
	if err := s.hub.opts.Store.MayWatch(ctx, s.hs.Identity, hello.Watch); err != nil {
		return err
	}
	who := s.hs.Identity
	s.be(Admin, Access{Author: Author{Kind: Admin, ID: who.ID, Name: who.Name}, Session: who.Session})
	if err := s.hub.opts.Store.MayWatch(ctx, who, hello.Watch); err != nil {
		return err // withdrawn in between
	}
	s.send("welcome", id, welcomeData{You: s.who, Watch: hello.Watch, Events: []eventData{}, Frames: []string{}})
	s.hub.watchDomain(s, hello.Watch)
	return nil
}

// watchDomain has a session told of a domain's rooms, and at once of those that
// are live: their visitors may be there, which no page from the store says.
func (h *Hub) watchDomain(s *session, domain string) {
	h.mu.Lock()
	s.watch = domain
	if h.watchers[domain] == nil {
		h.watchers[domain] = map[*session]struct{}{}
	}
	h.watchers[domain][s] = struct{}{}
	live := slices.Collect(maps.Values(h.rooms))
	h.mu.Unlock()
	for _, r := range live {
		if room, ok := r.now(); ok && room.Domain == domain && !room.Last.At.IsZero() {
			s.send("room", "", newSummary(room, h.visitorPresence(room.ID)))
		}
	}
}

// be says who the session is. The lock is for those who look through all
// sessions for admins. The kind stays once the session sits in a room, whose
// members are counted by it.
func (s *session) be(k Kind, a Access) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.kind != k {
		s.kind = k
	}
	s.who, s.access = a.Author, a
}

// sit makes the session a member of a room while welcome runs, and for as long as
// it lasts if that succeeds. What happens in the room is held for it until then:
// a member without a welcome is given nothing, and counts for nobody.
func (s *session) sit(k Kind, room string, welcome func(*liveRoom) error) error {
	s.be(k, s.access)
	r := s.hub.enterRoom(s, room)
	defer func() {
		if s.room == nil { // or a panic
			s.hub.leaveRoom(s, r)
		}
	}()
	return welcome(r)
}

// join reads what the client has missed, welcomes it, and lets it have
// everything that follows. The session sits in r already, so nothing falls
// between; room is r as the store had it since then, or nil.
func (s *session) join(ctx context.Context, id string, hello helloData, r *liveRoom, room *Room, token string) error {
	h := s.hub
	if room == nil {
		now, err := h.opts.Store.Room(ctx, r.id)
		if err != nil {
			return err
		}
		room = &now
	}
	missed, err := s.missed(ctx, *room, hello.After)
	if err != nil {
		return err
	}
	cursor := int64(0)
	if hello.After != nil {
		cursor = *hello.After
	}
	if n := len(missed.Events); n > 0 {
		cursor = missed.Events[n-1].Seq
	}
	w := welcomeData{You: s.who, Events: missed.Events, More: missed.More, Token: token, Frames: h.framesFor(s.kind)}
	if s.kind == Visitor {
		w.Domain = &domainData{s.domain.Name}
		w.Scripts = h.scripts
	}
	r.welcome(s, *room, cursor, func(now Room) {
		d := newRoomData(now)
		w.Room = &d
		s.send("welcome", id, w)
	})
	h.mu.Lock()
	s.room = r // from here on forget gives it back
	h.mu.Unlock()
	r.presence()
	if s.kind == Visitor {
		h.summarise(*room)
		h.joinVisitor(s)
	}
	return nil
}

// missed is the page of the log for a client that has seen it up to after: the
// newest one where after is nil. What is committed once room was read is beyond
// the room's number, and so is still delivered. Who has seen all costs no query.
func (s *session) missed(ctx context.Context, room Room, after *int64) (pageData, error) {
	page, seen := Range{Newest: true, Limit: firstPage}, int64(0)
	if after != nil {
		page, seen = Range{After: *after, Limit: MaxPage}, *after
	}
	switch {
	case seen > room.Seq:
		return pageData{}, ErrResync
	case seen == room.Seq:
		return s.hub.pageOf(nil, false, false), nil
	}
	events, more, err := s.hub.opts.Store.Events(ctx, room.ID, page)
	if err != nil {
		return pageData{}, err
	}
	return s.hub.pageOf(events, more, after == nil), nil
}

// fromDomain tells whether the page that connects may use the domain's widget:
// one of its origins, or the server's own pages. A client that is no browser
// sends no Origin, and no cookie either (the server has seen to that).
func (s *session) fromDomain(d Domain) bool {
	if s.hs.Origin == "" || s.fromConsole() == nil {
		return true
	}
	u, err := url.Parse(s.hs.Origin)
	return err == nil && slices.Contains(d.Origins, strings.ToLower(u.Host))
}

// fromConsole is nil where the server's own pages connect, with a session.
func (s *session) fromConsole() error {
	base := s.hub.opts.BaseURL
	if s.hs.Origin != base.Scheme+"://"+base.Host {
		return ErrForbidden
	}
	return nil
}
