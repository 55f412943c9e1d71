package console_test

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
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
