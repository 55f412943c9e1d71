package hubtest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// echo says everything that visitors say once more.
type echo struct{}

func (echo) ID() string { return "echo" }

func (echo) Init(_ context.Context, h *hub.Host) error {
	h.Hooks.EventStored.Bind(h, func(ctx context.Context, e hub.EventStored) {
		if e.Event.Type != hub.EventMessage || e.Event.Author.Kind != hub.Visitor {
			return
		}
		_, err := h.Append(ctx, hub.Append{
			Room: e.Room.ID, Type: hub.EventMessage, Author: hub.Author{Kind: hub.AI, ID: "echo"}, Text: e.Event.Text + "…", Epoch: e.Room.Epoch,
		})
		if err != nil {
			h.Log.Warn("no echo", "room", e.Room.ID, "err", err)
		}
	})
	return nil
}

// In a test, t is the test's, and Outside is not needed.
func Example() {
	hubtest.Outside(func(t testing.TB) {
		k := hubtest.Start(t, hubtest.Options{}, echo{})
		visitor := k.Visitor(t)
		visitor.Say("hello")
		visitor.WantEvent(hub.EventMessage) // its own
		fmt.Println(visitor.WantEvent(hub.EventMessage).Get("text"))
	})
	// Output: hello…
}
