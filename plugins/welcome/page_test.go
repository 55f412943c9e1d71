package welcome_test

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/plugins/welcome"
	"github.com/bellhub/bellhub/storage"
)

var (
	item = regexp.MustCompile(`data-greeting="([^"]+)"`)
	said = regexp.MustCompile(`(?s)</header>\s*<blockquote>([^<]*)</blockquote>`)
)

// shown is the page, its greetings' ids and their texts.
func (s shop) shown(t *testing.T, query ...string) (html string, ids, texts []string) {
	t.Helper()
	got, err := s.render(false, query...)
	if err != nil {
		t.Fatal(err)
	}
	html = string(got.HTML)
	for _, m := range item.FindAllStringSubmatch(html, -1) {
		ids = append(ids, m[1])
	}
	for _, m := range said.FindAllStringSubmatch(html, -1) {
		texts = append(texts, m[1])
	}
	return html, ids, texts
}

func has(t *testing.T, html string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(html, want) {
			t.Errorf("the page has no %q:\n%s", want, html)
		}
	}
}

func TestTheOwnerKeepsTheList(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		html, ids, _ := s.shown(t)
		if has(t, html, "No greetings yet", `name="text"`); len(ids) > 0 {
			t.Errorf("at first there are %v", ids)
		}
		s.write(t, " On <shipping> ", "/beans/*", "0")
		s.write(t, "Hello", "", "30")
		s.write(t, "Never", "/visits", "600")
		html, ids, texts := s.shown(t, "done", "added")
		has(t, html, "Greeting added.", "On /beans/*, at once", "On every page, after 30 s", "Never told: one above is for every page")
		if want := []string{"On &lt;shipping&gt;", "Hello", "Never"}; !slices.Equal(texts, want) {
			t.Fatalf("the greetings are %q, want %q", texts, want)
		}
		for _, tt := range []struct {
			do, id string
			want   []string
		}{
			{"up", ids[2], []string{"On &lt;shipping&gt;", "Never", "Hello"}},
			{"up", ids[2], []string{"Never", "On &lt;shipping&gt;", "Hello"}},
			{"up", ids[2], []string{"Never", "On &lt;shipping&gt;", "Hello"}},
			{"down", ids[0], []string{"Never", "Hello", "On &lt;shipping&gt;"}},
			{"down", ids[0], []string{"Never", "Hello", "On &lt;shipping&gt;"}},
			{"off", ids[1], []string{"Never", "Hello", "On &lt;shipping&gt;"}},
			{"remove", ids[2], []string{"Hello", "On &lt;shipping&gt;"}},
		} {
			if got := s.post(t, "do", tt.do, "id", tt.id); !strings.HasPrefix(got.Redirect, "/console/domains/x/welcome?done="+tt.do) {
				t.Errorf("%s leads to %q", tt.do, got.Redirect)
			}
			if _, _, texts := s.shown(t); !slices.Equal(texts, tt.want) {
				t.Errorf("%s: the greetings are %q, want %q", tt.do, texts, tt.want)
			}
		}
		html, _, _ = s.shown(t, "done", "remove")
		if has(t, html, "Greeting removed.", "Paused"); strings.Contains(html, "Never told") {
			t.Error("a paused greeting still stands before the others")
		}

		// What is paused greets nobody; what was changed does.
		visitor := s.Visitor(t, "shop")
		ask(t, visitor, "/about", 60)
		silent(t, "a paused greeting", visitor)
		has(t, s.edited(t, ids[0]), "On &lt;shipping&gt;</textarea>", `value="/beans/*"`, `value="0"`)
		s.post(t, "do", "save", "id", ids[0], "text", "We ship everywhere.", "page", "/about", "delay", "3")
		ask(t, visitor, "/about", 3)
		if e := visitor.WantEvent(hub.EventMessage); e.Get("text") != "We ship everywhere." {
			t.Errorf("greeted with %s", e.Data)
		}
		s.post(t, "do", "on", "id", ids[1])
		visitor = s.Visitor(t, "shop")
		ask(t, visitor, "/", 60)
		if e := visitor.WantEvent(hub.EventMessage); e.Get("text") != "Hello" {
			t.Errorf("greeted with %s", e.Data)
		}
	})
}

// edited is the page with the form of a greeting.
func (s shop) edited(t *testing.T, id string) string {
	t.Helper()
	html, _, _ := s.shown(t, "edit", id)
	return html
}

func TestWhatIsWrongStandsBesideItsField(t *testing.T) {
	s := open(t, hubtest.SQLite)
	s.write(t, "Hello", "/", "5")
	_, ids, _ := s.shown(t)
	for _, tt := range []struct{ text, page, delay, want string }{
		{" ", "", "0", `id="text-error">Write what the visitor is told.`},
		{strings.Repeat("é", 501), "", "0", `id="text-error">Use at most 500 characters.`},
		{"a\x00b", "", "0", `id="text-error">The text has a character that cannot be shown.`},
		{"Hi", "products", "0", `id="page-error">Begin with a slash`},
		{"Hi", "https://shop.example/", "0", `id="page-error">Begin with a slash`},
		{"Hi", "/x?y=1", "0", `id="page-error">Begin with a slash`},
		{"Hi", "/x\ny", "0", `id="page-error">Begin with a slash`},
		{"Hi", "/" + strings.Repeat("x", 200), "0", `id="page-error">Begin with a slash`},
		{"Hi", "", "", `id="delay-error">Enter a whole number from 0 to 600.`},
		{"Hi", "", "601", `id="delay-error">Enter`},
		{"Hi", "", "-1", `id="delay-error">Enter`},
		{"Hi", "", "soon", `id="delay-error">Enter`},
	} {
		got := s.post(t, "do", "save", "text", tt.text, "page", tt.page, "delay", tt.delay)
		if got.Redirect != "" {
			t.Errorf("%q on %q after %q was added", tt.text, tt.page, tt.delay)
		}
		has(t, string(got.HTML), tt.want, `aria-invalid="true"`)
	}
	// What was written is still there, and in its own place.
	got := s.post(t, "do", "save", "id", ids[0], "text", "Hi <you>", "page", "nope", "delay", "7")
	has(t, string(got.HTML), "Hi &lt;you&gt;</textarea>", `value="nope"`, `value="7"`, `id="page-error`+ids[0]+`"`)
	if _, _, texts := s.shown(t); !slices.Equal(texts, []string{"Hello"}) {
		t.Errorf("in the end there are %q", texts)
	}
}

func TestTheListIsBounded(t *testing.T) {
	s := open(t, hubtest.SQLite)
	for i := range 20 {
		s.write(t, "Hello "+strconv.Itoa(i), "", "0")
	}
	html, ids, _ := s.shown(t)
	if has(t, html, "There are 20 greetings"); len(ids) != 20 || strings.Contains(html, `name="text"`) {
		t.Errorf("%d greetings, and a form for one more", len(ids))
	}
	if got := s.post(t, "do", "save", "text", "One more", "delay", "0"); !strings.Contains(got.Redirect, "done=full") {
		t.Errorf("one more leads to %q", got.Redirect)
	}
	if _, ids, _ := s.shown(t); len(ids) != 20 {
		t.Errorf("%d greetings", len(ids))
	}
}

// A domain's page reaches no other domain's greetings.
func TestADomainsGreetingsAreItsOwn(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.write(t, "Hello", "", "0")
		_, ids, _ := s.shown(t)
		mine := s.domain
		other, err := storage.AddDomain(s.ctx, storage.Domain{Key: "other", Name: "Other", AI: true})
		if err != nil {
			t.Fatal(err)
		}
		s.domain = other
		if html, ids, _ := s.shown(t, "edit", ids[0]); len(ids) > 0 || strings.Contains(html, "Hello") {
			t.Error("another domain's greetings are shown")
		}
		visitor := s.Visitor(t, "other")
		ask(t, visitor, "/", 60)
		silent(t, "another domain's greeting", visitor)
		for _, do := range []string{"up", "down", "on", "off", "remove", "save", "nothing"} {
			if _, err := s.render(true, "do", do, "id", ids[0], "text", "Mine", "delay", "0"); !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("%s: %v", do, err)
			}
		}
		s.domain = mine
		if html, _, texts := s.shown(t); !slices.Equal(texts, []string{"Hello"}) || strings.Contains(html, "Paused") {
			t.Errorf("the greetings are %q", texts)
		}
	})
}

func TestTheAIOffIsSaid(t *testing.T) {
	s := open(t, hubtest.SQLite)
	off := s.domain
	off.AI = false
	if err := storage.UpdateDomain(s.ctx, off, nil); err != nil {
		t.Fatal(err)
	}
	html, _, _ := s.shown(t)
	has(t, html, "The AI is off in this domain, so nobody is greeted.")
}

// Both languages say the same things, and nothing that is shown lacks words.
func TestWords(t *testing.T) {
	texts := welcome.New().Texts()
	placeholder := regexp.MustCompile(`\{\w+\}`)
	for lang, words := range texts {
		for key, english := range texts["en"] {
			if words[key] == "" || !slices.Equal(placeholder.FindAllString(english, -1), placeholder.FindAllString(words[key], -1)) {
				t.Errorf("%s: %q is %q", lang, key, words[key])
			}
		}
		if len(words) != len(texts["en"]) {
			t.Errorf("%s has %d texts, English %d", lang, len(words), len(texts["en"]))
		}
	}
	sources := map[string]*regexp.Regexp{
		"templates/page.html": regexp.MustCompile(`\bt "([\w.]+)"`),
		"page.go":             regexp.MustCompile(`\bsay\("(\w+)"`),
	}
	used := map[string]bool{}
	for name, call := range sources {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllSubmatch(source, -1) {
			key := "welcome." + string(m[1])
			if name == "page.go" {
				key = "welcome.error." + string(m[1])
			}
			if used[key] = true; texts["en"][key] == "" {
				t.Errorf("%s says %q, which has no words", name, key)
			}
		}
	}
	for key := range texts["en"] {
		if !used[key] && key != "welcome.title" && !strings.HasPrefix(key, "welcome.done.") {
			t.Errorf("nothing says %q", key)
		}
	}
}
