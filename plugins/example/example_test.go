package example_test

import (
	"context"
	"flag"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/plugins/example"
	"github.com/bellhub/bellhub/storage"
)

// bell stands in for the plugin that a visitor calls with.
type bell struct{}

func (bell) ID() string { return "bell" }

func (bell) Init(_ context.Context, h *hub.Host) error {
	h.Handle("contact-admin", hub.From(hub.Visitor), func(ctx context.Context, f hub.Frame) (any, error) {
		return h.Append(ctx, hub.Append{
			Room: f.Room.ID, Type: hub.EventEscalation, Author: f.Author, Text: "Please", ClientID: f.ID, Hash: f.Hash,
			Data: hub.MarshalData(hub.Progress{Escalation: storage.NewID(), State: hub.StateLogged}),
		})
	})
	return nil
}

// shop is a hub with a database, a visitor, and Ana of the team in its room.
type shop struct {
	*hubtest.Kit
	plugin       *example.Plugin
	seen         *hubtest.Observer
	visitor, ana *hubtest.Client
}

func open(t *testing.T) shop {
	t.Helper()
	s := shop{plugin: example.New(), seen: hubtest.NewObserver()}
	s.Kit = hubtest.Start(t, hubtest.Options{Database: hubtest.SQLite, Observer: s.seen}, s.plugin, bell{})
	s.visitor = s.Visitor(t)
	s.ana = s.Admin(t, s.SignIn(t, "Ana"), s.visitor.Room)
	return s
}

// at tells the plugin where the visitor is.
func (s shop) at(id, url, title string) hubtest.Frame {
	s.visitor.Send("example-page", id, map[string]any{"url": url, "title": title})
	return s.visitor.Want("ack", "error")
}

// page and panel are what the console shows.
func (s shop) page(t *testing.T, lang string) string {
	t.Helper()
	c, err := s.plugin.Pages()[0].Render(s.Ctx, hub.PageRequest{Domain: s.Domain.ID, Lang: lang})
	if err != nil {
		t.Fatal(err)
	}
	return string(c.HTML)
}

func (s shop) panel(t *testing.T) string {
	t.Helper()
	room, err := storage.RoomIn(s.Ctx, s.Domain.ID, s.visitor.Room)
	if err != nil {
		t.Fatal(err)
	}
	html, err := s.plugin.Panels()[0].Render(s.Ctx, hub.PanelRequest{Room: room, Lang: "en"})
	if err != nil {
		t.Fatal(err)
	}
	return string(html)
}

func TestTheTeamSeesWhereTheVisitorIs(t *testing.T) {
	s := open(t)
	if html := s.panel(t); html != "" {
		t.Errorf("beside a visitor who never said: %s", html)
	}
	if ack := s.at("1", "https://shop.example/beans?token=secret#top", "Our <beans>"); ack.Get("url") != "https://shop.example/beans" {
		t.Errorf("kept: %s", ack.Data)
	}
	if f := s.ana.Want("example-moved"); f.Get("title") != "Our <beans>" || f.Get("url") != "https://shop.example/beans" {
		t.Errorf("Ana is told %s", f.Data)
	}
	s.at("2", "https://shop.example/cart", "")
	s.ana.Want("example-moved")
	if html := s.panel(t); !strings.Contains(html, `href="https://shop.example/cart"`) || strings.Contains(html, "beans") {
		t.Errorf("beside the conversation: %s", html)
	}
	for _, f := range s.visitor.Drain() {
		if f.Type == "example-moved" {
			t.Errorf("the visitor gets what the team does: %s", f.Data)
		}
	}
}

// What is kept fits its columns, which MySQL holds it to.
func TestWhatIsKeptOfAPageFits(t *testing.T) {
	s := open(t)
	long := "https://shop.example/" + strings.Repeat("a", 400)
	ack := s.at("1", long, "") // without a title it is the address
	if title, _ := ack.Get("title").(string); ack.Get("url") != long || title == "" || utf8.RuneCountInString(title) > 200 {
		t.Errorf("kept: %s %s", ack.Type, ack.Data)
	}
	// What follows the question mark is not kept, however long.
	if ack := s.at("3", "https://shop.example/tea?"+strings.Repeat("a", 600), "Tea"); ack.Get("url") != "https://shop.example/tea" {
		t.Errorf("kept: %s %s", ack.Type, ack.Data)
	}
	// Written out, its characters take six bytes each.
	if f := s.at("2", "https://shop.example/"+strings.Repeat("é", 100), "Tea"); f.Get("code") != string(hub.CodeBadField) {
		t.Errorf("kept: %s", f.Data)
	}
}

func TestWhatIsNoPageIsRefused(t *testing.T) {
	s := open(t)
	for _, url := range []string{"", "beans", "javascript:alert(1)", "https://", "ftp://shop.example/", "https://shop.example/" + strings.Repeat("a", 500)} {
		if f := s.at("1", url, "Beans"); f.Get("code") != string(hub.CodeBadField) {
			t.Errorf("%q: %s", url, f.Data)
		}
	}
}

func TestTheOwnerSeesWhereCallsComeFrom(t *testing.T) {
	s := open(t)
	if html := s.page(t, "id"); !strings.Contains(html, "Belum ada") || !strings.Contains(html, "30 hari") {
		t.Errorf("before any call: %s", html)
	}
	s.visitor.Send("contact-admin", "b-1", nil)
	s.visitor.Want("ack")
	s.seen.Want(t, "counter example bells unknown", 1)
	s.at("1", "https://shop.example/returns", "Returns")
	for _, id := range []string{"b-2", "b-3", "b-3"} { // the last one is the same once more
		s.visitor.Send("contact-admin", id, nil)
		s.visitor.Want("ack")
	}
	s.seen.Want(t, "counter example bells known", 2)
	if html := s.page(t, "en"); !strings.Contains(html, `>Returns</a> <span class="badge bell">2</span>`) {
		t.Errorf("after two calls from one page: %s", html)
	}
}

func TestSettings(t *testing.T) {
	for value, ok := range map[string]bool{"1": true, "0": false} {
		p := example.New()
		fs := flag.NewFlagSet("test", flag.ContinueOnError)
		p.Flags(fs)
		if err := fs.Parse([]string{"-example-days", value}); err != nil {
			t.Fatal(err)
		}
		if err := p.Validate(); (err == nil) != ok {
			t.Errorf("-example-days %s: %v", value, err)
		}
	}
}

func TestConforms(t *testing.T) {
	hubtest.Conform(t, func() hub.Plugin { return example.New() })
}
