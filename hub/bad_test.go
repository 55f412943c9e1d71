package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// Each kind of hook of each kind of bad plugin: what it did is thrown away, the
// others are asked, it is counted and told with its stack, left alone for a
// while and then tried again.
func TestEveryHookIsContained(t *testing.T) {
	for _, kind := range hubtest.BadKinds {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var logged bytes.Buffer
				bad := hubtest.NewBad("bad", kind, 0)
				var host *hub.Host
				good := named{"good", func(h *hub.Host) {
					host = h
					h.Hooks.EventAppending.Bind(h, func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
						e.Event.Text += "!"
						return e, nil
					})
					h.Hooks.BellRung.Bind(h, func(_ context.Context, e hub.BellRung) (hub.BellRung, error) {
						e.Reachable = true
						return e, nil
					})
					h.Hooks.HandingBack.Bind(h, func(_ context.Context, e hub.HandingBack) (hub.HandingBack, error) {
						e.CanAnswer = true
						return e, nil
					})
				}}
				k := hubtest.Start(t, hubtest.Options{Limits: &hub.Limits{}, Log: slog.New(slog.NewTextHandler(&logged, nil))}, bad, good)
				t.Cleanup(bad.Release)
				pause := func() { k.Advance(t, 2*time.Minute) } // past the breaker's window and its pause
				for range 2 {
					c := k.Visitor(t)
					pause()
					ack := c.Say("hello")
					if e := c.WantEvent(hub.EventMessage); e.Get("text") != "hello!" || e.Get("seq") != ack.Get("seq") {
						t.Errorf("the message: %s", e.Data)
					}
					pause()
					room, err := host.Room(t.Context(), c.Room)
					must(t, err)
					if e, err := host.BellRung(t.Context(), hub.BellRung{Domain: k.Domain.ID, Room: room}); err != nil || !e.Reachable || e.Message != "" {
						t.Errorf("the bell: %+v, %v", e, err)
					}
					pause()
					if e, err := host.HandingBack(t.Context(), hub.HandingBack{Room: room}); err != nil || !e.CanAnswer {
						t.Errorf("the hand-back: %+v, %v", e, err)
					}
					c.HangUp()
					pause()
				}
				// The domain is the hub's, whatever a hook wrote over its own.
				k.Dial(t, hub.Handshake{Origin: "https://shop.example"}).Send("hello", "h", map[string]any{"domain": "shop"})
				pause()

				result := map[string]hub.HookResult{
					"panics": hub.HookFailed, "scribbles": hub.HookFailed, "hangs": hub.HookOverdue, "leaks": hub.HookOK,
				}
				for _, h := range k.Hub.Plugins()[0].Hooks {
					// What is spoilt is known where it can be told from what is sound; who floods
					// is refused the flood, and has failed by that, beside the hook.
					want, known := result[kind]
					if known && h.Calls[want] == 0 && (h.Before || kind != "scribbles") {
						t.Errorf("%s: %v, want some %s", h.Name, h.Calls, want)
					}
					if kind == "panics" && h.LastError.Text != "panic: a bad plugin panics" {
						t.Errorf("%s: last error %+v", h.Name, h.LastError)
					}
				}
				if kind == "panics" && !strings.Contains(logged.String(), "(*Bad).misbehave") {
					t.Errorf("no stack in the log:\n%.3000s", logged.String())
				}
				if info := k.Hub.Plugins()[1]; info.Open || info.Abandoned > 0 {
					t.Errorf("the good one: %+v", info)
				}
			})
		})
	}
}

// What a hook is given is its own copy, and what it returned it can reach no
// more: it may write over both at any time.
func TestHooksShareNoMemory(t *testing.T) {
	const data, payload = `{"turn":"1"}`, `{"a":1}`
	fill := func(e *hub.EventAppending) {
		copy(e.Event.Data, "!!!!!!!!!!!!")
		copy(e.Jobs[0].Payload, "!!!!!!!")
		e.Jobs[0].Kind = "!"
	}
	synctest.Test(t, func(t *testing.T) {
		var kept hub.EventAppending
		var stored []string
		k, _ := start(t, hubtest.Options{},
			appending("keeps", func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
				e.Event.Data = json.RawMessage(data)
				e.Jobs = append(e.Jobs, hub.Job{Kind: "k", Key: "1", Payload: json.RawMessage(payload)})
				kept = e
				return e, nil
			}),
			appending("scribbles", func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
				fill(&e)
				fill(&kept) // as "keeps" might, in a goroutine of its own
				return e, errors.New("ouch")
			}),
			named{"reads-along", func(h *hub.Host) {
				h.Hooks.EventStored.Bind(h, func(_ context.Context, e hub.EventStored) { copy(e.Event.Data, "!!!!!!!!!!!!") })
				h.Hooks.EventStored.Bind(h, func(_ context.Context, e hub.EventStored) {
					time.Sleep(time.Millisecond) // the other one goes first
					stored = append(stored, string(e.Event.Data))
				})
			}})
		c := k.Visitor(t)
		c.Say("hello")
		k.Advance(t, time.Second)
		if e := c.WantEvent(hub.EventMessage); e.Get("data.turn") != "1" {
			t.Errorf("the event: %s", e.Data)
		}
		if jobs := k.Memory.Jobs(); len(jobs) != 1 || jobs[0].Kind != "k" || string(jobs[0].Payload) != payload {
			t.Errorf("the jobs: %+v", jobs)
		}
		if !slices.Equal(stored, []string{data}) {
			t.Errorf("told of %s", stored)
		}
	})
}

// A plugin that has misbehaved is asked again after a while, one call to see,
// and from there on as before if that goes well.
func TestABreakerHealsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := hubtest.NewBad("bad", "hangs", time.Second)
		k := hubtest.Start(t, hubtest.Options{Limits: &hub.Limits{}}, bad)
		c := k.Visitor(t)
		for range 3 {
			c.Say("hello")
		}
		if !k.Hub.Plugins()[0].Open {
			t.Fatal("the breaker is closed")
		}
		bad.Release()
		k.Advance(t, 29*time.Second) // of 30, since the last one hung
		if !k.Hub.Plugins()[0].Open {
			t.Fatal("the breaker closed by time alone")
		}
		k.Advance(t, 2*time.Second)
		c.Say("is it back?")
		k.Advance(t, 0)
		if p := k.Hub.Plugins()[0]; p.Open || p.Abandoned > 0 {
			t.Errorf("it has healed: %+v", p)
		}
	})
}

// A call that hangs cannot be ended, only not be followed by another: however
// long this goes on, there are sixteen of a plugin's.
func TestHangingCallsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := hubtest.NewBad("bad", "hangs", time.Second)
		k := hubtest.Start(t, hubtest.Options{Limits: &hub.Limits{}}, bad)
		t.Cleanup(bad.Release)
		c := k.Visitor(t)
		for range 40 {
			c.Say("hello")
			k.Advance(t, 31*time.Second) // the breaker lets one through, to see
		}
		if p := k.Hub.Plugins()[0]; p.Abandoned != 16 || !p.Open {
			t.Errorf("after 40 messages: %d calls hang, open %v", p.Abandoned, p.Open)
		}
		bad.Release()
		k.Advance(t, time.Minute)
		c.Say("hello")
		k.Advance(t, 0)
		if p := k.Hub.Plugins()[0]; p.Abandoned != 0 || p.Open {
			t.Errorf("after they returned: %+v", p)
		}
	})
}

// A frame's handler that does not return keeps its sender waiting, and nobody
// else: not even another page of the same visitor.
func TestAHangingHandlerCostsItsSenderAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		k := hubtest.Start(t, hubtest.Options{Limits: &hub.Limits{}}, pluginFunc(func(h *hub.Host) {
			h.Handle("hang", hub.From(hub.Visitor), func(context.Context, hub.Frame) (any, error) { <-free; return "back", nil })
		}))
		stuck := k.Visitor(t)
		page := k.Again(t, stuck)
		stuck.Send("hang", "h", nil)
		synctest.Wait()
		began := time.Now()
		page.Say("still here")
		k.Visitor(t).Say("me too")
		if took := time.Since(began); took != 0 {
			t.Errorf("they waited %s", took)
		}
		close(free)
		if f := stuck.Want("ack", "event"); f.Type != "ack" || string(f.Data) != `"back"` {
			t.Errorf("then: %+v", f)
		}
		stuck.WantEvent(hub.EventMessage)
	})
}

const (
	crowd      = 20 // visitors
	eachSays   = 50 // messages
	hookBudget = time.Second
)

// With a bad plugin no message is lost, each member is shown them in order, and
// 99 of 100 are as quick as without it. Time is the bubble's, so that is exact.
func TestBadPluginsUnderLoad(t *testing.T) {
	quick := underLoad(t, nil)
	for _, kind := range hubtest.BadKinds {
		t.Run(kind, func(t *testing.T) {
			took := underLoad(t, func() *hubtest.Bad { return hubtest.NewBad("bad", kind, hookBudget) })
			t.Logf("p99 %s, worst %s; without it %s", p99(took), took[len(took)-1], p99(quick))
			if rise := p99(took) - p99(quick); rise >= hookBudget {
				t.Errorf("p99 of delivery rises by %s, from %s: that is the hook's timeout, %s", rise, p99(quick), hookBudget)
			}
			if worst := took[len(took)-1]; worst > hookBudget {
				t.Errorf("one took %s", worst)
			}
		})
	}
}

func p99(sorted []time.Duration) time.Duration { return sorted[len(sorted)*99/100] }

// underLoad has the visitors come one after another and talk, and returns what
// each delivery took, sorted. A visitor's other page reads along.
func underLoad(t *testing.T, bad func() *hubtest.Bad) (took []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var plugins []hub.Plugin
		release := func() {}
		if bad != nil {
			b := bad()
			plugins, release = append(plugins, b), b.Release
		}
		k := hubtest.Start(t, hubtest.Options{Limits: &hub.Limits{}}, plugins...)
		t.Cleanup(release)
		var mu sync.Mutex
		var all sync.WaitGroup
		for v := range crowd {
			talker := k.Visitor(t)
			reader := k.Again(t, talker)
			sent := make(chan time.Time, eachSays)
			all.Go(func() {
				for i := range eachSays {
					sent <- time.Now()
					talker.Send("message", fmt.Sprint("m-", i), text(fmt.Sprintf("%d/%d", v, i)))
					for {
						f, ok := talker.Next()
						if !ok || f.Type == "error" {
							t.Errorf("message %d of visitor %d: %s", i, v, f.Data)
							return
						}
						if f.Type == "ack" {
							break
						}
					}
					time.Sleep(time.Second)
				}
			})
			all.Go(func() {
				for i := range eachSays {
					for {
						f, ok := reader.Next()
						if !ok {
							t.Errorf("visitor %d is not shown message %d", v, i)
							return
						}
						if f.Type != "event" || f.Get("type") != "message" {
							continue
						}
						if f.Get("text") != fmt.Sprintf("%d/%d", v, i) {
							t.Errorf("visitor %d is shown %s, want message %d", v, f.Data, i)
						}
						break
					}
					mu.Lock()
					took = append(took, time.Since(<-sent))
					mu.Unlock()
				}
			})
			time.Sleep(500 * time.Millisecond)
		}
		all.Wait()
	})
	slices.Sort(took)
	if len(took) != crowd*eachSays {
		t.Fatalf("%d messages were delivered, of %d", len(took), crowd*eachSays)
	}
	return took
}
