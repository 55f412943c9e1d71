package hubtest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
)

func testJobs(t *testing.T, s suite) {
	_, e := s.enter(t)
	later := hub.Now().AddDate(0, 0, 1)
	for range 2 {
		s.append(t, hub.Append{
			Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "x",
			Jobs: []hub.Job{
				{Kind: "suite.jobs", Key: e.Room.ID, Payload: json.RawMessage(`{"to":"😀"}`), RunAt: later, Priority: 3},
				{Kind: "suite.jobs", Key: strings.ToUpper(e.Room.ID)},
			},
		})
	}
	var mine []hub.Job
	for _, j := range s.fix.Jobs() {
		if j.Kind == "suite.jobs" && strings.EqualFold(j.Key, e.Room.ID) {
			mine = append(mine, j)
		}
	}
	slices.SortFunc(mine, func(a, b hub.Job) int { return b.Priority - a.Priority })
	if len(mine) != 2 {
		t.Fatalf("%d jobs, want 2: a second one with the same kind and key is dropped, and case counts", len(mine))
	}
	if !mine[0].RunAt.Equal(later) || mine[0].Priority != 3 || string(mine[0].Payload) != `{"to":"😀"}` {
		t.Errorf("the job is %+v", mine[0])
	}
}

// What people write comes back byte for byte: four-byte characters above all,
// which MySQL's older utf8 cuts.
func testUnicode(t *testing.T, s suite) {
	_, e := s.enter(t)
	for _, text := range []string{
		"😀 👩‍👩‍👧 𠜎", "à la carte, à la carte", "مرحبا", " leading and trailing ", "line\nbreak\ttab",
		`'"\%_;--`, "<b>&amp;</b>", strings.Repeat("😀", 4000),
	} {
		said := s.append(t, hub.Append{
			Room: e.Room.ID, Type: hub.EventMessage, Author: hub.Author{Kind: hub.Visitor, ID: e.Visitor.ID, Name: "Zoë 😀"},
			Text: text, Data: hub.MarshalData(map[string]string{"k": "😀"}),
		})
		got, _, err := s.store.Events(s.ctx, e.Room.ID, hub.Range{Newest: true, Limit: 1})
		if err != nil || len(got) != 1 {
			t.Fatalf("Events: %d, %v", len(got), err)
		}
		same(t, "the event as read", got[0], said.Event)
		same(t, "the room as read", s.room(t, e.Room.ID), said.Room)
	}
}

// Appends that meet, in one room and in several, each get a number, and the
// numbers have no gap.
func testGapless(t *testing.T, s suite) {
	const writers, each = 6, 5
	_, a := s.enter(t)
	_, b := s.enter(t)
	together(writers, func(i int) {
		room := a
		if i%2 == 1 {
			room = b
		}
		last := int64(0)
		for range each {
			got, err := s.store.Append(s.ctx, hub.Append{Room: room.Room.ID, Type: hub.EventMessage, Author: room.Visitor, Text: "x"})
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
				return
			}
			if got.Event.Seq <= last || got.Room.Seq != got.Event.Seq {
				t.Errorf("writer %d: event %d after %d, in a room at %d", i, got.Event.Seq, last, got.Room.Seq)
			}
			last = got.Event.Seq
		}
	})
	for _, e := range []hub.Entry{a, b} {
		log := s.log(t, e.Room.ID)
		for i, event := range log {
			if event.Seq != int64(i+1) {
				t.Fatalf("event %d has the number %d", i+1, event.Seq)
			}
		}
		if n := int64(writers / 2 * each); int64(len(log)) != n || s.room(t, e.Room.ID).Seq != n {
			t.Errorf("%d events in a room at %d, want %d", len(log), s.room(t, e.Room.ID).Seq, n)
		}
	}
}

func testPages(t *testing.T, s suite) {
	_, e := s.enter(t)
	for range 10 {
		s.say(t, e, "x")
	}
	for _, c := range []struct {
		name     string
		page     hub.Range
		from, to int64 // 0, 0: nothing
		more     bool
	}{
		{"from the start", hub.Range{Limit: 3}, 1, 3, true},
		{"after", hub.Range{After: 3, Limit: 3}, 4, 6, true},
		{"after, exactly the rest", hub.Range{After: 7, Limit: 3}, 8, 10, false},
		{"after, the rest", hub.Range{After: 8, Limit: 3}, 9, 10, false},
		{"after the newest", hub.Range{After: 10, Limit: 3}, 0, 0, false},
		{"after one that does not exist", hub.Range{After: 99, Limit: 3}, 0, 0, false},
		{"newest", hub.Range{Newest: true, Limit: 4}, 7, 10, true},
		{"newest, all", hub.Range{Newest: true, Limit: 10}, 1, 10, false},
		{"before", hub.Range{Before: 7, Limit: 4}, 3, 6, true},
		{"before, exactly the rest", hub.Range{Before: 5, Limit: 4}, 1, 4, false},
		{"before, the rest", hub.Range{Before: 3, Limit: 4}, 1, 2, false},
		{"before the first", hub.Range{Before: 1, Limit: 4}, 0, 0, false},
		{"before one that does not exist", hub.Range{Before: 99, Limit: 4}, 7, 10, true},
		{"no limit given", hub.Range{}, 1, 10, false},
		{"a limit over MaxPage", hub.Range{Limit: 10 * hub.MaxPage}, 1, 10, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, more, err := s.store.Events(s.ctx, e.Room.ID, c.page)
			want(t, "Events", err, nil)
			var seqs, wanted []int64
			for _, event := range got {
				seqs = append(seqs, event.Seq)
			}
			for n := c.from; n > 0 && n <= c.to; n++ {
				wanted = append(wanted, n)
			}
			same(t, "the events", seqs, wanted)
			same(t, "more", more, c.more)
		})
	}
	got, more, err := s.store.Events(s.ctx, "no-such-room", hub.Range{Newest: true, Limit: 1})
	if len(got) != 0 || more || err != nil {
		t.Errorf("an unknown room's log: %v, %v, %v", got, more, err)
	}
}

// Who gave up waiting has written nothing, or all of it: never a part.
func testCanceled(t *testing.T, s suite) {
	_, e := s.enter(t)
	ctx, cancel := context.WithCancel(s.ctx)
	_, err := s.store.Append(ctx, hub.Append{
		Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "x", Jobs: []hub.Job{{Kind: "suite.canceled", Key: e.Room.ID}},
		Within: func(context.Context, *hub.Append) error { cancel(); return context.Canceled },
	})
	want(t, "a context that ended within", err, hub.ErrUnavailable)
	same(t, "the room", s.room(t, e.Room.ID), e.Room)
	s.say(t, e, "the room is free again")
}
