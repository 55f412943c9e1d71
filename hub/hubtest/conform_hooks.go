package hubtest

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// hooks has the plugin's hooks told of what a visitor may say, and of what the
// hub would never tell: a store that makes things up. It runs in a bubble, where
// a hook that hangs costs no time, and where the breaker closes between two.
func (c *conformance) hooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &strange{}
		var host *hub.Host
		driver := &named{"driver", func(_ context.Context, h *hub.Host) error { host = h; return nil }}
		p := c.create()
		steps, err := storage.MigrationsOf([]hub.Plugin{p})
		if err != nil {
			t.Fatal(err)
		}
		ctx, store := SQLite(t, steps...)
		s.Store = store
		o := c.o
		o.Ctx, o.Store = ctx, s
		k := Start(t, o, asleep{p}, driver)
		d := k.AddDomain(t, hub.Domain{Key: "shop", Name: "Shop", AI: true})
		w := watch{t: t, k: k, c: c, at: c.info(k)}
		over, cancel := context.WithCancel(ctx)
		cancel()
		for name, r := range strangeRooms(d.ID) {
			s.set(r)
			for what, e := range strangeEvents() {
				for when, ctx := range map[string]context.Context{"": ctx, ", with its time over": over} {
					if ctx == over && e.Data != nil {
						continue // the time is over, whatever the data
					}
					_, _ = host.Append(ctx, hub.Append{Room: r.ID, Type: e.Type, Author: e.Author, Text: e.Text, Data: e.Data})
					w.look(fmt.Sprintf("%s in %s%s", what, name, when), name == "a room" && e.Type == hub.EventMessage && e.Author.Kind == hub.Visitor)
				}
			}
			for _, ctx := range []context.Context{ctx, over} {
				_, _ = host.BellRung(ctx, hub.BellRung{Domain: r.Domain, Room: r, Reason: strings.Repeat("x", hub.MaxReason)})
				w.look("a bell in "+name, name == "a room")
				_, _ = host.BellRung(ctx, hub.BellRung{})
				w.look("an empty bell", false)
				_, _ = host.HandingBack(ctx, hub.HandingBack{Room: r})
				w.look("a hand-back in "+name, name == "a room")
			}
			visitor := k.Dial(t, hub.Handshake{IP: "not an address"})
			visitor.Send("hello", "hello", map[string]any{"domain": "shop"})
			synctest.Wait()
			visitor.HangUp()
			w.look("a visitor of "+name, name == "a room")
		}
	})
}

// watch sees what became of the plugin's hooks since it looked last.
type watch struct {
	t  *testing.T
	k  *Kit
	c  *conformance
	at hub.PluginInfo
}

// look waits until nothing happens any more. usual events must not make a hook
// fail at all: three failures, and a visitor has switched the plugin off.
func (w *watch) look(what string, usual bool) {
	w.t.Helper()
	w.k.Advance(w.t, w.longest())
	now := w.c.info(w.k)
	bad := false
	for i, h := range now.Hooks {
		was := w.at.Hooks[i]
		if h.Calls[hub.HookOverdue] > was.Calls[hub.HookOverdue] {
			w.t.Errorf("%s overstays its time on %s", h.Name, what)
		}
		bad = bad || h.Calls[hub.HookOverdue] > was.Calls[hub.HookOverdue] || h.Calls[hub.HookFailed] > was.Calls[hub.HookFailed]
		if h.Calls[hub.HookFailed] > was.Calls[hub.HookFailed] && (usual || strings.HasPrefix(h.LastError.Text, "panic")) {
			w.t.Errorf("%s fails on %s: %s", h.Name, what, h.LastError.Text)
		}
	}
	w.at = now
	if w.t.Failed() {
		w.t.FailNow() // one event is enough, and others would each take a while
	}
	if bad {
		// Longer than the breaker's window and its pause: the next event finds it
		// closed.
		w.k.Advance(w.t, 2*time.Minute)
	}
}

// longest is more than any of the plugin's hooks may take.
func (w *watch) longest() time.Duration {
	d := time.Duration(0)
	for _, h := range w.at.Hooks {
		d = max(d, h.Timeout+time.Second)
	}
	return d
}

// asleep is a plugin whose Runner does nothing: five minutes of its work, after
// each event, would take a while.
type asleep struct{ hub.Plugin }

// Flags implements [hub.Configurable].
func (a asleep) Flags(fs *flag.FlagSet) {
	if f, ok := a.Plugin.(hub.Configurable); ok {
		f.Flags(fs)
	}
}

// Validate implements [hub.Validator].
func (a asleep) Validate() error {
	if v, ok := a.Plugin.(hub.Validator); ok {
		return v.Validate()
	}
	return nil
}

// Texts implements [hub.Worded].
func (a asleep) Texts() hub.Texts {
	if w, ok := a.Plugin.(hub.Worded); ok {
		return w.Texts()
	}
	return nil
}

// Close implements [hub.Closer].
func (a asleep) Close(ctx context.Context) error {
	if c, ok := a.Plugin.(hub.Closer); ok {
		return c.Close(ctx)
	}
	return nil
}

// strange is a store that makes up rooms, and what is appended to them.
type strange struct {
	hub.Store
	mu   sync.Mutex
	made hub.Room
}

func (s *strange) set(r hub.Room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made = r
}

func (s *strange) room() hub.Room {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made
}

// EnterVisitor implements [hub.Store].
func (s *strange) EnterVisitor(context.Context, hub.Domain, string, string) (hub.Entry, error) {
	r := s.room()
	return hub.Entry{Visitor: hub.Author{Kind: hub.Visitor, ID: r.Visitor, Name: odd}, Room: r, Token: "token"}, nil
}

// Room implements [hub.Store].
func (s *strange) Room(context.Context, string) (hub.Room, error) { return s.room(), nil }

// Append implements [hub.Store]: it stores nothing, and says it did.
func (s *strange) Append(_ context.Context, a hub.Append) (hub.Appended, error) {
	r := s.room()
	return hub.Appended{Room: r, Event: hub.Event{
		Room: a.Room, Seq: r.Seq, Type: a.Type, Author: a.Author, Text: a.Text, Data: a.Data, At: r.CreatedAt,
	}}, nil
}

// odd is a text that a visitor may send, and that has something for everybody to
// stumble over.
const odd = "\"'><script>alert(1)</script> {{.}} %s %d ${x} \\ ' OR 1=1 -- \u200d\u0301\U0001F468\u200d\U0001F469 ﷽ ZZ\u0335\u0324"

func strangeRooms(domain string) map[string]hub.Room {
	now := time.Now()
	return map[string]hub.Room{
		"a room": {
			ID: "01890000-0000-7000-8000-000000000001", Domain: domain, Visitor: "01890000-0000-7000-8000-000000000002",
			Ref: "K7QM-2XAB", Mode: hub.ModeAI, Epoch: 1, Seq: 1, CreatedAt: now,
		},
		"a room that somebody holds": {
			ID: "01890000-0000-7000-8000-000000000003", Domain: domain, Visitor: "01890000-0000-7000-8000-000000000004",
			Ref: "K7QM-2XAC", Mode: hub.ModeLive, Holder: hub.Author{Kind: hub.Admin, ID: "nobody", Name: odd},
			Epoch: 2, Seq: 7, CreatedAt: now, Escalation: hub.Progress{Escalation: "nothing", State: hub.StateQueued},
		},
		"a room of no domain": {ID: "nothing", Domain: "nothing", Visitor: "nobody", Mode: hub.ModeAI, Epoch: 1},
		"an empty room":       {},
		"an impossible room": {
			ID: strings.Repeat("x", 10_000), Domain: strings.Repeat("x", 10_000), Visitor: odd, Ref: odd, Mode: "what",
			Holder: hub.Author{Kind: "what"}, Epoch: math.MinInt64, Seq: math.MaxInt64, CreatedAt: time.Unix(1<<60, 0),
			Escalation: hub.Progress{State: "what"}, Last: hub.Last{Text: odd, Kind: "what"},
		},
	}
}

func strangeEvents() map[string]hub.Event {
	visitor := hub.Author{Kind: hub.Visitor, ID: "01890000-0000-7000-8000-000000000002"}
	said := func(text string) hub.Event { return hub.Event{Type: hub.EventMessage, Author: visitor, Text: text} }
	all := map[string]hub.Event{
		"a message":             said("Do you ship to Oslo?"),
		"an odd message":        said(odd),
		"one character":         said("."),
		"a message of one word": said(strings.Repeat("a", 60_000)),
		"a message of commas":   said(strings.Repeat(",a", 30_000)),
		"a message of spaces":   said(strings.Repeat("a ", 30_000)),
		"a message of signs":    said(strings.Repeat("\U0001F468\u200d", 8_000)),
		"a message of brackets": said(strings.Repeat("[(", 30_000)),
		"an empty message":      {Type: hub.EventMessage, Author: hub.SystemAuthor},
		"nothing":               {},
		"an unknown type":       {Type: "what", Author: hub.Author{Kind: "what"}, Text: odd},
		"an admin's message":    {Type: hub.EventMessage, Author: hub.Author{Kind: hub.Admin, ID: "nobody", Name: odd}, Text: odd},
		"the AI's message":      {Type: hub.EventMessage, Author: hub.Author{Kind: hub.AI}, Text: odd},
	}
	for _, typ := range []hub.EventType{hub.EventMessage, hub.EventEscalation, hub.EventTakeover, hub.EventHandback, hub.EventNotice} {
		for _, data := range hostileData {
			all[fmt.Sprintf("%s with the data %s", typ, cut(data)[:min(len(data), 40)])] = hub.Event{
				Type: typ, Author: hub.SystemAuthor, Data: json.RawMessage(data),
			}
		}
	}
	return all
}

// hostileData is JSON, but for the last, that no frame and no event expects.
var hostileData = []string{
	``, `null`, `true`, `-1e300`, `""`, `[]`, `[{}]`, `{}`,
	`{"text":null}`, `{"text":{}}`, `{"reason":["x"]}`, `{"reason":"","state":1,"escalation":[]}`, `{"x":1,"domain":"nothing","room":"nothing"}`,
	strings.Repeat(`{"a":`, 20) + `1` + strings.Repeat(`}`, 20),
	strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000),
	`{"text":"` + strings.Repeat("x", 200_000) + `","reason":"` + strings.Repeat("x", 200_000) + `"}`,
	`{"` + strings.Repeat("x", 200_000) + `":1}`,
	`{"reason":"` + strings.Repeat(wide, hub.MaxReason) + `"}`,
	`{`,
}
