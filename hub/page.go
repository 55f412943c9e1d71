package hub

import (
	"context"
	"fmt"
	"html/template"
	"maps"
	"net/url"
)

// Pager offers pages for the console, which frames them. It is asked once, when
// all plugins have been initialised.
type Pager interface{ Pages() []Page }

// Page is a page of a domain in the console, at
// /console/domains/<domain>/<Slug>. The console has checked that its reader may
// see the domain.
type Page struct {
	Slug  string // of its address, as in office-hours; two plugins cannot have the same
	Title string // a key of the texts
	// Icon stands beside the title in the menu: the path data of an SVG (what a
	// path has in its d), on a grid of 24 by 24, with 3 left free at each edge. It is
	// not filled, and stroked 1.6 wide with round ends and corners. An empty one,
	// or what is no path data, is shown as a sheet of paper.
	Icon string
	// Render makes the page's content. A POST comes here too, with its form;
	// it answers with a Redirect, or with the page and what was wrong. ErrNotFound,
	// as for a domain that is not there any more, is shown as "not found"; any other
	// error as a page that failed, whatever it says.
	Render func(ctx context.Context, r PageRequest) (PageContent, error)
	Plugin string // whose it is; the hub fills it in
}

// PageRequest is what a page is asked for.
type PageRequest struct {
	Domain string     // the domain's id
	Path   string     // where the page is, to build links and forms
	Post   bool       // a form was sent
	Form   url.Values // the query, or the form of a POST
	Lang   string     // the reader's language, for Host.Text
}

// PageContent is what a page shows, or where it sends its reader.
type PageContent struct {
	HTML     template.HTML
	Redirect string // a path, after a POST that worked
}

// Paneler offers panels that stand beside a conversation in the console. It is
// asked once, as a [Pager] is.
type Paneler interface{ Panels() []Panel }

// Panel stands beside a conversation. The console has checked that its reader
// may see the room.
type Panel struct {
	Title string // a key of the texts
	// Render makes the content; an empty one leaves the panel out. It is asked
	// each time the room's page is loaded, and has [HookTimeout].
	Render func(ctx context.Context, r PanelRequest) (template.HTML, error)
	Plugin string // whose it is; the hub fills it in
}

// PanelRequest is what a panel is asked for.
type PanelRequest struct {
	Room   Room
	Lang   string // the reader's language, for Host.Text
	Member bool   // the reader belongs to the domain; otherwise it came by an emailed link
}

// consoleSlugs are the addresses of the console's own pages of a domain.
var consoleSlugs = map[string]string{"email": "the console", "settings": "the console"}

// collect asks the plugins for their pages and panels, once, and refuses pages
// that would hide each other.
func (h *Hub) collect() error {
	owner := maps.Clone(consoleSlugs)
	for _, p := range h.plugins {
		if err := Guarded(p, func() error { return h.collectFrom(p, owner) }); err != nil {
			return fmt.Errorf("hub: %w", err)
		}
	}
	return nil
}

// collectFrom is collect for one plugin. Owners are by a page's address.
func (h *Hub) collectFrom(p Plugin, owner map[string]string) error {
	if pager, ok := p.(Pager); ok {
		for _, page := range pager.Pages() {
			if page.Slug == "" || url.PathEscape(page.Slug) != page.Slug {
				return fmt.Errorf("the page %q has no address: want a slug as in office-hours", page.Slug)
			}
			if other := owner[page.Slug]; other != "" {
				return fmt.Errorf("the page %q belongs to %s already", page.Slug, other)
			}
			owner[page.Slug], page.Plugin = p.ID(), p.ID()
			h.pages = append(h.pages, page)
		}
	}
	if paneler, ok := p.(Paneler); ok {
		for _, panel := range paneler.Panels() {
			panel.Plugin = p.ID()
			h.panels = append(h.panels, panel)
		}
	}
	return nil
}
