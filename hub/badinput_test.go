package hub_test

import (
	"context"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// Each row is an input that every release is tried with; the number is the
// row's in the list of bad input.
func TestBadMessages(t *testing.T) {
	k, _ := start(t, hubtest.Options{Limits: &hub.Limits{MaxText: 4000}}, pluginFunc(func(h *hub.Host) {
		h.Handle("takeover", hub.From(hub.Admin), func(context.Context, hub.Frame) (any, error) { return nil, nil })
	}))
	deep := strings.Repeat(`[`, 17) + strings.Repeat(`]`, 17)
	for _, tt := range []struct {
		name, frame string
		code        hub.Code
	}{
		{"27 not JSON", `{"type":`, hub.CodeBadJSON},
		{"27 not an object", `7`, hub.CodeBadField},
		{"27 null", `null`, hub.CodeBadField},
		{"27 no type", `{"id":"a"}`, hub.CodeBadField},
		{"27 not UTF-8", "{\"type\":\"message\",\"id\":\"a\",\"data\":{\"text\":\"\xff\"}}", hub.CodeBadJSON},
		{"28 trailing data", `{"type":"typing"}{}`, hub.CodeBadJSON},
		{"29 duplicate keys", `{"type":"message","id":"a","data":{"text":"x","text":"y"}}`, hub.CodeBadJSON},
		{"29 keys that differ by case", `{"type":"message","id":"a","data":{"text":"x","TEXT":"y"}}`, hub.CodeBadJSON},
		{"30 too deep", `{"type":"message","id":"a","data":` + deep + `}`, hub.CodeTooDeep},
		{"31 unknown type", `{"type":"sudo","id":"a"}`, hub.CodeUnknownType},
		{"32 unknown field", `{"type":"message","id":"a","data":{"text":"x","color":"red"}}`, hub.CodeBadField},
		{"32 unknown field of the frame", `{"type":"message","id":"a","to":"b","data":{"text":"x"}}`, hub.CodeBadField},
		{"32 an empty field name", `{"":1,"type":"message","id":"a","data":{"text":"x"}}`, hub.CodeBadField},
		{"32 an empty field name before a value that names one", `{"":"type","id":"a"}`, hub.CodeBadField},
		{"33 wrong type", `{"type":"message","id":"a","data":{"text":7}}`, hub.CodeBadField},
		{"33 data is no object", `{"type":"message","id":"a","data":"x"}`, hub.CodeBadField},
		{"34 number overflow", `{"type":"history","id":"a","data":{"after":99999999999999999999}}`, hub.CodeBadField},
		{"34 number out of range", `{"type":"history","id":"a","data":{"after":-1}}`, hub.CodeBadField},
		{"34 exponent", `{"type":"history","id":"a","data":{"after":1e400}}`, hub.CodeBadField},
		{"34 fraction", `{"type":"history","id":"a","data":{"after":1.5}}`, hub.CodeBadField},
		{"39 no client id", `{"type":"message","data":{"text":"x"}}`, hub.CodeBadField},
		{"39 bad client id", `{"type":"message","id":"a b","data":{"text":"x"}}`, hub.CodeBadField},
		{"39 long client id", `{"type":"message","id":"` + strings.Repeat("a", 65) + `","data":{"text":"x"}}`, hub.CodeBadField},
		{"41 cursor from the future", `{"type":"history","id":"a","data":{"after":99}}`, hub.CodeResync},
		{"42 empty", `{"type":"message","id":"a","data":{"text":""}}`, hub.CodeBadText},
		{"42 blank", `{"type":"message","id":"a","data":{"text":" \n\t "}}`, hub.CodeBadText},
		{"42 overlong", `{"type":"message","id":"a","data":{"text":"` + strings.Repeat("é", 4001) + `"}}`, hub.CodeBadText},
		{"43 NUL", `{"type":"message","id":"a","data":{"text":"a\u0000b"}}`, hub.CodeBadText},
		{"43 bidi override", `{"type":"message","id":"a","data":{"text":"a\u202eb"}}`, hub.CodeBadText},
		{"43 bidi isolate", `{"type":"message","id":"a","data":{"text":"a\u2066b"}}`, hub.CodeBadText},
		{"46 a visitor's takeover", `{"type":"takeover","id":"a"}`, hub.CodeForbidden},
		{"46 a spoofed author", `{"type":"message","id":"a","data":{"text":"x","author":{"kind":"admin"}}}`, hub.CodeForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := k.Visitor(t, "shop")
			c.SendRaw(tt.frame)
			c.WantError(tt.code)
			c.Send("message", "after", text("the socket is still open"))
			c.Want("ack")
		})
	}
	t.Run("what is just allowed", func(t *testing.T) {
		c := k.Visitor(t, "shop")
		c.SendRaw(`{"type":"message","id":"` + strings.Repeat("a", 64) + `","data":{"text":"` + strings.Repeat("é", 4000) + `"}}`)
		c.Want("ack")
		c.SendRaw(`{"type":"message","id":"b","data":` + strings.Repeat(`[`, 15) + strings.Repeat(`]`, 15) + `}`)
		c.WantError(hub.CodeBadField) // its depth is fine, what it is is not
	})
	t.Run("a flood of refused frames", func(t *testing.T) {
		c := k.Visitor(t, "shop")
		for range 200 {
			c.SendRaw(`{"type":"sudo"}`)
		}
		c.WantClosed(hub.CloseFlood)
	})
	t.Run("40 client id reused", func(t *testing.T) {
		c := k.Visitor(t, "shop")
		c.Send("message", "a", text("x"))
		c.Want("ack")
		c.Send("message", "a", text("y"))
		c.WantError(hub.CodeMismatch)
	})
}

func TestBadHellos(t *testing.T) {
	k, domain := start(t, hubtest.Options{})
	mine, theirs := k.Visitor(t, "shop"), k.Visitor(t, "shop")
	ana := k.Memory.SignIn("Ana", domain.ID)
	for _, tt := range []struct {
		name  string
		hs    hub.Handshake
		frame string
		code  hub.Code
		close hub.CloseCode
	}{
		{name: "35 a message before hello", frame: `{"type":"message","id":"a","data":{"text":"x"}}`, close: hub.CloseUnknown},
		{name: "35 nonsense before hello", frame: `{`, close: hub.CloseUnknown},
		{name: "37 unknown token", frame: `{"type":"hello","data":{"domain":"shop","token":"nope"}}`, close: hub.CloseUnknown},
		{name: "38 another's room", frame: `{"type":"hello","id":"h","data":{"domain":"shop","token":"` + mine.Token + `","room":"` + theirs.Room + `"}}`, code: hub.CodeNotFound},
		{name: "41 cursor from the future", frame: `{"type":"hello","id":"h","data":{"domain":"shop","token":"` + mine.Token + `","after":7}}`, code: hub.CodeResync},
		{name: "unknown domain", frame: `{"type":"hello","id":"h","data":{"domain":"nope"}}`, code: hub.CodeNotFound},
		{name: "nothing named", frame: `{"type":"hello","id":"h"}`, code: hub.CodeBadField},
		{name: "unknown field", frame: `{"type":"hello","id":"h","data":{"domain":"shop","name":"Eve"}}`, code: hub.CodeBadField},
		{name: "a page of another domain", hs: hub.Handshake{Origin: "https://evil.example"}, frame: `{"type":"hello","id":"h","data":{"domain":"shop"}}`, code: hub.CodeForbidden},
		{name: "an admin from another page", hs: hub.Handshake{Identity: ana, Origin: "https://shop.example"}, frame: `{"type":"hello","id":"h","data":{"room":"` + mine.Room + `"}}`, code: hub.CodeForbidden},
		{name: "an admin without a session", hs: hub.Handshake{Origin: hubtest.Origin}, frame: `{"type":"hello","id":"h","data":{"room":"` + mine.Room + `"}}`, code: hub.CodeNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := k.Dial(t, tt.hs)
			c.SendRaw(tt.frame)
			if tt.close != 0 {
				c.WantClosed(tt.close)
				return
			}
			c.WantError(tt.code)
			c.Send("hello", "again", map[string]any{"domain": "shop"})
			if tt.hs.Origin == "https://evil.example" {
				c.WantError(hub.CodeForbidden)
				return
			}
			c.Want("welcome")
		})
	}
	t.Run("36 another hello after welcome", func(t *testing.T) {
		c := k.Visitor(t, "shop")
		c.Send("hello", "h", map[string]any{"domain": "shop"})
		c.WantClosed(hub.ClosePolicy)
	})
	t.Run("a fourth hello", func(t *testing.T) {
		c := k.Dial(t, hub.Handshake{})
		for range 3 {
			c.Send("hello", "h", map[string]any{"domain": "nope"})
			c.WantError(hub.CodeNotFound)
		}
		c.WantClosed(hub.ClosePolicy)
	})
	t.Run("74 a room that has ended", func(t *testing.T) {
		c := k.Visitor(t, "shop")
		k.Memory.CloseRoom(c.Room)
		c.Send("message", "a", text("x"))
		c.WantError(hub.CodeGone)
	})
	t.Run("37 expired token", func(t *testing.T) {
		c := k.Visitor(t, "shop")
		room, err := k.Memory.Room(context.Background(), c.Room)
		if err != nil {
			t.Fatal(err)
		}
		k.Memory.AgeVisitor(room.Visitor, 0)
		again := k.Dial(t, hub.Handshake{})
		again.Send("hello", "h", map[string]any{"domain": "shop", "token": c.Token})
		again.WantClosed(hub.CloseUnknown)
	})
}
