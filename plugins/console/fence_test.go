package console_test

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// guest is a plugin with a page and panels that behave as the test says.
type guest struct {
	page   func(context.Context, hub.PageRequest) (hub.PageContent, error)
	panels []hub.Panel
}

func (guest) ID() string                            { return "guest" }
func (guest) Init(context.Context, *hub.Host) error { return nil }
func (g guest) Panels() []hub.Panel                 { return g.panels }

func (g guest) Pages() []hub.Page {
	return []hub.Page{{Slug: "guest", Title: "console.list.title", Render: g.page}}
}

// whoAsks is what a panel was asked for, in its place.
func whoAsks(_ context.Context, r hub.PanelRequest) (template.HTML, error) {
	if r.Member {
		return template.HTML("<p>member " + r.Lang + " " + r.Room.Ref + "</p>"), nil
	}
	return template.HTML("<p>guest " + r.Lang + " " + r.Room.Ref + "</p>"), nil
}

func nothing(context.Context, hub.PanelRequest) (template.HTML, error) { return " \n", nil }

func panics(context.Context, hub.PanelRequest) (template.HTML, error) { panic("at the panel") }

func fails(context.Context, hub.PanelRequest) (template.HTML, error) {
	return "<p>half", errors.New("no")
}

// TestPanels has a member and the holder of an emailed link look at a room that
// plugins show panels beside, of which some are of no use.
func TestPanels(t *testing.T) {
	s := newSite(t, alerting(true), guest{panels: []hub.Panel{
		{Title: "console.settings.title", Render: panics},
		{Title: "console.email.title", Render: fails},
		{Title: "console.signIn.title", Render: nothing},
		{Title: "console.menu.conversations", Render: whoAsks},
	}})
	d := s.domain("tugu")
	r := s.room(d, "hi")
	path := "/console/rooms/" + r.ID
	page := s.get(path, s.signIn("ana@kopitugu.example", d.ID))
	page.want(t, http.StatusOK, "<h2>Conversations</h2>", "<p>member en "+r.Ref+"</p>",
		"Settings: could not be shown.", "Email Settings: could not be shown.")
	page.lacks(t, "half", "at the panel", "<h2>Sign in</h2>", "<p>guest")

	_, token := s.link(r, s.rule(d, "team@kopitugu.example", "Support"), time.Hour)
	joined := s.post("/join/"+token, "", url.Values{"name": {"Ana"}}).cookie()
	page = s.do(http.MethodGet, path, joined.Value, nil, "Accept-Language", "id")
	page.want(t, http.StatusOK, "<p>guest id "+r.Ref+"</p>", "tidak dapat ditampilkan")
	page.lacks(t, "<p>member")
}

// TestSlowPanels holds the room's page to one timeout, whatever is beside it.
func TestSlowPanels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		var asked atomic.Int32
		stuck := func(context.Context, hub.PanelRequest) (template.HTML, error) {
			asked.Add(1)
			<-over
			return "<p>too late</p>", nil
		}
		patient := func(ctx context.Context, _ hub.PanelRequest) (template.HTML, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}
		slow := func(context.Context, hub.PanelRequest) (template.HTML, error) {
			time.Sleep(hub.HookTimeout - time.Millisecond)
			return "<p>just in time</p>", nil
		}
		s := newSite(t, alerting(true), guest{panels: []hub.Panel{
			{Title: "console.settings.title", Render: stuck},
			{Title: "console.email.title", Render: patient},
			{Title: "console.domains.title", Render: slow},
			{Title: "console.menu.conversations", Render: whoAsks},
		}})
		d := s.domain("tugu")
		r := s.room(d, "hi")
		me := s.signIn("ana@kopitugu.example", d.ID)
		look := func() (answer, time.Duration) {
			began := time.Now()
			return s.get("/console/rooms/"+r.ID, me), time.Since(began)
		}
		// Those who are stuck cost each reader the same, until there are too many.
		for range 16 {
			page, took := look()
			page.want(t, http.StatusOK, "Settings: could not be shown.", "Email Settings: could not be shown.", "just in time", "<p>member")
			if page.lacks(t, "too late"); took != hub.HookTimeout {
				t.Fatalf("took %v", took)
			}
		}
		page, _ := look()
		if page.want(t, http.StatusOK, "Settings: could not be shown."); asked.Load() != 16 {
			t.Errorf("asked %d times, while 16 renderings still run", asked.Load())
		}
		close(over)
		synctest.Wait()
		page, _ = look()
		page.want(t, http.StatusOK, "<p>too late</p>") // in time now, and asked again
	})
}

// TestPageOfAFailingPlugin finds the console whole around a page that is not.
func TestPageOfAFailingPlugin(t *testing.T) {
	for name, c := range map[string]struct {
		page  func(context.Context, hub.PageRequest) (hub.PageContent, error)
		words string
	}{
		"panics": {func(context.Context, hub.PageRequest) (hub.PageContent, error) { panic("at the page") }, "makes it failed."},
		"fails": {func(context.Context, hub.PageRequest) (hub.PageContent, error) {
			return hub.PageContent{HTML: "half"}, errors.New("at the page")
		}, "makes it failed."},
		"hangs": {func(ctx context.Context, _ hub.PageRequest) (hub.PageContent, error) {
			<-ctx.Done()
			return hub.PageContent{Redirect: "/late"}, nil
		}, "took too long."},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, alerting(true), guest{page: c.page})
				d := s.domain("tugu")
				path, me := "/console/domains/"+d.ID+"/guest", s.signIn("ana@kopitugu.example", d.ID)
				page := s.get(path, me)
				page.want(t, http.StatusInternalServerError, "<h1>Conversations</h1>", "This page could not be shown", c.words,
					`aria-current="page" data-slug="guest"`, `href="`+path+`">Try again`)
				page.lacks(t, "at the page", "half", "Your form")
				s.post(path, me, url.Values{"a": {"b"}}).want(t, http.StatusInternalServerError, "Your form may have been carried out or not")
				s.get("/console/domains/"+d.ID, me).want(t, http.StatusOK)
			})
		})
	}
}
