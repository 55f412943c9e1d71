package console_test

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
)

// shelf is a plugin with pages: one for each icon.
type shelf []string

func (shelf) ID() string                            { return "shelf" }
func (shelf) Init(context.Context, *hub.Host) error { return nil }

func (icons shelf) Pages() []hub.Page {
	var all []hub.Page
	for i, icon := range icons {
		all = append(all, hub.Page{
			Slug: fmt.Sprintf("p%d", i), Title: "console.list.title", Icon: icon,
			Render: func(context.Context, hub.PageRequest) (hub.PageContent, error) {
				return hub.PageContent{HTML: template.HTML("<p>here</p>")}, nil
			},
		})
	}
	return all
}

var entry = regexp.MustCompile(`data-slug="(\w*)"`)

// slugs are the entries in a part of a page, in order.
func slugs(html string) []string {
	var all []string
	for _, m := range entry.FindAllStringSubmatch(html, -1) {
		all = append(all, m[1])
	}
	return all
}

// TestTheMenuOnAPhone: what does not fit into the bar is behind its last place,
// which says so where the page is one of them.
func TestTheMenuOnAPhone(t *testing.T) {
	for _, tt := range []struct {
		name      string
		pages     int
		at        string // the page that is looked at
		bar, rest []string
		current   bool // of what opens the rest
	}{
		{"all fit", 2, "/settings", []string{"", "email", "p0", "p1", "settings"}, nil, false},
		{"one too many, at the bar's first", 3, "", []string{"", "email", "p0", "p1"}, []string{"p2", "settings"}, false},
		{"at the bar's last", 3, "/p1", []string{"", "email", "p0", "p1"}, []string{"p2", "settings"}, false},
		{"at a plugin's page in the rest", 4, "/p3", []string{"", "email", "p0", "p1"}, []string{"p2", "p3", "settings"}, true},
		{"at our own page in the rest", 5, "/settings", []string{"", "email", "p0", "p1"}, []string{"p2", "p3", "p4", "settings"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, alerting(true), make(shelf, tt.pages))
			d := s.domain("tugu")
			me := s.signIn("ana@kopitugu.example", d.ID)
			page := s.get("/console/domains/"+d.ID+tt.at, me)
			page.want(t, http.StatusOK, fmt.Sprintf(`aria-current="page" data-slug=%q`, strings.TrimPrefix(tt.at, "/")))
			if n := strings.Count(page.body, `aria-current="page" data-slug`); n != 1 {
				t.Errorf("%d entries are current", n)
			}
			_, nav, _ := strings.Cut(page.body, `<nav class="nav"`)
			nav, _, _ = strings.Cut(nav, "</nav>")
			bar, sheet, more := strings.Cut(nav, `<div id="more" popover>`)
			if got := slugs(bar); !slices.Equal(got, tt.bar) {
				t.Errorf("the bar has %q, want %q", got, tt.bar)
			}
			if got := slugs(sheet); !slices.Equal(got, tt.rest) {
				t.Errorf("the rest is %q, want %q", got, tt.rest)
			}
			if more != (tt.rest != nil) || more != strings.Contains(bar, `popovertarget="more"`) || more != strings.Contains(bar, "<span>More</span>") {
				t.Errorf("More opens the rest where there is one:\n%s", nav)
			}
			if got := strings.Contains(bar, `popovertarget="more" aria-current="true"`); got != tt.current {
				t.Errorf("More is current: %v, want %v", got, tt.current)
			}
		})
	}
}

// TestPageIcons: a plugin's page has the icon that it brings, and a sheet of
// paper where that is none; what could be markup is never written out.
func TestPageIcons(t *testing.T) {
	const (
		own   = "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 7.5V12l3\n2.5e0,+0"
		sheet = "M6 3.5h8.5L18 7v13.5H6zM9 11h6M9 15h6"
	)
	icons := []struct{ name, icon, want string }{
		{"its own", own, own},
		{"relative from the start", "m4 4 16 16", "m4 4 16 16"},
		{"none", "", sheet},
		{"a command alone", "M", sheet},
		{"nothing is moved to first", "L4 4", sheet},
		{"a name", "bell", sheet},
		{"an attribute", `M4 4h9" onload="alert(1)`, sheet},
		{"an element", `M4 4"/></svg><script>alert(1)</script>`, sheet},
		{"an entity", "M4 4&#34;", sheet},
		{"another element's reference", "M4 4url(#a)", sheet},
	}
	var all shelf
	for _, tt := range icons {
		all = append(all, tt.icon)
	}
	s := newSite(t, alerting(true), all)
	d := s.domain("tugu")
	page := s.get("/console/domains/"+d.ID, s.signIn("ana@kopitugu.example", d.ID))
	for i, tt := range icons {
		t.Run(tt.name, func(t *testing.T) {
			page.want(t, http.StatusOK, fmt.Sprintf(`data-slug="p%d"><svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="%s"/></svg><span>Conversations</span>`, i, tt.want))
		})
	}
	page.lacks(t, "alert(1)", "onload", "url(#a)")
}
