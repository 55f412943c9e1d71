package console_test

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/static"
)

// pager is a plugin with a page.
type pager struct{}

func (pager) ID() string                            { return "pager" }
func (pager) Init(context.Context, *hub.Host) error { return nil }

func (pager) Pages() []hub.Page {
	return []hub.Page{{Slug: "escalations", Title: "console.menu.conversations", Render: func(_ context.Context, r hub.PageRequest) (hub.PageContent, error) {
		if r.Post {
			return hub.PageContent{Redirect: r.Form.Get("to")}, nil
		}
		if r.Form.Get("gone") != "" {
			return hub.PageContent{}, hub.ErrNotFound
		}
		return hub.PageContent{HTML: template.HTML("<p>" + template.HTMLEscapeString(r.Domain+r.Path+r.Lang+r.Form.Get("q")) + "</p>")}, nil
	}}}
}

func TestPluginPage(t *testing.T) {
	s := newSite(t, alerting(true), pager{})
	d := s.domain("tugu")
	me := s.signIn("ana@kopitugu.example", d.ID)
	path := "/console/domains/" + d.ID + "/escalations"
	s.get(path+"?q=%3Cb%3E", me).want(t, http.StatusOK, "<p>"+d.ID+path+"en&lt;b&gt;</p>", `aria-current="page" data-slug="escalations"`)
	s.get(path+"?gone=1", me).want(t, http.StatusNotFound)
	s.post(path, me, url.Values{"to": {path + "?q=1"}}).leadsTo(t, path+"?q=1")
	for _, to := range []string{"https://evil.example", "//evil.example", `/\evil.example`} {
		s.post(path, me, url.Values{"to": {to}}).leadsTo(t, path)
	}
	s.post(path, me, url.Values{}).want(t, http.StatusOK)
	s.get("/console/domains/"+d.ID+"/nothing", me).want(t, http.StatusNotFound)
}

// TestTexts finds every key that templates and scripts name among the texts.
func TestTexts(t *testing.T) {
	texts := static.Texts()
	used := map[string]bool{}
	find := func(dir, pattern, prefix string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			b, err := os.ReadFile(dir + "/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(b), -1) {
				used[prefix+m[1]] = true
			}
		}
	}
	find("templates", `\bt "([\w.]+)"`, "console.")
	find("../../static/console", `\bt\("([\w.]+)"`, "console.live.")
	if len(used) < 80 {
		t.Fatalf("%d keys found", len(used))
	}
	for _, state := range []string{hub.StateQueued, hub.StateLogged, hub.StateNotified, hub.StateCaptured, hub.StateUnreachable, hub.StateJoined, hub.StateAnswered} {
		used["console.live.state."+state] = true
	}
	for _, health := range []string{"healthy", "failing", "skipped"} {
		used["console.plugins."+health] = true
	}
	for result := range hub.HookResults {
		used["console.plugins.result."+result.String()] = true
	}
	for key := range used {
		for lang := range texts {
			if texts[lang][key] == "" {
				t.Errorf("%s lacks %s", lang, key)
			}
		}
	}
	for key := range texts["en"] {
		if strings.HasPrefix(key, "console.") && texts["id"][key] == "" {
			t.Errorf("id lacks %s", key)
		}
	}
}
