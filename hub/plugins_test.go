package hub_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// An operator sees of each plugin what it takes part in, in which order, and how
// that has gone.
func TestWhatIsKnownOfPlugins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := start(t, hubtest.Options{Limits: &hub.Limits{}},
			named{"late", func(h *hub.Host) {
				h.Hooks.EventAppending.Bind(h, func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
					switch e.Event.Text {
					case "slow":
						time.Sleep(100 * time.Millisecond)
					case "fail":
						return e, errors.New("first line\nsecond line " + strings.Repeat("x", 1000))
					case "no":
						return e, hub.Veto("", "No.")
					}
					return e, nil
				}, hub.Order(5), hub.Timeout(time.Second), hub.FailClosed())
				h.Hooks.EventStored.Bind(h, func(context.Context, hub.EventStored) {})
			}},
			named{"early", func(h *hub.Host) {
				h.Hooks.EventAppending.Bind(h, func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) { return e, nil })
				h.Handle("wave", hub.From(hub.Visitor), func(context.Context, hub.Frame) (any, error) { return nil, nil })
				h.Handle("bow", hub.From(hub.Admin), func(context.Context, hub.Frame) (any, error) { return nil, nil })
				h.Push("curtsy", hub.To(hub.Visitor))
			}})
		c := k.Visitor(t)
		for range 98 {
			c.Say("hello")
		}
		c.Say("slow")
		c.Say("slow")
		for _, refused := range []string{"no", "fail"} {
			c.Send("message", refused, text(refused))
			c.Want("error")
		}
		synctest.Wait()
		failedAt := time.Now()
		late, early := k.Hub.Plugins()[0], k.Hub.Plugins()[1]
		if late.ID != "late" || early.ID != "early" || late.Runs || late.Open {
			t.Fatalf("plugins: %+v, %+v", late, early)
		}
		if !slices.Equal(early.Frames, []string{"bow", "wave"}) || !slices.Equal(early.Pushes, []string{"curtsy"}) || late.Frames != nil {
			t.Errorf("frames: %v, %v, %v", early.Frames, early.Pushes, late.Frames)
		}
		h := late.Hooks[0]
		if h.Name != "EventAppending" || h.Place != 2 || !h.Before || h.Timeout != time.Second || !h.FailClosed || early.Hooks[0].Place != 1 {
			t.Errorf("hook: %+v, the other at %d", h, early.Hooks[0].Place)
		}
		if h.Calls[hub.HookOK] != 100 || h.Calls[hub.HookVetoed] != 1 || h.Calls[hub.HookFailed] != 1 || early.Hooks[0].Calls[hub.HookOK] != 102 {
			t.Errorf("calls: %v, %v", h.Calls, early.Hooks[0].Calls)
		}
		// In a bubble a hook takes no time, but for what it sleeps.
		if h.Median > time.Millisecond || h.P99 < 100*time.Millisecond || h.P99 > 200*time.Millisecond {
			t.Errorf("median %s, p99 %s", h.Median, h.P99)
		}
		if h.LastError.Text != "first line" || !h.LastError.At.Equal(failedAt) {
			t.Errorf("last error: %+v, it is %s", h.LastError, failedAt)
		}
		if after := late.Hooks[1]; after.Name != "EventStored" || after.Before || after.Calls[hub.HookOK] != 100 || after.Dropped != 0 {
			t.Errorf("hook: %+v", after)
		}
	})
}

// What an After hook misses is counted for the operator, too.
func TestMissedEventsAreKnown(t *testing.T) {
	free := make(chan struct{})
	k := hubtest.Start(t, hubtest.Options{Limits: &hub.Limits{}}, pluginFunc(func(h *hub.Host) {
		h.Hooks.EventStored.Bind(h, func(context.Context, hub.EventStored) { <-free }, hub.Timeout(time.Hour))
	}))
	t.Cleanup(func() { close(free) })
	c := k.Visitor(t)
	for range 1024 + 3 { // one may be out of the queue, in the hook
		c.Say("hello")
	}
	c.Drain() // the last one has been told
	if n := k.Hub.Plugins()[0].Hooks[0].Dropped; n < 2 || n > 3 {
		t.Errorf("%d events missed, want 2 or 3", n)
	}
}
