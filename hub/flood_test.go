package hub_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// notice appends what a plugin has to say to a room.
func notice(h *hub.Host, room string) error {
	_, err := h.Append(context.Background(), hub.Append{
		Room: room, Type: hub.EventNotice, Author: hub.SystemAuthor, Data: hub.MarshalData(hub.Progress{Escalation: "e", State: hub.StateQueued}),
	})
	return err
}

// Two plugins that answer each other's events would go on for ever. They are
// stopped within a second, left alone for a while, and then heard again; the
// room, other rooms and other plugins go on.
func TestEventsWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		answers := func(id string, host **hub.Host) hub.Plugin {
			return named{id, func(h *hub.Host) {
				*host = h
				h.Hooks.EventStored.Bind(h, func(_ context.Context, e hub.EventStored) { _ = notice(h, e.Event.Room) })
			}}
		}
		var ping, pong, calm *hub.Host
		k := hubtest.Start(t, hubtest.Options{Limits: &hub.Limits{}, Log: slog.New(slog.NewTextHandler(&logged, nil))},
			answers("ping", &ping), answers("pong", &pong), named{"calm", func(h *hub.Host) { calm = h }})
		c, other := k.Visitor(t), k.Visitor(t)
		c.Say("ball")
		synctest.Wait()
		room, err := k.Memory.Room(t.Context(), c.Room)
		must(t, err)
		if room.Seq < 50 || room.Seq > 1+2*50 {
			t.Errorf("%d events of a message, want at most 50 of each plugin", room.Seq)
		}
		if err := notice(ping, c.Room); !errors.Is(err, &hub.Error{Code: hub.CodeRateLimited}) {
			t.Errorf("one more: %v", err)
		}
		for _, p := range k.Hub.Plugins() {
			if loud := p.ID == "ping" || p.ID == "pong"; p.Open != loud {
				t.Errorf("%s: breaker open is %v", p.ID, p.Open)
			}
		}
		if n := strings.Count(logged.String(), "floods a room"); n == 0 || n > 20 {
			t.Errorf("it was logged %d times", n)
		}
		must(t, notice(calm, c.Room))
		must(t, notice(ping, other.Room))
		c.Say("still here")
		other.Say("me too")

		k.Advance(t, time.Second)
		must(t, notice(ping, c.Room)) // it may speak again, and hear once its breaker closes
		k.Advance(t, 31*time.Second)
		heard := k.Hub.Plugins()[0].Hooks[0].Calls[hub.HookOK]
		other.Say("again")
		k.Advance(t, time.Second)
		if k.Hub.Plugins()[0].Hooks[0].Calls[hub.HookOK] == heard {
			t.Error("it hears nothing any more")
		}
	})
}

// Ephemeral frames without end are cut, a room at a time, and what was too much
// for one second is not for the next.
func TestFramesWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var host *hub.Host
		var push func(string, any)
		k := hubtest.Start(t, hubtest.Options{Limits: &hub.Limits{}}, pluginFunc(func(h *hub.Host) {
			host = h
			push = h.Push("wave", hub.To(hub.Visitor))
		}))
		c, other := k.Visitor(t), k.Visitor(t)
		waves := func(c *hubtest.Client) (n int) {
			for _, f := range c.Drain() {
				if f.Type == "wave" || f.Type == "stream" || f.Type == "typing" {
					n++
				}
			}
			return n
		}
		flood := func() {
			for range 1000 {
				push(c.Room, "x")
				host.Stream(c.Room, "t", 1, "x")
				host.Typing(c.Room, hub.Author{Kind: hub.AI, ID: "ai"}, true)
			}
		}
		flood()
		push(other.Room, "x")
		if n := waves(c); n == 0 || n > 200 {
			t.Errorf("%d frames in a second", n)
		}
		if n := waves(other); n != 1 {
			t.Errorf("%d frames in another room, want 1", n)
		}
		k.Advance(t, time.Second)
		flood()
		if n := waves(c); n == 0 || n > 200 {
			t.Errorf("%d frames in the next second", n)
		}
	})
}
