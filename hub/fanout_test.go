package hub_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// In a large room, too, every member is shown everything once and in order,
// while others come and go and the room gets small again.
func TestALargeRoomIsShownEverythingInOrder(t *testing.T) {
	k, _ := start(t, hubtest.Options{Limits: &hub.Limits{}})
	const members, talkers, each = 40, 8, 40
	all := []*hubtest.Client{k.Visitor(t, "shop")}
	for len(all) < members {
		all = append(all, k.Again(t, all[0]))
	}
	var talk sync.WaitGroup
	for i, c := range all[:talkers] {
		talk.Go(func() {
			for n := range each {
				id := fmt.Sprint(i, "-", n)
				c.Send("message", id, text(id))
				c.Want("ack")
			}
		})
	}
	talk.Go(func() {
		for _, c := range all[talkers+2 : members] {
			c.HangUp()
		}
	})
	late, seen := k.Dial(t, hub.Handshake{}), 0.0
	talk.Go(func() {
		late.Send("hello", "h", map[string]any{"domain": "shop", "token": all[0].Token, "room": all[0].Room})
		if events := late.Want("welcome").Get("events").([]any); len(events) > 0 {
			seen = events[len(events)-1].(map[string]any)["seq"].(float64)
		}
	})
	talk.Wait()
	for c, from := range map[*hubtest.Client]float64{all[talkers]: 0, all[talkers+1]: 0, late: seen} {
		for seq := from + 1; seq <= talkers*each; seq++ {
			if e := c.WantEvent(hub.EventMessage); e.Get("seq") != seq {
				t.Fatalf("a member who had seen %v was shown %v, want %v", from, e.Get("seq"), seq)
			}
		}
	}
}

// late is a backplane that keeps the signals of events back until it lets go.
type late struct {
	mu      sync.Mutex
	deliver func(hub.Signal)
	keeps   bool
	kept    []hub.Signal
}

func (l *late) Publish(s hub.Signal) {
	l.mu.Lock()
	if l.keeps && s.Event != nil {
		l.kept = append(l.kept, s)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.deliver(s)
}

func (l *late) Subscribe(deliver func(hub.Signal)) { l.deliver = deliver }
func (*late) Close()                               {}

// keep begins to keep signals, and release hands out those that were kept.
func (l *late) keep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keeps = true
}

func (l *late) release() []hub.Signal {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keeps = false
	return l.kept
}

// A member whose welcome was ahead of the room's signals is not shown its events
// again, in a large room either.
func TestALargeRoomRepeatsNothingOfAWelcome(t *testing.T) {
	wire := &late{}
	k, _ := start(t, hubtest.Options{Backplane: wire, Limits: &hub.Limits{}})
	talker := k.Visitor(t, "shop")
	for range 20 {
		k.Again(t, talker)
	}
	wire.keep()
	talker.Send("message", "1", text("in the welcome"))
	talker.Want("ack")
	ahead := k.Again(t, talker)
	for _, s := range wire.release() {
		wire.deliver(s)
	}
	talker.Send("message", "2", text("after it"))
	if e := ahead.WantEvent(hub.EventMessage); e.Get("seq") != 2.0 {
		t.Errorf("shown %s after its welcome", e.Data)
	}
}

// However many signals overtake the one that a room waits for, the room goes on
// once it comes.
func TestARoomGoesOnBehindALateSignal(t *testing.T) {
	wire := &late{}
	k, _ := start(t, hubtest.Options{Backplane: wire, Limits: &hub.Limits{}})
	talker := k.Visitor(t, "shop")
	other := k.Again(t, talker)
	const many = 1100 // more than a room keeps
	wire.keep()
	for i := range many {
		talker.Send("message", fmt.Sprint(i), text("x"))
		talker.Want("ack")
	}
	kept := wire.release()
	for _, s := range append(kept[1:], kept[0]) {
		wire.deliver(s)
	}
	for seq := 1.0; seq <= many; seq++ {
		if e := other.WantEvent(hub.EventMessage); e.Get("seq") != seq {
			t.Fatalf("shown %v, want %v", e.Get("seq"), seq)
		}
	}
}

// forgetful is a store whose commits succeed, but that does not learn of some.
type forgetful struct {
	*hubtest.Memory
	forgets bool
}

func (f *forgetful) Append(ctx context.Context, a hub.Append) (hub.Appended, error) {
	out, err := f.Memory.Append(ctx, a)
	if f.forgets {
		f.forgets = false
		return hub.Appended{}, errors.New("the connection was lost after COMMIT")
	}
	return out, err
}

// What was stored without anybody's knowing is shown once it is known.
func TestARetryShowsWhatWasStored(t *testing.T) {
	s := &forgetful{Memory: hubtest.NewMemory()}
	k := hubtest.Start(t, hubtest.Options{Store: s})
	s.AddDomain(hub.Domain{Key: "shop", Name: "Shop"})
	sender := k.Visitor(t, "shop")
	other := k.Again(t, sender)
	s.forgets = true
	sender.Send("message", "m", text("hello"))
	sender.WantError(hub.CodeUnavailable)
	sender.Send("message", "m", text("hello"))
	sender.Want("ack")
	for _, c := range []*hubtest.Client{sender, other} {
		if e := c.WantEvent(hub.EventMessage); e.Get("seq") != 1.0 {
			t.Errorf("shown %s", e.Data)
		}
	}
}
