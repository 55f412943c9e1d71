package hub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// named is a plugin that only binds, with a name of its own.
type named struct {
	id   string
	init func(*hub.Host)
}

func (n named) ID() string { return n.id }

func (n named) Init(_ context.Context, h *hub.Host) error {
	n.init(h)
	return nil
}

// appending makes a plugin of one EventAppending hook.
func appending(id string, fn func(context.Context, hub.EventAppending) (hub.EventAppending, error), o ...hub.BindOption) hub.Plugin {
	return named{id, func(h *hub.Host) { h.Hooks.EventAppending.Bind(h, fn, o...) }}
}

func TestHooksChangeAndRefuseMessages(t *testing.T) {
	k, _ := start(t, hubtest.Options{},
		appending("second", func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
			e.Event.Text += "!"
			return e, nil
		}, hub.Order(2)),
		appending("first", func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
			if e.Event.Text == "shout" {
				return e, hub.Veto("", "No need to shout.")
			}
			e.Event.Text += "?"
			e.Jobs = append(e.Jobs, hub.Job{Kind: "k", Key: e.ClientID})
			return e, nil
		}, hub.Order(1)))
	c := k.Visitor(t, "shop")
	c.Send("message", "c-1", text("hm"))
	if e := c.WantEvent(hub.EventMessage); e.Get("text") != "hm?!" {
		t.Errorf("event: %s", e.Data)
	}
	if jobs := k.Memory.Jobs(); len(jobs) != 1 || jobs[0].Key != "c-1" {
		t.Errorf("jobs: %v", jobs)
	}
	c.Send("message", "c-2", text("shout"))
	if e := c.WantError(hub.CodeVetoed); e.Get("message") != "No need to shout." || e.Get("retryable") != false {
		t.Errorf("error: %s", e.Data)
	}
}

func TestNothingRunsAfterAVeto(t *testing.T) {
	var after atomic.Int64
	k, _ := start(t, hubtest.Options{Limits: &hub.Limits{}},
		appending("veto", func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
			return e, hub.Veto("", "No.")
		}),
		appending("later", func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
			after.Add(1)
			return e, nil
		}))
	c := k.Visitor(t, "shop")
	for i := range 50 {
		c.Send("message", fmt.Sprint(i), text("x"))
		c.WantError(hub.CodeVetoed)
	}
	if n := after.Load(); n != 0 {
		t.Errorf("a later hook acted on %d messages that were refused", n)
	}
}

// A bad plugin costs a conversation a bounded time, and nothing else.
func TestBadHooksAreContained(t *testing.T) {
	for name, bad := range map[string]func(context.Context, hub.EventAppending) (hub.EventAppending, error){
		"fails": func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
			return e, errors.New("ouch")
		},
		"panics": func(context.Context, hub.EventAppending) (hub.EventAppending, error) { panic("ouch") },
		"hangs": func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
			time.Sleep(time.Hour) // the bubble's time
			e.Event.Text = "too late"
			return e, nil
		},
		"changes what it got": func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
			copy(e.Event.Data, `{"evil":1}`)
			return e, errors.New("ouch")
		},
	} {
		for closed, opts := range map[bool][]hub.BindOption{false: nil, true: {hub.FailClosed()}} {
			t.Run(fmt.Sprintf("77 %s, closed %v", name, closed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var calls atomic.Int64
					counted := func(ctx context.Context, e hub.EventAppending) (hub.EventAppending, error) {
						calls.Add(1)
						return bad(ctx, e)
					}
					k, _ := start(t, hubtest.Options{Limits: &hub.Limits{}}, appending("bad", counted, opts...),
						appending("good", func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
							e.Event.Text += "!"
							return e, nil
						}))
					c := k.Visitor(t, "shop")
					send := func(id string) (took time.Duration) {
						began := time.Now()
						c.Send("message", id, text(id))
						if closed {
							c.WantError(hub.CodeUnavailable)
						} else if e := c.WantEvent(hub.EventMessage); e.Get("text") != id+"!" {
							t.Errorf("event: %s", e.Data)
						}
						return time.Since(began)
					}
					for i := range 3 {
						if took := send(fmt.Sprint("a", i)); took > hub.HookTimeout {
							t.Errorf("message %d took %s", i, took)
						}
					}
					// Three failures: it is left alone, for a while.
					if took := send("b"); took != 0 || calls.Load() != 3 {
						t.Errorf("the breaker is closed: took %s, %d calls", took, calls.Load())
					}
					time.Sleep(31 * time.Second)
					send("c")
					send("d")
					if n := calls.Load(); n != 4 {
						t.Errorf("%d calls, want one more to see whether it has healed", n)
					}
					time.Sleep(2 * time.Hour) // those that hang return
				})
			})
		}
	}
}

// A hook that gives up just when its time is over does not make the next one run
// twice, nor count against it.
func TestAHookThatEndsAtItsDeadline(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int64
			k, _ := start(t, hubtest.Options{Limits: &hub.Limits{}},
				appending("slow", func(ctx context.Context, e hub.EventAppending) (hub.EventAppending, error) {
					<-ctx.Done()
					return e, ctx.Err()
				}),
				appending("good", func(ctx context.Context, e hub.EventAppending) (hub.EventAppending, error) {
					calls.Add(1)
					return e, ctx.Err()
				}))
			c := k.Visitor(t, "shop")
			for i := range 3 {
				c.Send("message", fmt.Sprint(i), text("x"))
				c.Want("ack")
			}
			if n := calls.Load(); n != 3 {
				t.Errorf("the next hook ran %d times for 3 messages", n)
			}
		})
	}
}

func TestAHealedPluginIsCalledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		broken.Store(true)
		k, _ := start(t, hubtest.Options{Limits: &hub.Limits{}}, appending("plugin", func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
			if broken.Load() {
				return e, errors.New("ouch")
			}
			e.Event.Text += "!"
			return e, nil
		}))
		c := k.Visitor(t, "shop")
		for i := range 4 {
			c.Send("message", fmt.Sprint(i), text("x"))
			c.WantEvent(hub.EventMessage)
		}
		broken.Store(false)
		time.Sleep(31 * time.Second)
		for i := range 3 {
			c.Send("message", fmt.Sprint("b", i), text("x"))
			if e := c.WantEvent(hub.EventMessage); e.Get("text") != "x!" {
				t.Errorf("message %d: %s", i, e.Data)
			}
		}
	})
}

func TestAPanicInAFrameCostsItsSenderAlone(t *testing.T) {
	var logged bytes.Buffer
	k, _ := start(t, hubtest.Options{Log: slog.New(slog.NewTextHandler(&logged, nil))}, pluginFunc(func(h *hub.Host) {
		h.Handle("boom", hub.From(hub.Visitor), func(context.Context, hub.Frame) (any, error) { panic("boom") })
	}))
	c, other := k.Visitor(t, "shop"), k.Visitor(t, "shop")
	c.Send("boom", "b", nil)
	c.WantClosed(hub.CloseInternal)
	other.Say("still here")
	for _, want := range []string{"plugin=test", "panic=boom", "hook_test.go"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log lacks %q: %s", want, logged.String())
		}
	}
}

func TestAHookCannotChangeTheHubsDomain(t *testing.T) {
	k, _ := start(t, hubtest.Options{}, named{"evil", func(h *hub.Host) {
		h.Hooks.SessionOpening.Bind(h, func(_ context.Context, e hub.SessionOpening) (hub.SessionOpening, error) {
			e.Domain.Origins[0] = "evil.example"
			return e, nil
		})
	}})
	k.Visitor(t, "shop")
	c := k.Dial(t, hub.Handshake{Origin: "https://evil.example"})
	c.Send("hello", "h", map[string]any{"domain": "shop"})
	c.WantError(hub.CodeForbidden)
}

func TestPluginsThatClashRefuseToStart(t *testing.T) {
	frame := func(h *hub.Host) {
		h.Handle("wave", hub.From(hub.Visitor), func(context.Context, hub.Frame) (any, error) { return nil, nil })
	}
	for name, plugins := range map[string][]hub.Plugin{
		"one name":       {named{"a", func(*hub.Host) {}}, named{"a", func(*hub.Host) {}}},
		"one frame":      {named{"a", frame}, named{"b", frame}},
		"a kernel frame": {named{"a", func(h *hub.Host) { h.Handle("message", nil, nil) }}},
	} {
		o := hub.Options{
			Store: hubtest.NewMemory(), BaseURL: mustURL(t, hubtest.Origin), Frame: func(b []byte) []byte { return b },
			Render: func(s string) string { return s }, Asset: func(s string) string { return s },
		}
		h, err := hub.New(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Init(plugins...); err == nil {
			t.Errorf("%s: started", name)
		}
	}
}

// Somebody who comes in while a takeover is between its commit and its signal
// sees the room as it is, and nothing older after that.
func TestAMemberWhoJoinsDuringATakeover(t *testing.T) {
	b := &manual{}
	var host *hub.Host
	k, domain := start(t, hubtest.Options{Backplane: b}, pluginFunc(func(h *hub.Host) { host = h }))
	first := k.Visitor(t, "shop")
	room, err := k.Memory.Room(context.Background(), first.Room)
	if err != nil {
		t.Fatal(err)
	}
	// Another node's takeover, whose signal is under way.
	_, err = k.Memory.Append(context.Background(), hub.Append{
		Room: room.ID, Type: hub.EventTakeover, Author: hub.Author{Kind: hub.Admin, ID: "ana", Name: "Ana"}, Epoch: room.Epoch,
	})
	if err != nil {
		t.Fatal(err)
	}
	second := k.Dial(t, hub.Handshake{})
	second.Send("hello", "h", map[string]any{"domain": domain.Key, "token": first.Token, "room": first.Room})
	if w := second.Want("welcome"); w.Get("room.mode") != "live" || w.Get("room.epoch") != 2.0 || w.Get("room.seq") != 1.0 {
		t.Errorf("welcome: %s", w.Data)
	}
	host.Stream(room.ID, "t1", 1, "As I was saying")
	for _, f := range second.Drain() {
		if f.Type == "stream" {
			t.Errorf("a stream frame after the takeover: %s", f.Data)
		}
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// manual is a backplane that delivers no events.
type manual struct{ recv func(hub.Signal) }

func (b *manual) Publish(s hub.Signal) {
	if s.Event == nil {
		b.recv(s)
	}
}
func (b *manual) Subscribe(fn func(hub.Signal)) { b.recv = fn }
func (b *manual) Close()                        {}

func TestSilenceBeforeHelloEndsAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := start(t, hubtest.Options{})
		began := time.Now()
		c := k.Dial(t, hub.Handshake{})
		<-c.Done()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("closed after %s", took)
		}
		c.WantClosed(hub.CloseTooSlow) // which does not say that its token is unknown
	})
}

// Each hook has its own time, whatever those before it in the chain may take.
func TestEachHookHasItsOwnTime(t *testing.T) {
	for name, earlier := range map[string]time.Duration{"after a quick one": 0, "after one that takes a while": 700 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, _ := start(t, hubtest.Options{},
					appending("patient", func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
						time.Sleep(earlier) // the bubble's time
						return e, nil
					}, hub.Timeout(5*time.Second)),
					appending("hangs", func(ctx context.Context, e hub.EventAppending) (hub.EventAppending, error) {
						<-ctx.Done()
						return e, ctx.Err()
					}, hub.Timeout(50*time.Millisecond)),
					appending("hangs-too", func(ctx context.Context, e hub.EventAppending) (hub.EventAppending, error) {
						<-ctx.Done()
						return e, ctx.Err()
					}, hub.Timeout(80*time.Millisecond)))
				c := k.Visitor(t, "shop")
				began := time.Now()
				c.Send("message", "c-1", text("x"))
				c.Want("ack")
				if took, want := time.Since(began), earlier+130*time.Millisecond; took != want {
					t.Errorf("the message took %s, want %s", took, want)
				}
			})
		})
	}
}
