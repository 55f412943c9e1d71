package takeover_test

import (
	"context"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/spec/spectest"
	"github.com/bellhub/bellhub/plugins/takeover"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// responder stands in for what answers visitors: it lets rooms be handed back,
// and speaks when told to.
type responder struct {
	host *hub.Host
	on   bool
}

func (*responder) ID() string { return "responder" }

func (r *responder) Init(_ context.Context, h *hub.Host) error {
	r.host = h
	h.Hooks.HandingBack.Bind(h, func(_ context.Context, e hub.HandingBack) (hub.HandingBack, error) {
		e.CanAnswer = r.on
		return e, nil
	})
	return nil
}

// room is a visitor's, with two admins who may enter it.
type room struct {
	*hubtest.Kit
	ai       *responder
	visitor  *hubtest.Client
	ana, ben *hubtest.Client
}

func open(t *testing.T) room {
	ai := &responder{on: true}
	k := hubtest.Start(t, hubtest.Options{Limits: &hub.Limits{}, Check: spectest.Open(t).Check}, takeover.New(), ai)
	v := k.Visitor(t)
	return room{
		k, ai, v,
		k.Admin(t, k.SignIn(t, "Ana"), v.Room),
		k.Admin(t, k.SignIn(t, "Ben"), v.Room),
	}
}

func said(s string) map[string]any { return map[string]any{"text": s} }

func TestTakingOverAndHandingBack(t *testing.T) {
	r := open(t)
	r.ana.Send("takeover", "t-1", nil)
	if ack := r.ana.Want("ack", "error", "event"); ack.Get("epoch") != 2.0 || ack.Get("seq") != 1.0 {
		t.Fatalf("acknowledgement: %s", ack.Data)
	}
	if e := r.visitor.WantEvent(hub.EventTakeover); e.Get("author.name") != "Ana" {
		t.Errorf("the visitor sees %s", e.Data)
	}
	r.ana.Send("takeover", "t-2", nil) // twice is once
	if ack := r.ana.Want("ack", "error"); ack.Get("epoch") != 2.0 {
		t.Errorf("again: %s", ack.Data)
	}
	r.ana.Send("handback", "h-1", nil)
	if ack := r.ana.Want("ack", "error"); ack.Get("epoch") != 3.0 {
		t.Errorf("acknowledgement: %s", ack.Data)
	}
	if e := r.visitor.WantEvent(hub.EventHandback); e.Get("author.name") != "Ana" {
		t.Errorf("the visitor sees %s", e.Data)
	}
	r.ana.Send("takeover", "t-1", nil) // its acknowledgement was lost, say
	if ack := r.ana.Want("ack", "error"); ack.Get("epoch") != 2.0 || ack.Get("seq") != 1.0 {
		t.Errorf("sent again: %s", ack.Data)
	}
	r.ana.Send("takeover", "t-1", map[string]any{"epoch": 3})
	r.ana.WantError(hub.CodeMismatch)
	r.ana.Send("handback", "h-2", nil)
	if ack := r.ana.Want("ack", "error"); ack.Get("epoch") != 3.0 {
		t.Errorf("handed back twice: %s", ack.Data)
	}
}

func TestTheFirstReplyTakesOver(t *testing.T) {
	r := open(t)
	r.ana.Send("message", "m-1", said("Hello, this is Ana"))
	if ack := r.ana.Want("ack", "error"); ack.Get("seq") != 2.0 {
		t.Fatalf("acknowledgement: %s", ack.Data)
	}
	r.visitor.WantEvent(hub.EventTakeover)
	r.visitor.WantEvent(hub.EventMessage)

	// A retry of a reply that was stored stays acknowledged, whatever has
	// happened since, and takes nothing over.
	r.ana.Send("handback", "h-1", nil)
	r.ana.Want("ack")
	r.ana.Send("message", "m-1", said("Hello, this is Ana"))
	if ack := r.ana.Want("ack", "error"); ack.Get("seq") != 2.0 {
		t.Errorf("retry: %s", ack.Data)
	}
	if now, err := r.Memory.Room(context.Background(), r.visitor.Room); err != nil || now.Mode != hub.ModeAI || now.Seq != 3 {
		t.Errorf("after the retry: %+v, %v", now, err)
	}
}

func TestWhoHoldsTheRoomIsAskedFor(t *testing.T) {
	r := open(t)
	r.ana.Send("takeover", "t", nil)
	r.ana.Want("ack")

	r.ben.Send("message", "m", said("Me too"))
	if e := r.ben.WantError(hub.CodeHeld); e.Get("message") != "Ana is answering." {
		t.Errorf("told: %s", e.Data)
	}
	r.ben.Send("handback", "h", nil)
	r.ben.WantError(hub.CodeHeld)
	r.ben.Send("takeover", "t-1", nil)
	r.ben.WantError(hub.CodeHeld)
	r.ben.Send("takeover", "t-2", map[string]any{"epoch": 1}) // what was confirmed is no longer so
	r.ben.WantError(hub.CodeHeld)
	r.ben.Send("takeover", "t-3", map[string]any{"epoch": 2})
	if ack := r.ben.Want("ack", "error"); ack.Get("epoch") != 3.0 {
		t.Fatalf("confirmed: %s", ack.Data)
	}
	r.ana.Send("message", "m", said("Still me"))
	r.ana.WantError(hub.CodeHeld)
}

func TestNobodyToHandBackTo(t *testing.T) {
	r := open(t)
	r.ai.on = false
	r.ana.Send("takeover", "t", nil)
	r.ana.Want("ack")
	r.ana.Send("handback", "h", nil)
	r.ana.WantError(hub.CodeNoResponder)
}

func TestTheAIFallsSilent(t *testing.T) {
	r := open(t)
	ai := hub.Author{Kind: hub.AI, ID: "ai"}
	say := func(epoch int64) error {
		_, err := r.ai.host.Append(context.Background(), hub.Append{
			Room: r.visitor.Room, Type: hub.EventMessage, Author: ai, Text: "As I was saying", Epoch: epoch,
		})
		return err
	}
	r.ai.host.Stream(r.visitor.Room, "t1", 1, "As I")
	r.visitor.Want("stream")
	r.ana.Send("takeover", "t", nil)
	r.ana.Want("ack")
	r.ai.host.Stream(r.visitor.Room, "t1", 1, " was saying")
	if err := say(1); err == nil {
		t.Error("what began before the takeover was stored after it")
	}
	if err := say(2); err == nil {
		t.Error("the AI speaks where a person answers")
	}
	r.ana.Send("handback", "h", nil)
	r.ana.Want("ack")
	if err := say(1); err == nil {
		t.Error("what began before the takeover was stored after the hand-back")
	}
	if err := say(3); err != nil {
		t.Errorf("handed back, and still: %v", err)
	}
	for _, c := range []*hubtest.Client{r.visitor, r.ben} {
		c.WantEvent(hub.EventTakeover)
		for _, f := range c.Drain() {
			if f.Type == "stream" {
				t.Errorf("a stream frame after the takeover: %s", f.Data)
			}
		}
	}
}

func TestOfManyWhoTryAtOnceOneWins(t *testing.T) {
	ai := &responder{}
	k := hubtest.Start(t, hubtest.Options{Limits: &hub.Limits{}}, takeover.New(), ai)
	v := k.Visitor(t)
	var admins []*hubtest.Client
	for range 20 {
		admins = append(admins, k.Admin(t, k.SignIn(t, "Ana"), v.Room))
	}
	results := make([]hubtest.Frame, len(admins))
	var all sync.WaitGroup
	for i, c := range admins {
		all.Go(func() {
			c.Send("takeover", "t", nil)
			results[i] = c.Want("ack", "error")
		})
	}
	all.Wait()
	won := 0
	for _, f := range results {
		switch {
		case f.Type == "ack":
			won++
		case f.Get("code") != "held":
			t.Errorf("told: %s", f.Data)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d hold the room", won, len(admins))
	}
}
