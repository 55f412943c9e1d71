package hub

import (
	"context"
	"fmt"
	"html/template"
	"net/url"
)

// Pager offers pages for the console, which frames them.
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

// Paneler offers panels that stand beside a conversation in the console.
type Paneler interface{ Panels() []Panel }

// Panel stands beside a conversation. The console has checked that its reader
// may see the room.
type Panel struct {
	Title string // a key of the texts
	// Render makes the content; an empty one leaves the panel out. It is asked
	// each time the room's page is loaded, and has [HookTimeout].
	Render func(ctx context.Context, r PanelRequest) (template.HTML, error)
}

// PanelRequest is what a panel is asked for.
type PanelRequest struct {
	Room   Room
	Lang   string // the reader's language, for Host.Text
	Member bool   // the reader belongs to the domain; otherwise it came by an emailed link
}

// consoleSlugs are the addresses of the console's own pages of a domain.
var consoleSlugs = map[string]string{"email": "the console", "settings": "the console"}

// checkPages refuses pages that would hide each other.
func checkPages(plugins []Plugin) error {
	owner := map[string]string{}
	for slug, who := range consoleSlugs {
		owner[slug] = who
	}
	for _, p := range plugins {
		pager, ok := p.(Pager)
		if !ok {
			continue
		}
		err := Guarded(p, func() error {
			for _, page := range pager.Pages() {
				if page.Slug == "" || url.PathEscape(page.Slug) != page.Slug {
					return fmt.Errorf("the page %q has no address: want a slug as in office-hours", page.Slug)
				}
				if other := owner[page.Slug]; other != "" {
					return fmt.Errorf("the page %q belongs to %s already", page.Slug, other)
				}
				owner[page.Slug] = p.ID()
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("hub: %w", err)
		}
	}
	return nil
}
