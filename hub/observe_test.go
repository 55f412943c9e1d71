package hub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
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
		open := func() hub.PluginInfo { return k.Hub.Plugins()[0] }
		say("1", "good")
		say("2", "veto")
		say("3", "fail")
		say("4", "panic")
		if p := open(); p.ID != "moody" || p.Open || p.Abandoned != 0 {
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

// What a conversation does is counted: frames by type, appends by outcome, and
// how each connection ended.
func TestAConversationIsObserved(t *testing.T) {
	seen := hubtest.NewObserver()
	k, domain := start(t, hubtest.Options{Limits: &hub.Limits{}, Observer: seen},
		appending("polite", func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
			if e.Event.Text == "shout" {
				return e, hub.Veto("", "No need to shout.")
			}
			return e, nil
		}))
	visitor := k.Visitor(t, "shop")
	admin := k.Admin(t, k.Memory.SignIn("Ana", domain.ID), visitor.Room)
	for range 2 { // the second time is a frame sent again
		visitor.Send("message", "c-1", text("hello"))
		visitor.Want("ack")
	}
	admin.WantEvent(hub.EventMessage)
	visitor.Send("message", "c-2", text("shout"))
	visitor.WantError(hub.CodeVetoed)
	visitor.Send("dance", "c-3", nil)
	visitor.WantError(hub.CodeUnknownType)
	visitor.SendRaw("{")
	visitor.WantError(hub.CodeBadJSON)
	visitor.Send("hello", "again", nil)
	visitor.WantClosed(hub.ClosePolicy)
	admin.HangUp()
	for line, n := range map[string]int{
		"framein hello": 3, "framein message": 3, "framein dance": 1, "framein ": 1,
		"framesout welcome": 2, "framesout ack": 2, "framesout error": 3, "framesout event": 2,
		"appended stored": 1, "appended again": 1, "appended vetoed": 1,
		"closed 1008": 1, "closed 0": 1,
	} {
		seen.Want(t, line, n)
	}
}

// losing is a backplane that loses a room's first event.
type losing struct{ recv func(hub.Signal) }

func (b *losing) Publish(s hub.Signal) {
	if s.Event == nil || s.Event.Event.Seq != 1 {
		b.recv(s)
	}
}
func (b *losing) Subscribe(fn func(hub.Signal)) { b.recv = fn }
func (b *losing) Close()                        {}

func TestAFilledGapIsObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := hubtest.NewObserver()
		k, _ := start(t, hubtest.Options{Backplane: &losing{}, Observer: seen})
		c := k.Visitor(t, "shop")
		c.Send("message", "c-1", text("lost"))
		c.Want("ack")
		c.Send("message", "c-2", text("not lost"))
		for _, want := range []float64{1, 2} {
			if e := c.WantEvent(hub.EventMessage); e.Get("seq") != want {
				t.Errorf("event %v, want %v", e.Get("seq"), want)
			}
		}
		if n := seen.Count("gapfilled"); n != 1 {
			t.Errorf("%d gaps filled", n)
		}
	})
}

// The log names the connection, its room and its member, and how it ended.
func TestAConnectionIsLogged(t *testing.T) {
	var b bytes.Buffer // written to by one session
	log := slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug})).With("connection", "c-7")
	k, _ := start(t, hubtest.Options{})
	c := k.Dial(t, hub.Handshake{Log: log})
	c.Send("hello", "h", map[string]any{"domain": "shop"})
	room, _ := c.Want("welcome").Get("room.id").(string)
	c.Send("hello", "again", nil)
	c.WantClosed(hub.ClosePolicy)
	if err := k.Hub.Drain(context.Background()); err != nil { // ends when every session has
		t.Error(err)
	}
	for _, want := range []string{`msg="connection closed"`, "connection=c-7", "room=" + room, "kind=visitor", "code=1008", "lasted="} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in %s", want, b.String())
		}
	}
}
