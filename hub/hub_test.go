package hub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/spec/spectest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a hub with one domain, "shop", whose AI is on. Whatever it sends is
// held to the protocol's description.
func start(t *testing.T, o hubtest.Options, plugins ...hub.Plugin) (*hubtest.Kit, hub.Domain) {
	t.Helper()
	o.Check = spectest.Open(t).Check
	k := hubtest.Start(t, o, plugins...)
	return k, k.Domain
}

func text(s string) map[string]any { return map[string]any{"text": s} }

func TestAConversationIsStoredAcknowledgedAndShown(t *testing.T) {
	k, domain := start(t, hubtest.Options{})
	visitor := k.Visitor(t, "shop")
	admin := k.Admin(t, k.Memory.SignIn("Ana", domain.ID), visitor.Room)

	visitor.Send("message", "c-1", text("  Do you ship to Oslo?\r\n"))
	if ack := visitor.Want("ack", "event"); ack.Type != "ack" || ack.ID != "c-1" || ack.Get("seq") != 1.0 {
		t.Fatalf("the acknowledgement comes before the event: %+v", ack)
	}
	for _, c := range []*hubtest.Client{visitor, admin} {
		e := c.WantEvent(hub.EventMessage)
		if e.Get("seq") != 1.0 || e.Get("text") != "Do you ship to Oslo?" || e.Get("author.kind") != "visitor" || e.Get("html") != nil {
			t.Errorf("event: %s", e.Data)
		}
	}

	admin.Send("message", "a-1", text("*Yes*"))
	if e := visitor.WantEvent(hub.EventMessage); e.Get("author.name") != "Ana" || e.Get("html") != "<p>*Yes*</p>" {
		t.Errorf("event: %s", e.Data)
	}

	again := k.Again(t, visitor)
	if again.Room != visitor.Room {
		t.Fatalf("another page came into %s, not %s", again.Room, visitor.Room)
	}
}

func TestARetryIsAcknowledgedAgainAndStoredOnce(t *testing.T) {
	k, _ := start(t, hubtest.Options{})
	c := k.Visitor(t, "shop")
	c.Send("message", "c-1", text("hello"))
	first := c.Want("ack")
	c.Send("message", "c-1", text("hello"))
	second := c.Want("ack")
	if string(first.Data) != string(second.Data) {
		t.Errorf("first %s, then %s", first.Data, second.Data)
	}
	c.Send("message", "c-1", text("something else"))
	c.WantError(hub.CodeMismatch)
	c.Send("history", "h", map[string]any{"after": 0})
	if n := strings.Count(string(c.Want("history").Data), `"seq"`); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

func TestResume(t *testing.T) {
	k, _ := start(t, hubtest.Options{Limits: &hub.Limits{}})
	c := k.Visitor(t, "shop")
	for i := range 5 {
		c.Send("message", fmt.Sprint("c-", i), text(fmt.Sprint(i)))
		c.Want("ack")
	}
	hello := func(after any) hubtest.Frame {
		other := k.Dial(t, hub.Handshake{})
		data := map[string]any{"domain": "shop", "token": c.Token, "room": c.Room}
		if after != nil {
			data["after"] = after
		}
		other.Send("hello", "h", data)
		return other.Want("welcome", "error")
	}
	for _, tt := range []struct {
		after any
		want  string // the first event's number and how many
	}{{nil, "1 5"}, {3, "4 2"}, {5, "- 0"}, {0, "1 5"}} {
		w := hello(tt.after)
		events, _ := w.Get("events").([]any)
		got := fmt.Sprint("- ", len(events))
		if len(events) > 0 {
			got = fmt.Sprint(events[0].(map[string]any)["seq"], " ", len(events))
		}
		if got != tt.want || w.Get("room.seq") != 5.0 || w.Get("more") != false {
			t.Errorf("after %v: got %s in %s, want %s", tt.after, got, w.Data, tt.want)
		}
	}
	if e := hello(6); e.Get("code") != "resync" {
		t.Errorf("a cursor from the future: %s", e.Data)
	}
}

// unreliable is a backplane that loses every third event and turns the order of
// the other two around.
type unreliable struct {
	recv func(hub.Signal)
	mu   sync.Mutex
	held hub.Signal
}

func (b *unreliable) Publish(s hub.Signal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case s.Event == nil:
		b.recv(s)
	case s.Event.Event.Seq%3 == 1: // lost
	case s.Event.Event.Seq%3 == 2:
		b.held = s
	default:
		b.recv(s)
		b.recv(b.held)
	}
}
func (b *unreliable) Subscribe(fn func(hub.Signal)) { b.recv = fn }
func (b *unreliable) Close()                        {}

func TestMembersSeeTheLogInOrderThoughSignalsDoNotCome(t *testing.T) {
	k, _ := start(t, hubtest.Options{Backplane: &unreliable{}})
	c := k.Visitor(t, "shop")
	for i := range 6 {
		c.Send("message", fmt.Sprint("c-", i), text(fmt.Sprint(i)))
	}
	for want := 1.0; want <= 6; want++ {
		if e := c.WantEvent(hub.EventMessage); e.Get("seq") != want {
			t.Fatalf("got event %v, want %v\n%s", e.Get("seq"), want, c.Transcript())
		}
	}
}

func TestAFaultyStoreAcknowledgesNothing(t *testing.T) {
	k, _ := start(t, hubtest.Options{})
	c := k.Visitor(t, "shop")
	k.Memory.Fail(errors.New("disk full: /var/lib/secret"))
	c.Send("message", "c-1", text("hello"))
	e := c.Want("error", "ack")
	if e.Get("retryable") != true || strings.Contains(string(e.Data), "secret") {
		t.Errorf("error: %s", e.Data)
	}
	k.Memory.Fail(nil)
	c.Send("message", "c-1", text("hello"))
	c.Want("ack")
}

func TestVisitorsLimits(t *testing.T) {
	k, _ := start(t, hubtest.Options{Limits: &hub.Limits{MaxText: 5, MessageRate: 0.01, MessageBurst: 2, MessagesPerMinute: 100, ConnectionsPerVisitor: 2}})
	c := k.Visitor(t, "shop")
	c.Send("message", "long", text("sixsix"))
	c.WantError(hub.CodeBadText)
	c.Send("message", "emoji", text("😀😀😀😀😀")) // five characters, twenty bytes
	c.Want("ack")
	c.Send("message", "c-2", text("two"))
	c.Want("ack")
	c.Send("message", "c-3", text("three"))
	if e := c.WantError(hub.CodeRateLimited); e.Get("retry_after").(float64) < 1 {
		t.Errorf("no delay: %s", e.Data)
	}
	second := k.Again(t, c)
	third := k.Again(t, c)
	c.WantClosed(hub.CloseSuperseded)
	third.Send("message", "c-4", text("four")) // a new connection brings no new allowance
	third.WantError(hub.CodeRateLimited)
	second.HangUp()
}

func TestAFullNodeSendsClientsElsewhere(t *testing.T) {
	k, _ := start(t, hubtest.Options{Limits: &hub.Limits{MaxConnections: 1}})
	k.Visitor(t, "shop")
	k.Dial(t, hub.Handshake{}).WantClosed(hub.CloseTryLater)
}

func TestPresenceAndTyping(t *testing.T) {
	k, domain := start(t, hubtest.Options{})
	visitor := k.Visitor(t, "shop")
	ana := k.Memory.SignIn("Ana", domain.ID)
	admin := k.Admin(t, ana, visitor.Room)
	if p := admin.Want("presence"); p.Get("visitor") != "online" {
		t.Errorf("presence: %s", p.Data)
	}
	visitor.Send("presence", "", map[string]any{"state": "away"})
	for admin.Want("presence").Get("visitor") != "away" { // "online" may have been said twice
	}
	visitor.Send("typing", "", map[string]any{"on": true})
	if f := admin.Want("typing"); f.Get("author.kind") != "visitor" || f.Get("on") != true {
		t.Errorf("typing: %s", f.Data)
	}
	for _, f := range visitor.Drain() {
		if f.Type == "typing" {
			t.Error("the visitor is told of their own typing")
		}
	}
	visitor.HangUp()
	if p := admin.Want("presence"); p.Get("visitor") != "offline" {
		t.Errorf("presence: %s", p.Data)
	}
}

func TestWatchingADomain(t *testing.T) {
	k, domain := start(t, hubtest.Options{})
	ana := k.Memory.SignIn("Ana", domain.ID)
	list := k.Dial(t, hub.Handshake{Identity: ana, Origin: hubtest.Origin})
	list.Send("hello", "h", map[string]any{"watch": domain.ID})
	list.Want("welcome")
	visitor := k.Visitor(t, "shop")
	visitor.Send("message", "c-1", text("hello"))
	f := list.Want("room")
	if f.Get("id") != visitor.Room || f.Get("last.text") != "hello" || f.Get("visitor") != "online" {
		t.Errorf("summary: %s", f.Data)
	}

	other := k.Memory.AddDomain(hub.Domain{Key: "other", Name: "Other"})
	stranger := k.Dial(t, hub.Handshake{Identity: ana, Origin: hubtest.Origin})
	stranger.Send("hello", "h", map[string]any{"watch": other.ID})
	stranger.WantError(hub.CodeNotFound)
}

func TestWithdrawnAccessEndsTheConnection(t *testing.T) {
	var host *hub.Host
	k, _ := start(t, hubtest.Options{}, pluginFunc(func(h *hub.Host) { host = h }))
	visitor := k.Visitor(t, "shop")
	room, err := k.Memory.Room(context.Background(), visitor.Room)
	if err != nil {
		t.Fatal(err)
	}
	guest, link := k.Memory.Grant(room, "Ana")
	admin := k.Admin(t, guest, room.ID)
	k.Memory.RevokeLink(link)
	host.Revoke(hub.Revocation{Link: link})
	admin.WantClosed(hub.CloseRevoked)
	again := k.Dial(t, hub.Handshake{Identity: guest, Origin: hubtest.Origin})
	again.Send("hello", "h", map[string]any{"room": room.ID})
	again.WantError(hub.CodeNotFound)
	visitor.Send("message", "c-1", text("still here"))
	visitor.Want("ack")
}

func TestDrainFinishesWhatItIsAt(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	k, _ := start(t, hubtest.Options{}, pluginFunc(func(h *hub.Host) {
		h.Hooks.EventAppending.Bind(h, func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
			close(entered)
			<-release
			return e, nil
		}, hub.Timeout(time.Minute))
	}))
	busy, idle := k.Visitor(t, "shop"), k.Visitor(t, "shop")
	busy.Send("message", "c-1", text("hello"))
	<-entered
	drained := make(chan error)
	go func() { drained <- k.Hub.Drain(context.Background()) }()
	idle.WantClosed(hub.CloseRestart)
	close(release)
	busy.Want("ack")
	busy.WantClosed(hub.CloseRestart)
	if err := <-drained; err != nil {
		t.Fatal(err)
	}
	late := k.Dial(t, hub.Handshake{})
	late.WantClosed(hub.CloseRestart)
}

// pluginFunc is a plugin that only binds.
type pluginFunc func(*hub.Host)

func (pluginFunc) ID() string { return "test" }

func (f pluginFunc) Init(_ context.Context, h *hub.Host) error {
	f(h)
	return nil
}
