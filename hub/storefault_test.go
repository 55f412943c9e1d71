package hub_test

import (
	"context"
	"errors"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// A database that goes away is nobody's fault but its own: clients are told to
// try again, and once it is back, so is everything.
func TestTheStoreGoesAway(t *testing.T) {
	var host *hub.Host
	k, _ := start(t, hubtest.Options{Limits: &hub.Limits{}}, pluginFunc(func(h *hub.Host) {
		host = h
		h.Hooks.EventAppending.Bind(h, func(ctx context.Context, e hub.EventAppending) (hub.EventAppending, error) {
			_, err := host.Room(ctx, e.Room.ID)
			return e, err
		}, hub.FailClosed())
	}))
	c := k.Visitor(t, "shop")
	k.Memory.Fail(errors.New("connection refused"))
	for range 10 {
		c.Send("message", "m", text("hello"))
		if e := c.WantError(hub.CodeUnavailable); e.Get("retryable") != true {
			t.Errorf("%s", e.Data)
		}
	}
	c.Send("history", "h", map[string]any{"after": 0})
	c.WantError(hub.CodeUnavailable)
	stranger := k.Dial(t, hub.Handshake{})
	stranger.Send("hello", "1", map[string]any{"domain": "shop"})
	stranger.WantError(hub.CodeUnavailable)

	k.Memory.Fail(nil)
	c.Send("message", "m", text("hello"))
	c.Want("ack")
	stranger.Send("hello", "2", map[string]any{"domain": "shop"})
	stranger.Want("welcome")
}
