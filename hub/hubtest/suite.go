package hubtest

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// Fixture arranges, in a store under test, what the hub itself never does. Its
// methods fail the test they were opened for when they cannot.
type Fixture interface {
	// AddDomain adds a domain and returns it with its new ID.
	AddDomain(d hub.Domain) hub.Domain
	// SignIn makes a session of a new admin: a member of the domains given, or
	// an operator if none is.
	SignIn(name string, domains ...string) hub.Identity
	// EndSession makes a session worth nothing.
	EndSession(session string)
	// Grant makes a session that holds a new link's grant for a room, and
	// nothing else.
	Grant(room hub.Room, name string) (who hub.Identity, link string)
	RevokeLink(link string)
	ExpireLink(link string)
	CloseRoom(room string)
	// AgeVisitor makes a visitor's token one that has left to live.
	AgeVisitor(visitor string, left time.Duration)
	// VisitorUntil tells when a visitor's token expires.
	VisitorUntil(visitor string) time.Time
	// Jobs lists what was enqueued and not yet done.
	Jobs() []hub.Job
}

// TestStore holds a store to what [hub.Store] says. open gives the store and
// the means to arrange its state; it is called once, and each part of the suite
// uses domains of its own.
func TestStore(t *testing.T, open func(t *testing.T) (hub.Store, Fixture)) {
	store, fixture := open(t)
	s := suite{t.Context(), store, fixture}
	for _, part := range []struct {
		name string
		run  func(t *testing.T, s suite)
	}{
		{"Domains", testDomains},
		{"VisitorEnters", testVisitorEnters},
		{"VisitorToken", testVisitorToken},
		{"VisitorRooms", testVisitorRooms},
		{"OneOpenRoom", testOneOpenRoom},
		{"AISwitch", testAISwitch},
		{"Member", testMember},
		{"Grant", testGrant},
		{"Watch", testWatch},
		{"Append", testAppend},
		{"Unasked", testUnasked},
		{"AppendElsewhere", testAppendElsewhere},
		{"ClientID", testClientID},
		{"ClientIDBytewise", testClientIDBytewise},
		{"ClientIDRace", testClientIDRace},
		{"Epoch", testEpoch},
		{"TakeoverRace", testTakeoverRace},
		{"Escalation", testEscalation},
		{"Within", testWithin},
		{"WithinFails", testWithinFails},
		{"Jobs", testJobs},
		{"Unicode", testUnicode},
		{"Gapless", testGapless},
		{"Pages", testPages},
		{"Canceled", testCanceled},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, s) })
	}
}

// suite is what its parts share.
type suite struct {
	ctx   context.Context
	store hub.Store
	fix   Fixture
}

// enter makes a domain whose AI answers, and a visitor in it.
func (s suite) enter(t *testing.T) (hub.Domain, hub.Entry) {
	t.Helper()
	d := s.fix.AddDomain(hub.Domain{Name: "Kopi Tugu", AI: true})
	e, err := s.store.EnterVisitor(s.ctx, d, "", "")
	if err != nil {
		t.Fatalf("EnterVisitor: %v", err)
	}
	return d, e
}

// say appends a visitor's message.
func (s suite) say(t *testing.T, e hub.Entry, text string) hub.Appended {
	t.Helper()
	return s.append(t, hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: text})
}

func (s suite) append(t *testing.T, a hub.Append) hub.Appended {
	t.Helper()
	out, err := s.store.Append(s.ctx, a)
	if err != nil {
		t.Fatalf("Append of %s: %v", a.Type, err)
	}
	return out
}

// room reads a room that exists.
func (s suite) room(t *testing.T, id string) hub.Room {
	t.Helper()
	r, err := s.store.Room(s.ctx, id)
	if err != nil {
		t.Fatalf("Room: %v", err)
	}
	return r
}

// log reads all of a short log.
func (s suite) log(t *testing.T, room string) []hub.Event {
	t.Helper()
	all, more, err := s.store.Events(s.ctx, room, hub.Range{Limit: hub.MaxPage})
	if err != nil || more {
		t.Fatalf("Events: more %v, %v", more, err)
	}
	return all
}

// at the same time runs fn n times.
func together(n int, fn func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() { <-start; fn(i) })
	}
	close(start)
	all.Wait()
}

func want(t *testing.T, what string, err, wanted error) {
	t.Helper()
	if !errors.Is(err, wanted) {
		t.Errorf("%s: got error %v, want %v", what, err, wanted)
	}
}

func same(t *testing.T, what string, got, wanted any) {
	t.Helper()
	if !reflect.DeepEqual(got, wanted) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, wanted)
	}
}

func testDomains(t *testing.T, s suite) {
	d := s.fix.AddDomain(hub.Domain{Key: "suite-key", Name: "Kopi Tugu", AI: true, Origins: []string{"a.example", "b.example:8443"}})
	got, err := s.store.DomainByKey(s.ctx, "suite-key")
	want(t, "DomainByKey", err, nil)
	same(t, "the domain", got, d)
	for _, key := range []string{"", "suite", "SUITE-KEY", "suite-key ", "suite_key", "%"} {
		_, err := s.store.DomainByKey(s.ctx, key)
		want(t, "DomainByKey of "+key, err, hub.ErrNotFound)
	}
}

func testVisitorEnters(t *testing.T, s suite) {
	d, e := s.enter(t)
	if e.Token == "" || e.Visitor.Kind != hub.Visitor || e.Visitor.ID == "" {
		t.Errorf("a new visitor has token %q and author %+v", e.Token, e.Visitor)
	}
	r := e.Room
	if r.ID == "" || r.Ref == "" || r.CreatedAt.IsZero() || time.Since(r.CreatedAt).Abs() > time.Hour {
		t.Errorf("a new room is %+v", r)
	}
	same(t, "a new room", r, hub.Room{
		ID: r.ID, Domain: d.ID, Visitor: e.Visitor.ID, Ref: r.Ref, Mode: hub.ModeAI, Epoch: 1, CreatedAt: r.CreatedAt,
	})
	same(t, "the room as read", s.room(t, r.ID), r)

	_, other := s.enter(t)
	if other.Token == e.Token || other.Visitor.ID == e.Visitor.ID || other.Room.ID == r.ID {
		t.Errorf("two visitors share something: %+v and %+v", e, other)
	}
	_, err := s.store.Room(s.ctx, "no-such-room")
	want(t, "Room", err, hub.ErrNotFound)
}

func testVisitorToken(t *testing.T, s suite) {
	d, e := s.enter(t)
	s.say(t, e, "hello")
	again, err := s.store.EnterVisitor(s.ctx, d, e.Token, "")
	want(t, "EnterVisitor again", err, nil)
	same(t, "who enters again", again, hub.Entry{Visitor: e.Visitor, Room: s.room(t, e.Room.ID)})

	other, _ := s.enter(t)
	_, err = s.store.EnterVisitor(s.ctx, other, e.Token, "")
	want(t, "a token in another domain", err, hub.ErrExpired)
	_, err = s.store.EnterVisitor(s.ctx, d, "no-such-token", "")
	want(t, "an unknown token", err, hub.ErrExpired)

	// Use moves the expiry, but not each time: that would be a write a hello.
	until := s.fix.VisitorUntil(e.Visitor.ID)
	s.fix.AgeVisitor(e.Visitor.ID, time.Hour)
	if _, err := s.store.EnterVisitor(s.ctx, d, e.Token, ""); err != nil {
		t.Fatalf("a token in its last hour: %v", err)
	}
	if now := s.fix.VisitorUntil(e.Visitor.ID); now.Sub(until).Abs() > time.Hour {
		t.Errorf("use moved the expiry to %v, want about %v", now, until)
	}
	s.fix.AgeVisitor(e.Visitor.ID, time.Until(until)-time.Hour)
	before := s.fix.VisitorUntil(e.Visitor.ID)
	if _, err := s.store.EnterVisitor(s.ctx, d, e.Token, ""); err != nil {
		t.Fatal(err)
	}
	if now := s.fix.VisitorUntil(e.Visitor.ID); !now.Equal(before) {
		t.Errorf("the expiry moved from %v to %v within a day", before, now)
	}

	s.fix.AgeVisitor(e.Visitor.ID, 0)
	_, err = s.store.EnterVisitor(s.ctx, d, e.Token, "")
	want(t, "a token that ran out", err, hub.ErrExpired)
}

func testVisitorRooms(t *testing.T, s suite) {
	d, e := s.enter(t)
	named, err := s.store.EnterVisitor(s.ctx, d, e.Token, e.Room.ID)
	want(t, "the visitor's own room", err, nil)
	same(t, "the named room", named.Room, e.Room)

	stranger, err := s.store.EnterVisitor(s.ctx, d, "", "")
	want(t, "another visitor", err, nil)
	_, err = s.store.EnterVisitor(s.ctx, d, e.Token, stranger.Room.ID)
	want(t, "another visitor's room", err, hub.ErrNotFound)
	_, err = s.store.EnterVisitor(s.ctx, d, e.Token, "no-such-room")
	want(t, "an unknown room", err, hub.ErrNotFound)

	s.fix.CloseRoom(e.Room.ID)
	_, err = s.store.EnterVisitor(s.ctx, d, e.Token, e.Room.ID)
	want(t, "a closed room", err, hub.ErrGone)
	next, err := s.store.EnterVisitor(s.ctx, d, e.Token, "")
	want(t, "after the room was closed", err, nil)
	if next.Room.ID == e.Room.ID || next.Room.Seq != 0 || next.Visitor != e.Visitor || next.Token != "" {
		t.Errorf("after the room was closed the visitor got %+v", next)
	}
}

func testOneOpenRoom(t *testing.T, s suite) {
	d, e := s.enter(t)
	s.fix.CloseRoom(e.Room.ID)
	rooms := make([]string, 8)
	together(len(rooms), func(i int) {
		got, err := s.store.EnterVisitor(s.ctx, d, e.Token, "")
		if err != nil {
			t.Errorf("tab %d: %v", i, err)
		}
		rooms[i] = got.Room.ID
	})
	for _, id := range rooms {
		if id != rooms[0] || id == e.Room.ID {
			t.Fatalf("eight tabs at once are in the rooms %v", rooms)
		}
	}
}

func testAISwitch(t *testing.T, s suite) {
	d, e := s.enter(t)
	d.AI = false
	off, err := s.store.EnterVisitor(s.ctx, d, e.Token, "")
	want(t, "with the AI off", err, nil)
	if off.Room.Mode != hub.ModeLive || off.Room.Holder != (hub.Author{}) || off.Room.Epoch != e.Room.Epoch+1 {
		t.Errorf("with the AI off the room is %+v", off.Room)
	}
	ana := hub.Author{Kind: hub.Admin, ID: "ana", Name: "Ana"}
	s.append(t, hub.Append{Room: e.Room.ID, Type: hub.EventTakeover, Author: ana, Epoch: off.Room.Epoch})
	d.AI = true
	held, err := s.store.EnterVisitor(s.ctx, d, e.Token, "")
	want(t, "while a person answers", err, nil)
	if held.Room.Mode != hub.ModeLive || held.Room.Holder != ana {
		t.Errorf("the AI's switch took the room from its holder: %+v", held.Room)
	}
}
