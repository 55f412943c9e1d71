package console_test

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// patient is a plugin with something of everything, which falls ill.
type patient struct {
	id   string
	ill  bool
	work error
	opts []hub.BindOption
}

func (p *patient) ID() string { return p.id }

func (p *patient) Init(_ context.Context, h *hub.Host) error {
	h.Handle(p.id+"-ask", hub.From(hub.Visitor), func(context.Context, hub.Frame) (any, error) { return nil, nil })
	h.Push(p.id+"-tell", hub.To(hub.Visitor))
	h.Hooks.EventAppending.Bind(h, func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
		if p.ill {
			return e, errors.New("no <pulse>\nand a stack")
		}
		return e, nil
	}, p.opts...)
	h.Hooks.EventStored.Bind(h, func(context.Context, hub.EventStored) {})
	return nil
}

// Run fails once.
func (p *patient) Run(context.Context) error {
	err := p.work
	p.work = nil
	return err
}

// card is a plugin's part of the page.
func card(t *testing.T, a answer, id string) string {
	t.Helper()
	_, rest, ok := strings.Cut(a.body, `id="plugin-`+id+`"`)
	if !ok {
		t.Fatalf("the page has no plugin %s", id)
	}
	card, _, _ := strings.Cut(rest, `</section>
  <section class="card`)
	return card
}

// order finds the plugins of an event, in the order in which the page has them.
func order(a answer, event string) []string {
	_, rest, _ := strings.Cut(a.body, "<dt><code>"+event)
	rest, _, _ = strings.Cut(rest, "</dd>")
	var ids []string
	for _, part := range strings.Split(rest, `href="#plugin-`)[1:] {
		id, _, _ := strings.Cut(part, `"`)
		ids = append(ids, id)
	}
	return ids
}

func say(c *hubtest.Client, text string) {
	c.Send("message", "id-"+text, map[string]any{"text": text})
	c.Want("ack", "error")
}

// TestPlugins has an operator look at the plugins while one of them falls ill
// and gets well.
func TestPlugins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		well := &patient{id: "well"}
		ill := &patient{id: "ill", opts: []hub.BindOption{hub.Order(-1), hub.Timeout(1500 * time.Millisecond)}}
		s := newSite(t, alerting(true), well, ill)
		const path = "/console/plugins"
		operator := s.signIn("op@kopitugu.example")

		// Nothing has happened, nor is there a domain. The kit's recorder is a plugin,
		// too.
		page := s.get(path, operator)
		page.want(t, http.StatusOK, "All 5 plugins are healthy.", "Since this server started; this node only.",
			`href="/console/plugins" aria-current="page"`, "Not called yet.", "never restarted")
		page.lacks(t, " open>", "Last error", "Needs a look", ">console.", "%!")
		if got := order(page, "EventAppending"); !slices.Equal(got, []string{"ill", "well", "hubtest"}) {
			t.Errorf("the order is %q", got)
		}
		hook := card(t, page, "ill")
		for _, words := range []string{"EventAppending", "1 of 3", "up to 1.5\u00a0s", "fails open", "<code>ill-ask</code>", "<code>ill-tell</code>"} {
			if !strings.Contains(hook, words) {
				t.Errorf("the card lacks %q:\n%s", words, hook)
			}
		}
		if alerting := card(t, page, "alerting"); strings.Contains(alerting, "<details") || !strings.Contains(alerting, "No hooks") {
			t.Errorf("there is something to unfold where there is nothing:\n%s", alerting)
		}

		d := s.domain("tugu")
		visitor := s.kit.Visitor(t, d.Key)
		say(visitor, "hello")
		ill.ill = true
		for _, text := range []string{"a", "b", "c", "d"} {
			say(visitor, text)
		}
		synctest.Wait()
		page = s.get(path, operator)
		page.want(t, http.StatusOK, `Needs a look:`, `1<span class="sr"> need a look</span>`)
		sick, other := card(t, page, "ill"), card(t, page, "well")
		for _, words := range []string{
			"<details open>", "Skipped", "its hooks are skipped, one is tried now and then", "no &lt;pulse&gt;",
			"<dt>ok</dt><dd>1</dd>", `class="bad"><dt>failed</dt><dd>3</dd>`, `class="bad"><dt>skipped</dt><dd>1</dd>`, `class="none"><dt>vetoed</dt><dd>0</dd>`,
		} {
			if !strings.Contains(sick, words) {
				t.Errorf("who is ill lacks %q:\n%s", words, sick)
			}
		}
		if strings.Contains(sick, "a stack") || strings.Contains(other, " open>") || !strings.Contains(other, "<dd>5</dd>") || !strings.Contains(other, "Healthy") {
			t.Errorf("who is well:\n%s", other)
		}
		s.get("/console/domains/"+d.ID, operator).want(t, http.StatusOK, `need a look`)

		// Well again, which shows at once as closed and in an hour as healthy.
		ill.ill = false
		time.Sleep(time.Minute)
		say(visitor, "e")
		page = s.get(path, operator)
		if sick = card(t, page, "ill"); !strings.Contains(sick, "Failing") || !strings.Contains(sick, "<dd>closed</dd>") {
			t.Errorf("a minute later:\n%s", sick)
		}
		time.Sleep(time.Hour)
		page = s.get(path, s.signIn("op@kopitugu.example")) // the old session was idle for too long
		page.want(t, http.StatusOK, "All 5 plugins are healthy.")
		if sick = card(t, page, "ill"); strings.Contains(sick, " open>") || !strings.Contains(sick, "went wrong: 3") || !strings.Contains(sick, "Last error") {
			t.Errorf("an hour later:\n%s", sick)
		}
	})
}

func TestPluginsBackgroundWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, alerting(true), &patient{id: "ill", work: errors.New("fainted"), opts: []hub.BindOption{hub.FailClosed()}})
		time.Sleep(time.Minute)
		page := s.do(http.MethodGet, "/console/plugins", s.signIn("op@kopitugu.example"), nil, "Accept-Language", "id")
		page.want(t, http.StatusOK, "Perlu diperiksa:", "Dijalankan ulang: 1", "<code>fainted</code>", "menolak saat gagal", "paling lama 2\u00a0s")
		page.lacks(t, ">console.", "%!")
	})
}

// artist is a patient whose page and panel cannot be shown.
type artist struct{ patient }

func (*artist) Pages() []hub.Page {
	return []hub.Page{{Slug: "sketch", Title: "console.list.title", Render: func(context.Context, hub.PageRequest) (hub.PageContent, error) {
		panic("no <paper>")
	}}}
}

func (*artist) Panels() []hub.Panel {
	return []hub.Panel{{Title: "console.email.title", Render: func(context.Context, hub.PanelRequest) (template.HTML, error) {
		return "", errors.New("no pencil")
	}}}
}

// TestPluginsWhosePagesFail: what cannot be shown is on its plugin's card, and
// costs it none of its hooks.
func TestPluginsWhosePagesFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, alerting(true), &artist{patient{id: "artist"}}, &patient{id: "well"}, guest{page: func(context.Context, hub.PageRequest) (hub.PageContent, error) {
			return hub.PageContent{}, hub.ErrNotFound // an answer, not a failure
		}})
		operator, d := s.signIn("op@kopitugu.example"), s.domain("tugu")
		for range 5 {
			s.get("/console/domains/"+d.ID+"/sketch", operator).want(t, http.StatusInternalServerError)
			s.get("/console/domains/"+d.ID+"/guest", operator).want(t, http.StatusNotFound)
		}
		page := s.get("/console/plugins", operator)
		page.want(t, http.StatusOK, `1<span class="sr"> need a look</span>`)
		ill := card(t, page, "artist")
		for _, words := range []string{"<details open>", "Failing", "<dt>Pages and panels</dt>", "<code>page sketch: panic: no &lt;paper&gt;</code>", "<dd>closed</dd>"} {
			if !strings.Contains(ill, words) {
				t.Errorf("the card lacks %q:\n%s", words, ill)
			}
		}
		for _, well := range []string{"well", "guest", "console"} {
			if got := card(t, page, well); !strings.Contains(got, "Healthy") || strings.Contains(got, "sketch") {
				t.Errorf("%s:\n%s", well, got)
			}
		}
		say(s.kit.Visitor(t, d.Key), "hello")
		s.get("/console/rooms/"+s.room(d, "hi").ID, operator).want(t, http.StatusOK, "could not be shown")
		ill = card(t, s.get("/console/plugins", operator), "artist")
		if !strings.Contains(ill, "<code>panel console.email.title: no pencil</code>") || !strings.Contains(ill, "<dt>ok</dt><dd>1</dd>") {
			t.Errorf("after its panel, and a message to its hook:\n%s", ill)
		}

		time.Sleep(time.Hour) // over, but not forgotten
		page = s.get("/console/plugins", s.signIn("op@kopitugu.example"))
		page.want(t, http.StatusOK, "plugins are healthy.")
		if ill = card(t, page, "artist"); !strings.Contains(ill, "no pencil") || strings.Contains(ill, " open>") {
			t.Errorf("an hour later:\n%s", ill)
		}
	})
}

// TestPluginsAreForOperators hides the page, and the way to it, from others.
func TestPluginsAreForOperators(t *testing.T) {
	s := newSite(t, alerting(true), &patient{id: "secretive"})
	d := s.domain("tugu")
	member := s.signIn("ana@kopitugu.example", d.ID)
	for _, cookie := range []string{member, ""} {
		a := s.get("/console/plugins", cookie)
		if want := map[bool]int{true: http.StatusNotFound, false: http.StatusUnauthorized}[cookie != ""]; a.StatusCode != want {
			t.Errorf("status %d, want %d", a.StatusCode, want)
		}
		a.lacks(t, "secretive")
	}
	unknown, hidden := s.get("/console/nowhere", member), s.get("/console/plugins", member)
	if unknown.body != hidden.body {
		t.Error("not the page of what does not exist")
	}
	s.get("/console/domains/"+d.ID, member).lacks(t, "/console/plugins")
	s.post("/console/plugins", s.signIn("op@kopitugu.example"), nil).want(t, http.StatusNotFound)

	r := s.room(d, "hi")
	_, token := s.link(r, s.rule(d, "team@kopitugu.example", ""), time.Hour)
	guest := s.post("/join/"+token, "", map[string][]string{"name": {"Ana"}}).cookie().Value
	s.get("/console/plugins", guest).want(t, http.StatusUnauthorized)
	s.get("/console/rooms/"+r.ID, guest).lacks(t, "/console/plugins")
}
