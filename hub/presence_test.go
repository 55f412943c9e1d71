package hub_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// Who stops typing without a word, or leaves in the middle of it, is forgotten
// after 6 s; who goes on says so again.
func TestTypingEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, domain := start(t, hubtest.Options{})
		visitor := k.Visitor(t, "shop")
		admin := k.Admin(t, k.Memory.SignIn("Ana", domain.ID), visitor.Room)
		typing := func(on bool) {
			t.Helper()
			if f := admin.Want("typing"); f.Get("on") != on || f.Get("author.kind") != "visitor" {
				t.Fatalf("typing: %s, want %v", f.Data, on)
			}
		}
		began := time.Now()
		visitor.Send("typing", "", map[string]any{"on": true})
		typing(true)
		time.Sleep(3 * time.Second)
		visitor.Send("typing", "", map[string]any{"on": true}) // still at it
		typing(true)
		typing(false)
		if took := time.Since(began); took != 9*time.Second {
			t.Errorf("forgotten after %s", took)
		}
		visitor.Send("typing", "", map[string]any{"on": true})
		typing(true)
		visitor.HangUp()
		typing(false)

		// Silence after what was typed has been said is no news.
		visitor = k.Again(t, visitor)
		visitor.Send("typing", "", map[string]any{"on": true})
		typing(true)
		visitor.Send("message", "c-1", text("done"))
		admin.WantEvent(hub.EventMessage)
		time.Sleep(time.Minute)
		for _, f := range admin.Drain() {
			if f.Type == "typing" {
				t.Errorf("typing after the message: %s", f.Data)
			}
		}
	})
}

// The visitor is told whether the person who answers is there; an admin whether
// the visitor is, by the page most in view, and who else looks at the room.
func TestWhoIsThere(t *testing.T) {
	var host *hub.Host
	k, domain := start(t, hubtest.Options{}, pluginFunc(func(h *hub.Host) { host = h }))
	visitor := k.Visitor(t, "shop")
	ana, budi := k.Memory.SignIn("Ana", domain.ID), k.Memory.SignIn("Budi", domain.ID)
	first := k.Admin(t, ana, visitor.Room)

	until := func(c *hubtest.Client, what, want string) {
		t.Helper()
		for { // the same may be told twice, or on the way to what is wanted
			f := c.Want("presence")
			got := fmt.Sprint(f.Get(what))
			if all, ok := f.Get(what).([]any); ok {
				got = ""
				for _, a := range all {
					got += " " + fmt.Sprint(a.(map[string]any)["name"])
				}
			}
			if got == want {
				return
			}
		}
	}
	until(first, "admins", " Ana")
	second := k.Admin(t, budi, visitor.Room)
	until(first, "admins", " Ana Budi")
	until(second, "admins", " Ana Budi")
	third := k.Admin(t, budi, visitor.Room) // in another window: the same person
	until(third, "admins", " Ana Budi")
	third.HangUp()
	second.HangUp()
	until(first, "admins", " Ana")

	_, err := host.Append(context.Background(), hub.Append{
		Room: visitor.Room, Type: hub.EventTakeover, Author: hub.Author{Kind: hub.Admin, ID: ana.ID, Name: "Ana"}, Epoch: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	until(visitor, "holder", "online")
	first.HangUp()
	until(visitor, "holder", "away")
	first = k.Admin(t, ana, visitor.Room)
	until(visitor, "holder", "online")

	page := k.Again(t, visitor)
	until(first, "visitor", "online")
	visitor.Send("presence", "", map[string]any{"state": "away"})
	visitor.Drain()
	page.HangUp() // the page that was in view
	until(first, "visitor", "away")
	visitor.HangUp()
	until(first, "visitor", "offline")
}
