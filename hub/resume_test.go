package hub_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

// counted counts the statements that reach a SQLite database.
func counted(t *testing.T, ctx context.Context) *atomic.Int64 {
	t.Helper()
	n := new(atomic.Int64)
	count := func(*gorm.DB) { n.Add(1) }
	for _, db := range []*gorm.DB{storage.Read(ctx), storage.DB(ctx)} {
		c := db.Callback()
		for _, err := range []error{
			c.Query().Register("count", count), c.Row().Register("count", count), c.Raw().Register("count", count),
			c.Create().Register("count", count), c.Update().Register("count", count), c.Delete().Register("count", count),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return n
}

// onSQLite runs a hub with one domain, and one admin in it, on a real database.
func onSQLite(t *testing.T) (k *hubtest.Kit, ana hub.Identity, statements *atomic.Int64) {
	t.Helper()
	k = hubtest.Start(t, hubtest.Options{Database: hubtest.SQLite, Limits: &hub.Limits{}})
	return k, k.SignIn(t, "Ana"), counted(t, k.Ctx)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// After a restart everybody is back within ten seconds. Who has missed nothing
// costs one query, anybody else two, however much it was.
func TestComingBackIsCheap(t *testing.T) {
	k, _, statements := onSQLite(t)
	c := k.Visitor(t, "shop")
	const size = 2*hub.MaxPage + 10
	for i := range size {
		c.Send("message", fmt.Sprint("c-", i), text("hello"))
		c.Want("ack")
	}
	c.HangUp()
	<-c.Done()
	for _, tt := range []struct {
		name  string
		hello map[string]any
		cost  int64
		news  int
		more  bool
	}{
		{"nothing missed", map[string]any{"room": c.Room, "after": size}, 1, 0, false},
		{"one message missed", map[string]any{"room": c.Room, "after": size - 1}, 2, 1, false},
		{"more than a page missed", map[string]any{"room": c.Room, "after": 0}, 2, hub.MaxPage, true},
		{"a page reloaded", map[string]any{"room": c.Room}, 2, 100, true},
		{"the room not named", map[string]any{}, 3, 100, true},
		{"the room not named, nothing missed", map[string]any{"after": size}, 2, 0, false},
		{"a cursor from the future", map[string]any{"room": c.Room, "after": size + 1}, 1, -1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.hello["domain"], tt.hello["token"] = "shop", c.Token
			cost := int64(1000)
			for range 5 { // the domain is remembered for two seconds: a slow machine may see it asked for again
				other := k.Dial(t, hub.Handshake{})
				before := statements.Load()
				other.Send("hello", "h", tt.hello)
				w := other.Want("welcome", "error")
				cost = min(cost, statements.Load()-before)
				if tt.news < 0 {
					if w.Get("code") != "resync" {
						t.Errorf("answer %s", w.Data)
					}
				} else if events, _ := w.Get("events").([]any); len(events) != tt.news || w.Get("more") != tt.more || w.Get("room.seq") != float64(size) {
					t.Errorf("%d events, more %v, in a room at %v", len(events), w.Get("more"), w.Get("room.seq"))
				}
				other.HangUp()
			}
			if cost != tt.cost {
				t.Errorf("%d queries, want %d", cost, tt.cost)
			}
		})
	}
}

// Signs of life are told at the rate of fingers, and are nothing that a
// database should hear of.
func TestTypingAndPresenceAskNoDatabase(t *testing.T) {
	k, ana, statements := onSQLite(t)
	v := k.Visitor(t, "shop")
	admin := k.Admin(t, ana, v.Room)
	v.Drain()
	admin.Drain()
	before := statements.Load()
	for i := range 20 {
		v.Send("typing", "", map[string]any{"on": i%2 == 0})
		admin.Want("typing")
		v.Send("presence", "", map[string]any{"state": []string{"away", "online"}[i%2]})
		admin.Want("presence")
	}
	v.Send("nonsense", "last", nil)
	v.WantError(hub.CodeUnknownType) // everything before it has been worked on
	if n := statements.Load() - before; n != 0 {
		t.Errorf("%d queries for typing and presence", n)
	}
}

// racing is a store in which something happens right after one of its reads.
type racing struct {
	*hubtest.Memory
	read string // after which: EnterVisitor, Room or Events
	then func()
}

func (s *racing) EnterVisitor(ctx context.Context, d hub.Domain, token, room string) (hub.Entry, error) {
	defer s.race("EnterVisitor")
	return s.Memory.EnterVisitor(ctx, d, token, room)
}

func (s *racing) Room(ctx context.Context, id string) (hub.Room, error) {
	defer s.race("Room")
	return s.Memory.Room(ctx, id)
}

func (s *racing) Events(ctx context.Context, id string, r hub.Range) ([]hub.Event, bool, error) {
	defer s.race("Events")
	return s.Memory.Events(ctx, id, r)
}

func (s *racing) race(read string) {
	if fn := s.then; fn != nil && s.read == read {
		s.then = nil
		fn()
	}
}

// race runs a hub on a racing store, with a room that has one event and nobody
// in it; say adds another.
func race(t *testing.T) (k *hubtest.Kit, store *racing, c *hubtest.Client, say func()) {
	t.Helper()
	store = &racing{Memory: hubtest.NewMemory()}
	var host *hub.Host
	k = hubtest.Start(t, hubtest.Options{Store: store}, pluginFunc(func(h *hub.Host) { host = h }))
	store.AddDomain(hub.Domain{Key: "shop", AI: true})
	c = k.Visitor(t, "shop")
	say = func() {
		_, err := host.Append(context.Background(), hub.Append{
			Room: c.Room, Type: hub.EventMessage, Author: hub.Author{Kind: hub.AI, ID: "ai"}, Text: "hello", Epoch: 1,
		})
		must(t, err)
	}
	say()
	c.HangUp()
	<-c.Done()
	return k, store, c, say
}

// Whatever a client says of itself, and whichever read something is committed
// after: it is shown, once.
func TestAnEventBetweenAMembersReadsIsShown(t *testing.T) {
	for _, tt := range []struct {
		read  string
		hello map[string]any
	}{
		{"EnterVisitor", map[string]any{"room": true, "after": 1}},
		{"EnterVisitor", map[string]any{"room": true, "after": 0}},
		{"EnterVisitor", map[string]any{"room": true}},
		{"EnterVisitor", map[string]any{"after": 1}},
		{"EnterVisitor", map[string]any{}},
		{"Room", map[string]any{"after": 1}},
		{"Room", map[string]any{}},
		{"Events", map[string]any{"room": true, "after": 0}},
		{"Events", map[string]any{"room": true}},
		{"Events", map[string]any{}},
	} {
		t.Run(fmt.Sprint(tt.read, tt.hello), func(t *testing.T) {
			k, store, c, say := race(t)
			store.read, store.then = tt.read, say
			tt.hello["domain"], tt.hello["token"] = "shop", c.Token
			if tt.hello["room"] != nil {
				tt.hello["room"] = c.Room
			}
			again := k.Dial(t, hub.Handshake{})
			again.Send("hello", "h", tt.hello)
			w := again.Want("welcome")
			if store.then != nil {
				t.Fatalf("%s was not called", tt.read)
			}
			events, _ := w.Get("events").([]any)
			shown := []any{}
			for _, e := range events {
				shown = append(shown, e.(map[string]any)["seq"])
			}
			if n := len(shown); n == 0 || shown[n-1] != 2.0 {
				shown = append(shown, again.WantEvent(hub.EventMessage).Get("seq"))
			}
			if n := len(shown); shown[n-1] != 2.0 || n == 2 && shown[0] != 1.0 || n > 2 {
				t.Errorf("shown were the events %v", shown)
			}
			for _, f := range again.Drain() {
				if f.Type == "event" {
					t.Errorf("shown again: %s", f.Data)
				}
			}
		})
	}
}

// Who names another's room sits in it until the store says no, and learns
// nothing meanwhile.
func TestAStrangerLearnsNothingOfARoom(t *testing.T) {
	k, store, c, say := race(t)
	stranger := k.Visitor(t, "shop")
	stranger.HangUp()
	<-stranger.Done()
	owner := k.Again(t, c)
	store.read, store.then = "EnterVisitor", say
	other := k.Dial(t, hub.Handshake{})
	other.Send("hello", "h", map[string]any{"domain": "shop", "token": stranger.Token, "room": c.Room, "after": 0})
	if f, _ := other.Next(); f.Type != "error" || f.Get("code") != "not_found" {
		t.Errorf("answer %+v", f)
	}
	owner.WantEvent(hub.EventMessage)
	other.Send("hello", "h", map[string]any{"domain": "shop", "token": stranger.Token})
	if f, _ := other.Next(); f.Type != "welcome" || f.Get("room.id") != stranger.Room {
		t.Errorf("then %+v", f)
	}
	say()
	owner.WantEvent(hub.EventMessage)
	if all := other.Drain(); len(all) > 0 {
		t.Errorf("heard %+v", all)
	}
}

// A slow store is not the client's silence: it would be told that its token is
// worth nothing, and forget its conversation.
func TestASlowHelloKeepsTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &racing{Memory: hubtest.NewMemory(), read: "EnterVisitor"}
		k := hubtest.Start(t, hubtest.Options{Store: store})
		store.AddDomain(hub.Domain{Key: "shop"})
		store.then = func() { time.Sleep(12 * time.Second) }
		c := k.Dial(t, hub.Handshake{})
		c.Send("hello", "h", map[string]any{"domain": "shop"})
		time.Sleep(12 * time.Second)
		c.Want("welcome")

		again := k.Dial(t, hub.Handshake{})
		again.Send("hello", "h", map[string]any{"domain": "nope"})
		again.WantError(hub.CodeNotFound)
		began := time.Now()
		<-again.Done()
		if took := time.Since(began); took != 10*time.Second || again.Closed() != hub.CloseTooSlow {
			t.Errorf("silent after a hello that failed: closed with %d after %s", again.Closed(), took)
		}
		c.Send("message", "c-1", text("still here"))
		c.Want("ack")
	})
}

// A member may be ahead of what this node has delivered, while a signal is on its
// way: that is no cursor from the future.
func TestACursorAheadOfDeliveryIsNoCursorFromTheFuture(t *testing.T) {
	k, _ := start(t, hubtest.Options{Backplane: &manual{}})
	first := k.Visitor(t, "shop")
	room, err := k.Memory.Room(t.Context(), first.Room)
	must(t, err)
	_, err = k.Memory.Append(t.Context(), hub.Append{
		Room: room.ID, Type: hub.EventMessage, Author: hub.Author{Kind: hub.Visitor, ID: room.Visitor}, Text: "hello",
	})
	must(t, err)
	second := k.Again(t, first) // its welcome brings event 1
	second.Send("history", "h", map[string]any{"after": 1})
	if f := second.Want("history", "error"); f.Type == "error" {
		t.Errorf("answer %s", f.Data)
	}
	second.Send("history", "h", map[string]any{"after": 2})
	second.WantError(hub.CodeResync)
}
