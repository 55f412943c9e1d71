package hub_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// A plugin's own not_found is its own: the conversation has not ended.
func TestAPluginsNotFoundIsItsOwn(t *testing.T) {
	k, _ := start(t, hubtest.Options{}, named{"ask", func(h *hub.Host) {
		h.Handle("ask-none", hub.From(hub.Visitor), func(context.Context, hub.Frame) (any, error) {
			return nil, hub.Errorf(hub.CodeNotFound, "Nothing was asked.")
		})
		h.Handle("ask-gone", hub.From(hub.Visitor), func(ctx context.Context, f hub.Frame) (any, error) {
			_, err := h.Room(ctx, "purged")
			return nil, err
		})
	}})
	c := k.Visitor(t)
	c.Send("ask-none", "1", nil)
	if e := c.WantError(hub.CodeNotFound); e.Get("message") != "Nothing was asked." {
		t.Errorf("told: %s", e.Data)
	}
	c.Send("ask-gone", "2", nil)
	c.WantError(hub.CodeGone)
}

// What a Host cannot take ends the start in a sentence, and any other panic with
// the place where it happened.
func TestMisuseIsNamedAndPanicsHaveStacks(t *testing.T) {
	answer := func(context.Context, hub.Frame) (any, error) { return nil, nil }
	for name, tt := range map[string]struct {
		init  func(*hub.Host)
		says  string
		stack bool
	}{
		"no handler":    {func(h *hub.Host) { h.Handle("rogue-a", hub.From(hub.Visitor), nil) }, `plugin rogue: frame "rogue-a" has no handler`, false},
		"a bad frame":   {func(h *hub.Host) { h.Handle("Rogue A", hub.From(hub.Visitor), answer) }, `plugin rogue: "Rogue A" is no frame's type`, false},
		"a bad push":    {func(h *hub.Host) { h.Push("", hub.To(hub.Visitor)) }, `plugin rogue: "" is no frame's type`, false},
		"a bad counter": {func(h *hub.Host) { h.Counter("Bad name", "", "how") }, `plugin rogue: the counter "Bad name"`, false},
		"a panic":       {func(*hub.Host) { panic("oh no") }, "plugin rogue: panic: oh no", true},
	} {
		o := hub.Options{
			Store: hubtest.NewMemory(), BaseURL: mustURL(t, hubtest.Origin), Frame: func(b []byte) []byte { return b },
			Render: func(s string) string { return s }, Asset: func(s string) string { return s },
		}
		h, err := hub.New(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		err = h.Init(named{"rogue", tt.init})
		if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "misuse_test.go") != tt.stack {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A plugin that floods a room is told of once, and its page says that it floods.
func TestAFloodIsNoFloodOfTheLog(t *testing.T) {
	var log strings.Builder
	var host *hub.Host
	k := hubtest.Start(t, hubtest.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, named{"loop", func(h *hub.Host) { host = h }})
	room, refused := k.Visitor(t).Room, 0
	for range 2000 {
		_, err := host.Append(k.Ctx, hub.Append{Room: room, Type: hub.EventNotice, Author: hub.SystemAuthor, Data: hub.MarshalData(hub.Progress{State: "x"})})
		if e := (*hub.Error)(nil); errors.As(err, &e) && e.Code == hub.CodeRateLimited {
			refused++
		}
	}
	if refused < 1000 {
		t.Fatalf("%d were refused", refused)
	}
	if lines := strings.Count(log.String(), "\n"); lines > 20 {
		t.Errorf("%d lines of log:\n%s", lines, log.String())
	}
	if p := k.Hub.Plugins()[0]; !p.Open || !strings.Contains(p.LastError.Text, "floods") {
		t.Errorf("it fares %+v", p)
	}
}

// An Init that hangs says whose it is.
func TestASlowInitIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		hubtest.Start(t, hubtest.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, named{"slow", func(*hub.Host) { time.Sleep(time.Minute) }})
		if !strings.Contains(log.String(), "still in Init") || !strings.Contains(log.String(), "plugin=slow") {
			t.Errorf("the log says %q", log.String())
		}
	})
}
