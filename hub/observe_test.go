package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// Each call of a hook is observed once, by what it came to, whatever it does
// when its time is over; and a breaker that opens shows.
func TestHooksAreObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := hubtest.NewObserver()
		k, _ := start(t, hubtest.Options{Limits: &hub.Limits{}, Observer: seen},
			appending("moody", func(ctx context.Context, e hub.EventAppending) (hub.EventAppending, error) {
				switch e.Event.Text {
				case "veto":
					return e, hub.Veto("", "No.")
				case "fail":
					return e, errors.New("broken")
				case "panic":
					panic("broken")
				case "late":
					time.Sleep(2 * hub.HookTimeout)
				}
				return e, nil
			}))
		c := k.Visitor(t, "shop")
		say := func(id, what string) hubtest.Frame {
			c.Send("message", id, text(what))
			return c.Want("ack", "error")
		}
		open := func() hub.PluginStats { return k.Hub.PluginStats()[0] }
		say("1", "good")
		say("2", "veto")
		say("3", "fail")
		say("4", "panic")
		if p := open(); p.Plugin != "moody" || p.Open || p.Abandoned != 0 {
			t.Errorf("after two failures: %+v", p)
		}
		say("5", "late")
		if p := open(); !p.Open || p.Abandoned != 1 {
			t.Errorf("after three, one of them still running: %+v", p)
		}
		say("6", "skipped")
		time.Sleep(2 * hub.HookTimeout) // the late one returns
		synctest.Wait()
		if p := open(); !p.Open || p.Abandoned != 0 {
			t.Errorf("after it returned: %+v", p)
		}
		for result, n := range map[hub.HookResult]int{
			hub.HookOK: 1, hub.HookVetoed: 1, hub.HookFailed: 2, hub.HookOverdue: 1, hub.HookSkipped: 1, hub.HookCancelled: 0,
		} {
			if got := seen.Count("hook moody EventAppending " + result.String()); got != n {
				t.Errorf("%s: %d, want %d", result, got, n)
			}
		}
	})
}

// An After hook that does not keep up misses events, and that is counted.
func TestMissedEventsAreObserved(t *testing.T) {
	seen := hubtest.NewObserver()
	stuck, free := make(chan struct{}, 1), make(chan struct{})
	defer close(free)
	k, _ := start(t, hubtest.Options{Limits: &hub.Limits{}, Observer: seen}, pluginFunc(func(h *hub.Host) {
		h.Hooks.EventStored.Bind(h, func(context.Context, hub.EventStored) {
			select {
			case stuck <- struct{}{}:
			default:
			}
			<-free
		}, hub.Timeout(time.Hour))
	}))
	c := k.Visitor(t, "shop")
	c.Send("message", "first", text("x"))
	<-stuck // it has one, its queue takes 1024
	for i := range 1024 + 3 {
		c.Send("message", fmt.Sprint("m-", i), text("x"))
		c.Want("ack")
	}
	seen.Want(t, "dropped test EventStored", 3)
}

// An observer knows ahead whatever it will hear of.
func TestAnObserverKnowsTheWords(t *testing.T) {
	seen := hubtest.NewObserver()
	start(t, hubtest.Options{Observer: seen}, pluginFunc(func(h *hub.Host) {
		h.Handle("wave", hub.From(hub.Visitor), func(context.Context, hub.Frame) (any, error) { return nil, nil })
	}))
	w := seen.Words()
	slices.Sort(w.FramesIn)
	if want := []string{"hello", "history", "message", "presence", "typing", "wave"}; !slices.Equal(w.FramesIn, want) {
		t.Errorf("frames in: %v, want %v", w.FramesIn, want)
	}
	for _, outcome := range []string{hub.OutcomeStored, hub.OutcomeAgain, string(hub.CodeVetoed), string(hub.CodeInternal)} {
		if !slices.Contains(w.Outcomes, outcome) {
			t.Errorf("outcomes lack %s: %v", outcome, w.Outcomes)
		}
	}
	if !slices.Contains(w.Closes, hub.CloseTooSlow) || !slices.Contains(w.FramesOut, "event") {
		t.Errorf("closes %v, frames out %v", w.Closes, w.FramesOut)
	}
}
