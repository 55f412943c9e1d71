package hub_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// hands counts the visitors who raise one, and shows the team the count.
type hands struct {
	raised atomic.Int64
	show   func(room string, data any)
}

// tally is what a visitor is answered with, and what the team is shown.
type tally struct {
	Raised int64 `json:"raised"`
}

func (*hands) ID() string { return "hands" }

func (p *hands) Init(_ context.Context, h *hub.Host) error {
	h.Handle("hands-raise", hub.From(hub.Visitor), p.raise)
	p.show = h.Push("hands-raised", hub.To(hub.Admin))
	return nil
}

func (p *hands) raise(_ context.Context, f hub.Frame) (any, error) {
	var hand struct {
		Right bool `json:"right"`
	}
	if err := f.Decode(&hand); err != nil {
		return nil, err // the client is told which field is wrong
	}
	if !hand.Right {
		return nil, hub.Errorf(hub.CodeBadField, "The other one, please.")
	}
	now := tally{p.raised.Add(1)}
	p.show(f.Room.ID, now)
	return now, nil
}

// A plugin takes a frame of its own from clients, whose acknowledgement holds what
// the handler returns, and sends one of its own to the members of a room.
func Example_frame() {
	hubtest.Outside(func(t testing.TB) {
		k := hubtest.Start(t, hubtest.Options{}, &hands{})
		visitor := k.Visitor(t)
		ana := k.Admin(t, k.SignIn(t, "Ana"), visitor.Room)

		visitor.Send("hands-raise", "f-1", map[string]bool{"right": false})
		fmt.Println("error:", visitor.WantError(hub.CodeBadField).Get("message"))

		visitor.Send("hands-raise", "f-2", map[string]bool{"right": true})
		fmt.Println("acknowledged:", visitor.Want("ack").Get("raised"))
		fmt.Println("Ana sees:", ana.Want("hands-raised").Get("raised"))
	})
	// Output:
	// error: The other one, please.
	// acknowledged: 1
	// Ana sees: 1
}
