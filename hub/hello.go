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
// connection open for another hello, up to maxHellos.
func (s *session) hello(ctx context.Context, in inbound) error {
	s.hellos++
	err := s.enter(ctx, in)
	switch {
	case err == nil:
		s.late.Stop()
		return nil
	case errors.Is(err, errEnd):
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
	if err != nil {
		return err
	}
	if !s.fromDomain(d) {
		return Errorf(CodeForbidden, "This page may not use the chat.")
	}
	entry, err := s.hub.opts.Store.EnterVisitor(ctx, d, hello.Token, hello.Room)
	if err != nil {
		return err
	}
	e := SessionOpening{Domain: d, Room: entry.Room, Author: entry.Visitor, IP: s.hs.IP}
	if _, err := s.hub.hooks.SessionOpening.run(ctx, e); err != nil {
		return err
	}
	s.domain = d
	s.be(Visitor, Access{Author: entry.Visitor})
	if entry.Token != "" {
		s.hub.hooks.RoomOpened.fire(RoomOpened{entry.Room})
	}
	if err := s.join(ctx, id, hello, entry.Room, entry.Token, d.Name); err != nil {
		return err
	}
	s.hub.joinVisitor(s)
	return nil
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
	// Access that was withdrawn before this session could be found by it.
	if access, room, err = s.hub.opts.Store.EnterAdmin(ctx, s.hs.Identity, hello.Room); err != nil {
		return err
	}
	s.be(Admin, access)
	return s.join(ctx, id, hello, room, "", "")
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
// sessions for admins.
func (s *session) be(k Kind, a Access) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.kind, s.who, s.access = k, a.Author, a
}

// join reads what the client has missed, welcomes it, and lets it have
// everything that follows: it becomes a member first, so nothing falls between.
func (s *session) join(ctx context.Context, id string, hello helloData, room Room, token, domain string) error {
	h := s.hub
	r := h.enterRoom(s, room.ID)
	page := Range{Newest: true, Limit: firstPage}
	if hello.After != nil {
		page = Range{After: *hello.After, Limit: MaxPage}
	}
	// The room before its events: what is committed between the two is beyond
	// the room's number, and so is still delivered.
	room, err := h.opts.Store.Room(ctx, room.ID)
	if err == nil && hello.After != nil && *hello.After > room.Seq {
		err = ErrResync
	}
	var events []Event
	var more bool
	if err == nil {
		events, more, err = h.opts.Store.Events(ctx, room.ID, page)
	}
	if err != nil {
		h.leaveRoom(s, r)
		return err
	}
	cursor := int64(0)
	if hello.After != nil {
		cursor = *hello.After
	}
	missed := h.pageOf(events, more, hello.After == nil)
	if n := len(missed.Events); n > 0 {
		cursor = missed.Events[n-1].Seq
	}
	w := welcomeData{You: s.who, Events: missed.Events, More: missed.More, Token: token, Frames: h.framesFor(s.kind)}
	if domain != "" {
		w.Domain = &domainData{domain}
	}
	r.welcome(s, room, cursor, func(now Room) {
		d := newRoomData(now)
		w.Room = &d
		s.send("welcome", id, w)
	})
	h.mu.Lock()
	s.room = r // from here on forget gives it back
	h.mu.Unlock()
	r.presence()
	if s.kind == Visitor {
		h.summarise(room)
	}
	return nil
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
