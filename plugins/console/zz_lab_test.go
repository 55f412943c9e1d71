package console_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/server"
	"github.com/bellhub/bellhub/plugins/console"
	"github.com/bellhub/bellhub/plugins/escalation"
	"github.com/bellhub/bellhub/plugins/takeover"
	"github.com/bellhub/bellhub/static"
	"github.com/bellhub/bellhub/storage"
)

type answerer struct{}

func (answerer) ID() string { return "answerer" }
func (answerer) Init(_ context.Context, h *hub.Host) error {
	h.Hooks.HandingBack.Bind(h, func(_ context.Context, e hub.HandingBack) (hub.HandingBack, error) { e.CanAnswer = true; return e, nil })
	h.Hooks.EventStored.Bind(h, func(ctx context.Context, e hub.EventStored) {
		if e.Event.Author.Kind == hub.Visitor && e.Event.Type == hub.EventMessage && e.Room.Mode == hub.ModeAI {
			go func() {
				for _, w := range []string{"We ship ", "to **Oslo** ", "in three ", "days."} {
					h.Stream(e.Room.ID, "t1", e.Room.Epoch, w)
					time.Sleep(300 * time.Millisecond)
				}
				_, _ = h.Append(context.WithoutCancel(ctx), hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: hub.Author{Kind: hub.AI, ID: "ai", Name: "AI assistant"}, Epoch: e.Room.Epoch,
					Text: "We ship to **Oslo** in three days. See:\n\n- tracked mail\n- courier"})
			}()
		}
	})
	return nil
}

func TestLab(t *testing.T) {
	addr := os.Getenv("LAB")
	if addr == "" {
		t.Skip()
	}
	esc := escalation.New(escalation.Options{LinkTTL: time.Hour})
	ctx, store := hubtest.SQLite(t, esc.Migrations()...)
	base, _ := url.Parse("http://" + addr)
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	h, err := hub.New(ctx, hub.Options{Store: store, BaseURL: base, Development: os.Getenv("PROD") == "", Limits: hub.DefaultLimits(), Texts: static.Texts(), Log: log,
		Frame: server.Frame, Render: server.Render, Asset: func(n string) string { return static.Prefix() + "/" + n }})
	if err != nil {
		t.Fatal(err)
	}
	p := console.New(console.Options{})
	if err := h.Init(takeover.New(), esc, p, answerer{}); err != nil {
		t.Fatal(err)
	}
	go h.Run(ctx)
	srv := server.New(ctx, server.Options{Hub: h, BaseURL: base, Log: log, Identify: storage.IdentityByToken, Origins: storage.Origins,
		Ready: store.Ping, MaxFrameBytes: 32 << 10, SendQueueBytes: 1 << 20, ConnectionsPerIP: 100, WriteTimeout: 5 * time.Second, PingInterval: 25 * time.Second})
	if err := srv.Mount("console", p); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, ctx: ctx}
	op := must(storage.EnsureAdmin(ctx, "operator@kopitugu.example"))
	empty := must(storage.EnsureAdmin(ctx, "fresh@kopitugu.example", storage.NewID()))
	d := s.domain("kopitugu")
	other := s.domain("warung")
	ana := must(storage.EnsureAdmin(ctx, "ana@kopitugu.example", d.ID))
	_ = storage.RenameAdmin(ctx, ana.ID, "Ana")
	rule := s.rule(d, "support@kopitugu.example", "Support")
	s.rule(d, "a.rather.long.address.of.somebody@finance.kopitugu.example", "Finance")
	off := s.rule(d, "old@kopitugu.example", "")
	_ = storage.SetRuleActive(ctx, d.ID, off.ID, false)
	r := s.room(d, "Do you ship to Oslo? I would need it by Friday because my parents come for a visit and I promised good coffee.")
	ai := hub.Author{Kind: hub.AI, ID: "ai", Name: "AI assistant"}
	say := func(a hub.Author, text string) {
		must(store.Append(ctx, hub.Append{Room: r.ID, Type: hub.EventMessage, Author: a, Text: text, Epoch: r.Epoch}))
	}
	say(ai, "Yes, we ship to **Oslo**. It takes three days:\n\n1. packed today\n2. out tomorrow\n\nAnything else?")
	say(hub.Author{Kind: hub.Visitor, ID: r.Visitor}, "Great.")
	say(hub.Author{Kind: hub.Visitor, ID: r.Visitor}, "Can I get an invoice in my company's name? <b>ACME</b>")
	r = s.ring(r, "I need an invoice in my company's name", hub.StateNotified)
	for i := range 34 {
		x := s.room(d, fmt.Sprint("Question number ", i))
		if i == 12 {
			s.ring(x, "Where is my order 4711? It should have been here on Monday.", hub.StateLogged)
		}
	}
	_, token := s.link(r, rule, time.Hour)
	s.link(r, rule, time.Hour)
	_, old := s.link(r, rule, -time.Hour)
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	srv.Start(ln)
	fmt.Printf("{\"op\":%q,\"ana\":%q,\"empty\":%q,\"join\":%q,\"expired\":%q,\"domain\":%q,\"other\":%q,\"room\":%q}\n",
		must(storage.NewSignIn(ctx, op.ID)), must(storage.NewSignIn(ctx, ana.ID)), must(storage.NewSignIn(ctx, empty.ID)), token, old, d.ID, other.ID, r.ID)
	time.Sleep(4 * time.Minute)
	_ = srv.Stop(ctx)
}
