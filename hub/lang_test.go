package hub_test

import (
	"context"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// A visitor's widget says what it reads, and hooks can answer in it.
func TestHooksKnowTheVisitorsLanguage(t *testing.T) {
	var host *hub.Host
	k, _ := start(t, hubtest.Options{Texts: hub.Texts{"en": {"no": "No."}, "id": {"no": "Tidak."}}},
		named{"strict", func(h *hub.Host) {
			host = h
			h.Hooks.EventAppending.Bind(h, func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
				return e, hub.Veto("", h.Text(e.Lang, "no"))
			})
		}})
	for lang, want := range map[string]string{"": "No.", "en": "No.", "id": "Tidak.", "id-ID": "Tidak.", "fr, id;q=0.5": "Tidak.", "fr": "No."} {
		c := k.Dial(t, hub.Handshake{})
		c.Send("hello", "h", map[string]any{"domain": "shop", "lang": lang})
		c.Want("welcome")
		c.Send("message", "m", text("hi"))
		if e := c.WantError(hub.CodeVetoed); e.Get("message") != want {
			t.Errorf("%q: %s, want %q", lang, e.Data, want)
		}
	}
	c := k.Dial(t, hub.Handshake{})
	c.Send("hello", "h", map[string]any{"domain": "shop", "lang": strings.Repeat("x", 65)})
	c.WantError(hub.CodeBadField)
	_, err := host.Append(t.Context(), hub.Append{Room: k.Visitor(t, "shop").Room, Type: hub.EventMessage, Author: hub.Author{Kind: hub.AI}, Text: "hi", ClientID: "a"})
	if err == nil || err.Error() == "" || !strings.Contains(err.Error(), "No.") {
		t.Errorf("who has no language: %v", err)
	}
}
