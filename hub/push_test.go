package hub_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// A plugin's own frame reaches the members that it is for, in its room, and
// nobody else; what cannot be sent is left out.
func TestPushedFrames(t *testing.T) {
	var wave, shout func(room string, data any)
	k := hubtest.Start(t, hubtest.Options{}, pluginFunc(func(h *hub.Host) {
		wave = h.Push("wave", hub.To(hub.Visitor))
		shout = h.Push("shout", hub.To(hub.Visitor, hub.Admin))
	}))
	visitor, stranger := k.Visitor(t), k.Visitor(t)
	page := k.Again(t, visitor)
	admin := k.Admin(t, k.SignIn(t, "Ana"), visitor.Room)
	wave(visitor.Room, make(chan int))              // no JSON
	wave(visitor.Room, strings.Repeat("x", 16<<10)) // too large
	wave("nothing", "nobody is there")              // no such room
	wave(visitor.Room, map[string]any{"hand": "left"})
	shout(visitor.Room, nil)
	for _, tt := range []struct {
		who  *hubtest.Client
		want string
	}{
		{visitor, `wave {"hand":"left"} shout null`}, {page, `wave {"hand":"left"} shout null`}, {admin, "shout null"}, {stranger, ""},
	} {
		var got []string
		for _, f := range tt.who.Drain() {
			if f.Type == "wave" || f.Type == "shout" {
				got = append(got, fmt.Sprintf("%s %s", f.Type, f.Data))
			}
		}
		if all := strings.Join(got, " "); all != tt.want {
			t.Errorf("got %q, want %q", all, tt.want)
		}
	}
}

// What was declared for visitors cannot be widened by who declared it.
func TestTheKindsOfAPushAreTheDeclaredOnes(t *testing.T) {
	kinds := []hub.Kind{hub.Admin}
	var push func(room string, data any)
	k := hubtest.Start(t, hubtest.Options{}, pluginFunc(func(h *hub.Host) { push = h.Push("note", kinds) }))
	kinds[0] = hub.Visitor
	c := k.Visitor(t)
	push(c.Room, "for the team")
	for _, f := range c.Drain() {
		if f.Type == "note" {
			t.Errorf("the visitor is shown %s", f.Data)
		}
	}
}
