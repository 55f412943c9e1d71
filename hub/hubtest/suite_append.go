package hubtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bellhub/bellhub/hub"
)

func testAppend(t *testing.T, s suite) {
	_, e := s.enter(t)
	said := s.say(t, e, "Do you ship to Oslo?")
	if said.Again || said.Event.Seq != 1 || said.Event.At.IsZero() {
		t.Errorf("the first append gave %+v", said)
	}
	same(t, "the event", said.Event, hub.Event{
		Room: e.Room.ID, Seq: 1, Type: hub.EventMessage, Author: e.Visitor, Text: "Do you ship to Oslo?", At: said.Event.At,
	})
	answered := s.append(t, hub.Append{
		Room: e.Room.ID, Type: hub.EventMessage, Author: hub.Author{Kind: hub.AI, Name: "Assistant"},
		Text: "Yes.", Data: json.RawMessage(`{"turn":"t1"}`), Epoch: said.Room.Epoch,
	})
	same(t, "the log", s.log(t, e.Room.ID), []hub.Event{said.Event, answered.Event})

	after := e.Room
	after.Seq, after.Last = 2, hub.Last{Text: "Yes.", Kind: hub.AI, At: answered.Event.At}
	same(t, "the room as of the event", answered.Room, after)
	same(t, "the room as read", s.room(t, e.Room.ID), after)
}

// What the AI says unasked is no conversation: a list shows the room once a
// person has said something.
func testUnasked(t *testing.T, s suite) {
	_, e := s.enter(t)
	ai := hub.Author{Kind: hub.AI, ID: "greeter", Name: "Assistant"}
	greeted := s.append(t, hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: ai, Text: "Hello!", Epoch: e.Room.Epoch})
	unlisted := e.Room
	unlisted.Seq = 1
	same(t, "the room as of a greeting", greeted.Room, unlisted)
	same(t, "the room as read", s.room(t, e.Room.ID), unlisted)
	said := s.append(t, hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "Hi"})
	same(t, "the last words", s.room(t, e.Room.ID).Last, hub.Last{Text: "Hi", Kind: hub.Visitor, At: said.Event.At})
	answered := s.append(t, hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: ai, Text: "Yes?", Epoch: e.Room.Epoch})
	same(t, "the last words", s.room(t, e.Room.ID).Last, hub.Last{Text: "Yes?", Kind: hub.AI, At: answered.Event.At})
}

func testAppendElsewhere(t *testing.T, s suite) {
	_, e := s.enter(t)
	_, err := s.store.Append(s.ctx, hub.Append{Room: "no-such-room", Type: hub.EventMessage, Author: e.Visitor, Text: "x"})
	want(t, "an unknown room", err, hub.ErrNotFound)
	_, err = s.store.Append(s.ctx, hub.Append{Room: e.Room.ID, Type: "poem", Author: e.Visitor, Text: "x"})
	if err == nil {
		t.Error("an unknown type was appended")
	}

	a := hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "bye", ClientID: "c-1", Hash: "h"}
	said := s.append(t, a)
	s.fix.CloseRoom(e.Room.ID)
	_, err = s.store.Append(s.ctx, hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "x"})
	want(t, "a closed room", err, hub.ErrGone)
	// Who did not hear the acknowledgement still gets it.
	if again := s.append(t, a); !again.Again || again.Event.Seq != said.Event.Seq {
		t.Errorf("the same append after closing gave %+v", again)
	}
}

func testClientID(t *testing.T, s suite) {
	_, e := s.enter(t)
	ran := 0
	a := hub.Append{
		Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "once", ClientID: "c-1", Hash: "h1",
		Data: json.RawMessage(`{"k":1}`), Jobs: []hub.Job{{Kind: "suite.once", Key: e.Room.ID}},
		Within: func(context.Context, *hub.Append) error { ran++; return nil },
	}
	first := s.append(t, a)
	runs := ran
	s.say(t, e, "in between")
	again := s.append(t, a)
	if !again.Again || first.Again || ran != runs {
		t.Errorf("the second append: Again %v, Within ran %d more times", again.Again, ran-runs)
	}
	same(t, "the first one's event", again.Event, first.Event)
	same(t, "the room", again.Room, s.room(t, e.Room.ID))

	other := a
	other.Hash = "h2"
	_, err := s.store.Append(s.ctx, other)
	want(t, "another body", err, hub.ErrMismatch)

	// The id is the author's own, in this room.
	others := a
	others.Author = hub.Author{Kind: hub.Admin, ID: e.Visitor.ID}
	if got := s.append(t, others); got.Again {
		t.Error("another kind of author shares the id")
	}
	others.Author = hub.Author{Kind: hub.Visitor, ID: "somebody"}
	if got := s.append(t, others); got.Again {
		t.Error("another author shares the id")
	}
	_, elsewhere := s.enter(t)
	a.Room = elsewhere.Room.ID
	if got := s.append(t, a); got.Again {
		t.Error("another room shares the id")
	}
	if n := len(s.log(t, e.Room.ID)); n != 4 {
		t.Errorf("the log has %d events, want 4", n)
	}
}

// Two ids are one only if every byte is: no case folding, no padding, no
// normal forms, no number that another spelling equals.
func testClientIDBytewise(t *testing.T, s suite) {
	_, e := s.enter(t)
	ids := []string{
		"a", "A", "a ", "á", "a\u0301", "1", "01", "1.0", "1e0", "0", "-0", "ß", "ss", "%", "_", `\`, `'`, `"`, "NULL",
		strings.Repeat("x", 63), strings.Repeat("x", 64), "😀", "😁",
	}
	for i, id := range ids {
		got := s.append(t, hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: id, ClientID: id, Hash: id})
		if got.Again || got.Event.Seq != int64(i+1) {
			t.Errorf("client id %q is taken for %q", id, got.Event.Text)
		}
	}
	for i, id := range ids {
		got := s.append(t, hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: id, ClientID: id, Hash: id})
		if !got.Again || got.Event.Seq != int64(i+1) {
			t.Errorf("client id %q is not known again: %+v", id, got)
		}
	}
}

func testClientIDRace(t *testing.T, s suite) {
	_, e := s.enter(t)
	var written atomic.Int32
	together(8, func(int) {
		got, err := s.store.Append(s.ctx, hub.Append{
			Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "once", ClientID: "c-1", Hash: "h",
		})
		if err != nil || got.Event.Seq != 1 {
			t.Errorf("event %d, %v", got.Event.Seq, err)
		}
		if !got.Again {
			written.Add(1)
		}
	})
	if n := written.Load(); n != 1 {
		t.Errorf("%d of eight appends with one id say that they wrote", n)
	}
}

func testEpoch(t *testing.T, s suite) {
	_, e := s.enter(t)
	ai := hub.Author{Kind: hub.AI}
	ana := hub.Author{Kind: hub.Admin, ID: "ana", Name: "Ana"}
	answer := hub.Append{
		Room: e.Room.ID, Type: hub.EventMessage, Author: ai, Text: "late", Epoch: e.Room.Epoch,
		Jobs: []hub.Job{{Kind: "suite.stale", Key: e.Room.ID}},
	}

	taken := s.append(t, hub.Append{Room: e.Room.ID, Type: hub.EventTakeover, Author: ana, Epoch: e.Room.Epoch})
	if r := s.room(t, e.Room.ID); r.Mode != hub.ModeLive || r.Holder != ana || r.Epoch != e.Room.Epoch+1 {
		t.Errorf("after the takeover the room is %+v", r)
	}
	_, err := s.store.Append(s.ctx, answer)
	want(t, "the AI, after the takeover", err, hub.ErrStaleEpoch)
	answer.Epoch = 0
	_, err = s.store.Append(s.ctx, answer)
	want(t, "the AI, without an epoch", err, hub.ErrStaleEpoch)
	for _, j := range s.fix.Jobs() {
		if j.Kind == "suite.stale" {
			t.Error("an append that was refused left a job")
		}
	}

	_, err = s.store.Append(s.ctx, hub.Append{Room: e.Room.ID, Type: hub.EventHandback, Author: ana, Epoch: e.Room.Epoch})
	want(t, "a hand-back of an older epoch", err, hub.ErrStaleEpoch)
	back := s.append(t, hub.Append{Room: e.Room.ID, Type: hub.EventHandback, Author: ana, Epoch: taken.Room.Epoch})
	if r := s.room(t, e.Room.ID); r.Mode != hub.ModeAI || r.Holder != (hub.Author{}) || r.Epoch != taken.Room.Epoch+1 {
		t.Errorf("after the hand-back the room is %+v", r)
	}
	answer.Epoch = back.Room.Epoch
	if got := s.append(t, answer); got.Event.Seq != 3 {
		t.Errorf("the AI's answer is event %d, want 3: what was refused takes no number", got.Event.Seq)
	}
}

func testTakeoverRace(t *testing.T, s suite) {
	_, e := s.enter(t)
	var won atomic.Int32
	together(6, func(i int) {
		who := hub.Author{Kind: hub.Admin, ID: fmt.Sprint("admin-", i), Name: fmt.Sprint("Admin ", i)}
		_, err := s.store.Append(s.ctx, hub.Append{Room: e.Room.ID, Type: hub.EventTakeover, Author: who, Epoch: e.Room.Epoch})
		switch {
		case err == nil:
			won.Add(1)
		case !errors.Is(err, hub.ErrStaleEpoch):
			t.Errorf("admin %d: %v", i, err)
		}
	})
	log := s.log(t, e.Room.ID)
	if won.Load() != 1 || len(log) != 1 || s.room(t, e.Room.ID).Holder != log[0].Author {
		t.Errorf("%d of six takeovers won; the log is %+v", won.Load(), log)
	}
}

func testEscalation(t *testing.T, s suite) {
	_, e := s.enter(t)
	rang := s.append(t, hub.Append{
		Room: e.Room.ID, Type: hub.EventEscalation, Author: e.Visitor, Text: "an invoice",
		Data: hub.MarshalData(hub.Progress{Escalation: "esc-1", State: hub.StateQueued}),
	})
	notice := func(escalation, state string) {
		s.append(t, hub.Append{
			Room: e.Room.ID, Type: hub.EventNotice, Author: hub.SystemAuthor,
			Data: hub.MarshalData(hub.Progress{Escalation: escalation, State: state}),
		})
	}
	notice("esc-1", hub.StateNotified)
	notice("esc-0", hub.StateUnreachable) // of an older one: only recorded
	r := s.room(t, e.Room.ID)
	same(t, "the escalation", r.Escalation, hub.Progress{Escalation: "esc-1", State: hub.StateNotified})
	same(t, "the last words", r.Last, hub.Last{Text: "an invoice", Kind: hub.Visitor, At: rang.Event.At})
	if r.Seq != 3 {
		t.Errorf("the room is at %d, want 3", r.Seq)
	}
}

func testWithin(t *testing.T, s suite) {
	_, e := s.enter(t)
	got := s.append(t, hub.Append{
		Room: e.Room.ID, Type: hub.EventEscalation, Author: e.Visitor, Text: "help",
		Jobs: []hub.Job{{Kind: "suite.within", Key: e.Room.ID + "/outside"}},
		Within: func(_ context.Context, a *hub.Append) error {
			a.Data = hub.MarshalData(hub.Progress{Escalation: "esc-1", State: hub.StateQueued})
			a.Jobs = append(a.Jobs, hub.Job{Kind: "suite.within", Key: e.Room.ID + "/inside"})
			return nil
		},
	})
	same(t, "the room's escalation", got.Room.Escalation, hub.Progress{Escalation: "esc-1", State: hub.StateQueued})
	same(t, "the event's data", string(s.log(t, e.Room.ID)[0].Data), string(got.Event.Data))
	var keys []string
	for _, j := range s.fix.Jobs() {
		if j.Kind == "suite.within" {
			keys = append(keys, strings.TrimPrefix(j.Key, e.Room.ID))
		}
	}
	slices.Sort(keys)
	same(t, "the jobs", keys, []string{"/inside", "/outside"})
}

func testWithinFails(t *testing.T, s suite) {
	_, e := s.enter(t)
	broken := errors.New("broken")
	a := hub.Append{
		Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "x", ClientID: "c-1", Hash: "h",
		Jobs:   []hub.Job{{Kind: "suite.rolled-back", Key: e.Room.ID}},
		Within: func(context.Context, *hub.Append) error { return broken },
	}
	_, err := s.store.Append(s.ctx, a)
	want(t, "a fault within", err, hub.ErrUnavailable)
	want(t, "its cause", err, broken)
	a.Within = func(context.Context, *hub.Append) error { return hub.Veto("", "no") }
	_, err = s.store.Append(s.ctx, a)
	want(t, "a refusal within", err, hub.Veto("", ""))

	same(t, "the room", s.room(t, e.Room.ID), e.Room)
	for _, j := range s.fix.Jobs() {
		if j.Kind == "suite.rolled-back" {
			t.Error("what was rolled back left a job")
		}
	}
	a.Within = nil
	if got := s.append(t, a); got.Again || got.Event.Seq != 1 {
		t.Errorf("the append after a failure gave %+v", got)
	}
}
