package hubtest

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// wide is a character that takes as many bytes as any.
const wide = "\U0001F514" // a bell

// mysql has a plugin with tables of its own work on MySQL, which holds a column to
// its size where SQLite takes anything. It is left out where MariaDB is not
// installed.
func (c *conformance) mysql(t *testing.T) {
	if m, ok := c.create().(storage.Migrator); !ok || len(m.Migrations()) == 0 {
		return
	}
	if _, err := lookup("mariadbd"); err != nil {
		t.Log("left out:", err) // whoever writes a plugin needs Go alone
		return
	}
	steps, err := storage.MigrationsOf([]hub.Plugin{c.create()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, store := MySQL(t, steps...)
	o := Options{
		Database: func(testing.TB, ...storage.Migration) (context.Context, *storage.Store) { return ctx, store },
		Domain:   hub.Domain{Name: "Shop", AI: true}, // with a key of its own
	}
	t.Run("Conversation", func(t *testing.T) { c.longest(t, o) })
	t.Run("Pages", func(t *testing.T) {
		c.eachPage(t, o, func(t *testing.T, p pageAt) {
			c.page(t, p)
			p.widths(t)
		})
	})
}

// longest has a visitor say as much as it may, and send the plugin's frames.
func (c *conformance) longest(t *testing.T, o Options) {
	k := c.start(t, o, nil, nil)
	visitor := k.Visitor(t)
	for _, text := range []string{odd, strings.Repeat("x", hub.DefaultLimits().MaxText), strings.Repeat(wide, hub.DefaultLimits().MaxText)} {
		visitor.Send("message", fmt.Sprint("m-", len(text)), map[string]any{"text": text})
		visitor.Want("ack", "error") // the plugin may refuse it
	}
	c.nonsenseOf(t, k)
	for _, h := range c.info(k).Hooks {
		if h.Calls[hub.HookFailed] > 0 {
			t.Errorf("%s fails on MySQL: %s", h.Name, h.LastError.Text)
		}
	}
}

// widths finds, for each field of the page's first forms, how much it takes: the
// most that the plugin lets through must fit into what it is kept in.
func (p pageAt) widths(t *testing.T) {
	t.Helper()
	for _, f := range p.forms(t, p.fresh(t)) {
		all := fillings("amaranth")
		i := slices.IndexFunc(all, func(how filling) bool { return p.takes(t, f.String(), f.fill(how)) })
		if i < 0 {
			continue // nothing that we can think of is right
		}
		for _, field := range f.typed {
			for _, character := range []string{"x", wide} {
				most, least := 0, 1<<17 // how many more it takes, and does not
				for most+1 < least && !t.Failed() {
					n := (most + least) / 2
					form := f.fill(all[i])
					form.Set(field.name, form.Get(field.name)+strings.Repeat(character, n))
					if p.takes(t, fmt.Sprintf("%s with %d more %q in %s", f, n, character, field.name), form) {
						most = n
					} else {
						least = n
					}
				}
			}
		}
	}
}

// takes tells whether a form changes anything in a fresh domain.
func (p pageAt) takes(t *testing.T, what string, form url.Values) bool {
	t.Helper()
	domain := p.fresh(t)
	before := p.views(t, domain)
	p.send(t, domain, what, form)
	return !maps.Equal(before, p.views(t, domain))
}
