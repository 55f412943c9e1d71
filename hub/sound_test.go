package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// What a hook makes of a message is stored if it can be; else the message is, as
// it was, with the jobs of the other hooks.
func TestWhatCannotBeStoredIsThrownAway(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*hub.EventAppending)
		text   string // of the event; "" for the visitor's own
		jobs   int    // beside the earlier hook's
	}{
		"nothing":           {func(*hub.EventAppending) {}, "", 0},
		"another text":      {func(e *hub.EventAppending) { e.Event.Text = "better" }, "better", 0},
		"a long text":       {func(e *hub.EventAppending) { e.Event.Text = strings.Repeat("x", 60_000) }, strings.Repeat("x", 60_000), 0},
		"too long a text":   {func(e *hub.EventAppending) { e.Event.Text = strings.Repeat("x", 60_001) }, "", 0},
		"no text":           {func(e *hub.EventAppending) { e.Event.Text = "" }, "", 0},
		"no characters":     {func(e *hub.EventAppending) { e.Event.Text = "a\xff" }, "", 0},
		"a control":         {func(e *hub.EventAppending) { e.Event.Text = "a\x1b[2J" }, "", 0},
		"data":              {func(e *hub.EventAppending) { e.Event.Text, e.Event.Data = "with data", json.RawMessage(`{"turn":"1"}`) }, "with data", 0},
		"data of no object": {func(e *hub.EventAppending) { e.Event.Text, e.Event.Data = "x", json.RawMessage(`[1]`) }, "", 0},
		"data of no JSON":   {func(e *hub.EventAppending) { e.Event.Text, e.Event.Data = "x", json.RawMessage(`{"a"`) }, "", 0},
		"too much data": {func(e *hub.EventAppending) {
			e.Event.Data = json.RawMessage(`{"a":"` + strings.Repeat("x", 60_000) + `"}`)
		}, "", 0},
		"a job":            {func(e *hub.EventAppending) { e.Jobs = append(e.Jobs, hub.Job{Kind: "k", Key: "2"}) }, "", 1},
		"a job of no kind": {func(e *hub.EventAppending) { e.Jobs = append(e.Jobs, hub.Job{Key: "2"}) }, "", 0},
		"a job's long key": {func(e *hub.EventAppending) {
			e.Jobs = append(e.Jobs, hub.Job{Kind: "k", Key: strings.Repeat("x", 191)})
		}, "", 0},
		"a job's nonsense": {func(e *hub.EventAppending) {
			e.Jobs = append(e.Jobs, hub.Job{Kind: "k", Key: "2", Payload: json.RawMessage("{")})
		}, "", 0},
		"jobs without end": {func(e *hub.EventAppending) {
			for i := range 101 {
				e.Jobs = append(e.Jobs, hub.Job{Kind: "k", Key: fmt.Sprint("x", i)})
			}
		}, "", 0},
		"no jobs":         {func(e *hub.EventAppending) { e.Jobs = nil }, "", 0},
		"another's room":  {func(e *hub.EventAppending) { e.Event.Room, e.Room.ID = "nothing", "nothing" }, "", 0},
		"another's words": {func(e *hub.EventAppending) { e.Event.Author = hub.SystemAuthor }, "", 0},
		"what happened":   {func(e *hub.EventAppending) { e.Event.Type = hub.EventTakeover }, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			k, _ := start(t, hubtest.Options{},
				appending("earlier", func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
					e.Jobs = append(e.Jobs, hub.Job{Kind: "k", Key: "1"})
					return e, nil
				}),
				appending("changes", func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
					tt.change(&e)
					return e, nil
				}))
			c := k.Visitor(t)
			c.Say("hello")
			want := tt.text
			if want == "" {
				want = "hello"
			}
			if e := c.WantEvent(hub.EventMessage); e.Get("text") != want || e.Get("author.kind") != "visitor" {
				t.Errorf("stored: %.200s", e.Data)
			}
			if jobs := k.Memory.Jobs(); len(jobs) != 1+tt.jobs || jobs[0].Key != "1" {
				t.Errorf("jobs: %v", jobs)
			}
		})
	}
}

// The wording of a confirmation is bounded, too.
func TestAWordingThatCannotBeShown(t *testing.T) {
	for _, tt := range []struct {
		message string
		ok      bool
	}{
		{"We open at nine.", true}, {strings.Repeat("x", 4001), false}, {"\xff", false},
	} {
		var host *hub.Host
		start(t, hubtest.Options{}, pluginFunc(func(h *hub.Host) {
			host = h
			h.Hooks.BellRung.Bind(h, func(_ context.Context, e hub.BellRung) (hub.BellRung, error) {
				e.Message, e.Reachable = tt.message, true
				return e, nil
			})
		}))
		e, err := host.BellRung(t.Context(), hub.BellRung{})
		if err != nil || (e.Message == tt.message) != tt.ok || e.Reachable != tt.ok {
			t.Errorf("%.20q: %+v, %v", tt.message, e, err)
		}
	}
}
