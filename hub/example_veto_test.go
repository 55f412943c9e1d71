package hub_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// polite refuses what visitors shout, and cuts the exclamation marks of the rest.
type polite struct{}

func (polite) ID() string { return "polite" }

func (polite) Init(_ context.Context, h *hub.Host) error {
	h.Hooks.EventAppending.Bind(h, func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
		if e.Event.Type != hub.EventMessage || e.Event.Author.Kind != hub.Visitor {
			return e, nil
		}
		if e.Event.Text == strings.ToUpper(e.Event.Text) {
			return e, hub.Veto("", "No need to shout.")
		}
		e.Event.Text = strings.TrimRight(e.Event.Text, "!")
		return e, nil
	})
	return nil
}

// A Before hook rewrites a message, or refuses it: the text of the veto is shown
// to its author.
func Example_hook() {
	hubtest.Outside(func(t testing.TB) {
		k := hubtest.Start(t, hubtest.Options{}, polite{})
		visitor := k.Visitor(t)

		visitor.Say("Hello!!!")
		fmt.Println("stored:", visitor.WantEvent(hub.EventMessage).Get("text"))

		visitor.Send("message", "m-2", map[string]string{"text": "WHERE IS MY ORDER"})
		refused := visitor.WantError(hub.CodeVetoed)
		fmt.Println("refused:", refused.Get("message"))
	})
	// Output:
	// stored: Hello
	// refused: No need to shout.
}
