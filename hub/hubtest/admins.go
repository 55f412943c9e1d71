package hubtest

import (
	"context"
	"slices"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// memSession is a browser's: signed in, or there for its grants.
type memSession struct {
	who     hub.Identity // ID is empty for a session with grants alone
	domains []string     // an operator has none and may see all
	ended   bool
}

// memGrant lets a session into a room by a link.
type memGrant struct {
	session, room, link, rule, name string
	ended                           bool
}

// teamName is what visitors see of an admin who chose no name.
const teamName = "Team"

// EnterAdmin implements [hub.Store].
func (m *Memory) EnterAdmin(_ context.Context, who hub.Identity, room string) (hub.Access, hub.Room, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return hub.Access{}, hub.Room{}, m.fail
	}
	r := m.rooms[room]
	if r == nil {
		return hub.Access{}, hub.Room{}, hub.ErrNotFound
	}
	s := m.sessions[who.Session]
	if s.mayAdmin(r.Domain) {
		name := s.who.Name
		if name == "" {
			name = teamName
		}
		return hub.Access{Author: hub.Author{Kind: hub.Admin, ID: s.who.ID, Name: name}, Session: who.Session}, r.Room, nil
	}
	for _, g := range m.grants {
		if s != nil && !s.ended && g.session == who.Session && g.room == room && !g.ended {
			return hub.Access{
				Author:  hub.Author{Kind: hub.Admin, ID: g.rule, Name: g.name},
				Session: who.Session, Link: g.link, Rule: g.rule,
			}, r.Room, nil
		}
	}
	return hub.Access{}, hub.Room{}, hub.ErrNotFound
}

// MayWatch implements [hub.Store].
func (m *Memory) MayWatch(_ context.Context, who hub.Identity, domain string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if _, ok := m.domains[domain]; !ok || !m.sessions[who.Session].mayAdmin(domain) {
		return hub.ErrNotFound
	}
	return nil
}

func (s *memSession) mayAdmin(domain string) bool {
	return s != nil && !s.ended && s.who.ID != "" && (s.who.Operator || slices.Contains(s.domains, domain))
}

// AddDomain adds a domain, or changes the one with this Key; an empty Key
// becomes its id. It returns the domain with its ID.
func (m *Memory) AddDomain(d hub.Domain) hub.Domain {
	m.mu.Lock()
	defer m.mu.Unlock()
	d.ID = ""
	for _, old := range m.domains {
		if old.Key == d.Key {
			d.ID = old.ID
		}
	}
	if d.ID == "" {
		d.ID = m.id("domain")
	}
	if d.Key == "" {
		d.Key = d.ID
	}
	m.domains[d.ID] = d
	return d
}

// SignIn makes a session of a new admin who may see the domains given, or, as
// an operator, all of them if none is.
func (m *Memory) SignIn(name string, domains ...string) hub.Identity {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := m.id("admin")
	who := hub.Identity{
		Kind: hub.Admin, ID: id, Name: name, Session: m.id("session"),
		Email: id + "@example.com", Operator: len(domains) == 0,
	}
	m.sessions[who.Session] = &memSession{who: who, domains: domains}
	return who
}

// EndSession makes a session worth nothing.
func (m *Memory) EndSession(session string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions[session].ended = true
}

// Grant makes a session that may enter a room by a new link, as name.
func (m *Memory) Grant(room hub.Room, name string) (who hub.Identity, link string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	who = hub.Identity{Kind: hub.Admin, Session: m.id("session")}
	m.sessions[who.Session] = &memSession{who: who}
	g := &memGrant{session: who.Session, room: room.ID, link: m.id("link"), rule: m.id("rule"), name: name}
	m.grants = append(m.grants, g)
	return who, g.link
}

// RevokeLink withdraws a link.
func (m *Memory) RevokeLink(link string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, g := range m.grants {
		g.ended = g.ended || g.link == link
	}
}

// ExpireLink lets a link's time run out.
func (m *Memory) ExpireLink(link string) { m.RevokeLink(link) }

// CloseRoom ends a conversation.
func (m *Memory) CloseRoom(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rooms[id].closed = true
}

// AgeVisitor makes a visitor's token one that has left to live.
func (m *Memory) AgeVisitor(visitor string, left time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range m.visitors {
		if v.id == visitor {
			v.until = hub.Now().Add(left)
		}
	}
}

// VisitorUntil tells when a visitor's token expires.
func (m *Memory) VisitorUntil(visitor string) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range m.visitors {
		if v.id == visitor {
			return v.until
		}
	}
	return time.Time{}
}

// Jobs lists what appends enqueued, in order.
func (m *Memory) Jobs() []hub.Job {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.jobs)
}

// Touch notes nothing: sessions in memory have no idle time.
func (m *Memory) Touch(context.Context, string) error { return nil }
