package hubtest

import (
	"testing"

	"github.com/bellhub/bellhub/hub"
)

func testMember(t *testing.T, s suite) {
	d, e := s.enter(t)
	elsewhere, _ := s.enter(t)
	said := s.say(t, e, "hello")

	ana := s.fix.SignIn("Ana", d.ID)
	access, room, err := s.store.EnterAdmin(s.ctx, ana, e.Room.ID)
	want(t, "a member", err, nil)
	same(t, "a member's access", access, hub.Access{
		Author: hub.Author{Kind: hub.Admin, ID: ana.ID, Name: "Ana"}, Session: ana.Session,
	})
	same(t, "the room", room, said.Room)

	if access, _, err = s.store.EnterAdmin(s.ctx, s.fix.SignIn("Op"), e.Room.ID); err != nil || access.Author.Name != "Op" {
		t.Errorf("an operator: %+v, %v", access, err)
	}
	if access, _, err = s.store.EnterAdmin(s.ctx, s.fix.SignIn("", d.ID), e.Room.ID); err != nil || access.Author.Name != "Team" {
		t.Errorf("a member without a name: %+v, %v", access, err)
	}

	_, _, err = s.store.EnterAdmin(s.ctx, s.fix.SignIn("Eve", elsewhere.ID), e.Room.ID)
	want(t, "another domain's member", err, hub.ErrNotFound)
	_, _, err = s.store.EnterAdmin(s.ctx, ana, "no-such-room")
	want(t, "an unknown room", err, hub.ErrNotFound)
	_, _, err = s.store.EnterAdmin(s.ctx, hub.Identity{}, e.Room.ID)
	want(t, "nobody", err, hub.ErrNotFound)
	forged := ana
	forged.Session = "no-such-session"
	_, _, err = s.store.EnterAdmin(s.ctx, forged, e.Room.ID)
	want(t, "an admin without a session", err, hub.ErrNotFound)

	want(t, "Touch", s.store.Touch(s.ctx, ana.Session), nil)
	s.fix.CloseRoom(e.Room.ID)
	_, _, err = s.store.EnterAdmin(s.ctx, ana, e.Room.ID)
	want(t, "a closed room, which its admins may read", err, nil)

	s.fix.EndSession(ana.Session)
	want(t, "Touch of a session that ended", s.store.Touch(s.ctx, ana.Session), nil)
	_, _, err = s.store.EnterAdmin(s.ctx, ana, e.Room.ID)
	want(t, "a session that ended", err, hub.ErrNotFound)
}

func testGrant(t *testing.T, s suite) {
	d, e := s.enter(t)
	neighbour, err := s.store.EnterVisitor(s.ctx, d, "", "")
	want(t, "another room of the domain", err, nil)

	ana, link := s.fix.Grant(e.Room, "Ana")
	access, _, err := s.store.EnterAdmin(s.ctx, ana, e.Room.ID)
	want(t, "a grant", err, nil)
	if access.Author.Kind != hub.Admin || access.Author.ID == "" || access.Author.Name != "Ana" ||
		access.Session != ana.Session || access.Link != link || access.Rule == "" {
		t.Errorf("a grant's access is %+v", access)
	}
	_, _, err = s.store.EnterAdmin(s.ctx, ana, neighbour.Room.ID)
	want(t, "a grant, in another room", err, hub.ErrNotFound)
	want(t, "a grant, watching the domain", s.store.MayWatch(s.ctx, ana, d.ID), hub.ErrNotFound)

	ben, other := s.fix.Grant(e.Room, "Ben")
	s.fix.RevokeLink(link)
	_, _, err = s.store.EnterAdmin(s.ctx, ana, e.Room.ID)
	want(t, "a revoked link", err, hub.ErrNotFound)
	_, _, err = s.store.EnterAdmin(s.ctx, ben, e.Room.ID)
	want(t, "another link to the room", err, nil)
	s.fix.ExpireLink(other)
	_, _, err = s.store.EnterAdmin(s.ctx, ben, e.Room.ID)
	want(t, "an expired link", err, hub.ErrNotFound)

	cleo, _ := s.fix.Grant(e.Room, "Cleo")
	s.fix.EndSession(cleo.Session)
	_, _, err = s.store.EnterAdmin(s.ctx, cleo, e.Room.ID)
	want(t, "a grant of a session that ended", err, hub.ErrNotFound)
}

func testWatch(t *testing.T, s suite) {
	d, _ := s.enter(t)
	elsewhere, _ := s.enter(t)
	ana, op := s.fix.SignIn("Ana", d.ID), s.fix.SignIn("Op")
	want(t, "a member", s.store.MayWatch(s.ctx, ana, d.ID), nil)
	want(t, "an operator", s.store.MayWatch(s.ctx, op, d.ID), nil)
	want(t, "a member, elsewhere", s.store.MayWatch(s.ctx, ana, elsewhere.ID), hub.ErrNotFound)
	want(t, "no such domain", s.store.MayWatch(s.ctx, op, "no-such-domain"), hub.ErrNotFound)
	want(t, "nobody", s.store.MayWatch(s.ctx, hub.Identity{}, d.ID), hub.ErrNotFound)
	// What an identity says of itself counts for nothing: the session decides.
	want(t, "a forged operator", s.store.MayWatch(s.ctx, hub.Identity{Kind: hub.Admin, ID: op.ID, Operator: true}, d.ID), hub.ErrNotFound)
	s.fix.EndSession(ana.Session)
	want(t, "a session that ended", s.store.MayWatch(s.ctx, ana, d.ID), hub.ErrNotFound)
}
