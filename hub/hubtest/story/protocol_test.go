package story

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/spec/spectest"
)

// TestEveryFrameAsDescribed has everything said that the protocol knows, by the
// whole program, and holds each frame to its description. What is described and
// never comes, and what a member may send and is not described, fails it.
func TestEveryFrameAsDescribed(t *testing.T) {
	p := start(t, "")
	all := spectest.Open(t)
	follow := func(c *client) *client {
		c.talk = all.Dialogue()
		return c
	}
	owner := p.browser(t)
	owner.signIn("the console")
	at, status, _ := owner.get("/console")
	if status != http.StatusOK {
		t.Fatalf("console: %d", status)
	}
	domain := at.Path[strings.LastIndex(at.Path, "/")+1:]
	fromConsole := http.Header{"Origin": {p.url}, "Cookie": {owner.cookies()}}

	// An admin watches the list, and a visitor comes.
	watcher := follow(p.dial(t, fromConsole))
	watcher.send("hello", "w", map[string]any{"watch": domain})
	watcher.want("welcome")
	visitor := follow(p.dial(t, http.Header{"Origin": {p.url}}))
	visitor.send("hello", "h-0", map[string]any{"domain": "nobody"})
	if f := visitor.want("error"); f.Data["code"] != "not_found" {
		t.Errorf("a hello to nobody: %v", f.Data)
	}
	visitor.hello(map[string]any{"domain": "demo"})
	visitor.ask("greeting", "g-1", map[string]any{"page": "/demo", "open": 1}) // nobody has written one
	visitor.say("c-1", "Do you ship to Oslo?")
	visitor.wantEvent(0, hub.EventMessage, hub.AI)
	watcher.want("room")
	visitor.ask("contact-admin", "c-2", map[string]any{"reason": "An invoice, please"})
	visitor.wantEvent(0, hub.EventNotice, hub.System)
	visitor.send("history", "p-1", map[string]any{"before": 2, "limit": 1})
	visitor.want("history")
	visitor.send("message", "c-3", map[string]any{"text": " "})
	if f := visitor.want("error"); f.Data["code"] != "bad_text" {
		t.Errorf("an empty message: %v", f.Data)
	}

	// A person comes, answers, and goes.
	admin := follow(p.dial(t, fromConsole))
	admin.hello(map[string]any{"room": visitor.room})
	admin.want("presence")
	visitor.send("presence", "p-2", map[string]any{"state": "away"})
	admin.want("presence")
	visitor.send("typing", "p-3", map[string]any{"on": true})
	admin.want("typing")
	admin.ask("takeover", "a-1", map[string]any{"epoch": 1})
	visitor.want("presence")
	admin.ask("handback", "a-2", map[string]any{})
	visitor.wantEvent(0, hub.EventHandback, hub.Admin)
	again := follow(p.dial(t, http.Header{"Origin": {p.url}}))
	again.hello(map[string]any{"domain": "demo", "token": visitor.token, "room": visitor.room, "after": 1})

	if unseen := all.Unseen(); len(unseen) > 0 {
		t.Errorf("described, but never sent: %v", unseen)
	}
	for who, may := range map[string][]string{"visitors": visitor.frames, "admins": admin.frames} {
		slices.Sort(may)
		if described := all.Receives(who); !slices.Equal(may, described) {
			t.Errorf("%s may send %v, described are %v", who, may, described)
		}
	}
}
