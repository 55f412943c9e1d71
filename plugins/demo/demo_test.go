package demo

import (
	"io"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/net/html"

	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

// site is a server with nothing but the demo.
func site(t *testing.T, development bool) func(path string) (int, map[string][]string, string) {
	t.Helper()
	p := New()
	hubtest.Start(t, hubtest.Options{Database: hubtest.SQLite, Development: development}, p)
	app := fiber.New()
	p.MountRoot(app)
	return func(path string) (int, map[string][]string, string) {
		r, err := app.Test(httptest.NewRequest("GET", path, nil))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, r.Header, string(b)
	}
}

func TestPagesKeepTheirOwnPolicy(t *testing.T) {
	get := site(t, true)
	for path, lang := range map[string]string{"/demo": "en", "/demo/id": "id"} {
		status, header, body := get(path)
		if status != 200 || header["Content-Type"][0] != "text/html; charset=utf-8" {
			t.Fatalf("%s: %d %v", path, status, header)
		}
		csp := strings.Join(header["Content-Security-Policy"], "")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self';"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy lacks %s: %s", path, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: the policy is %s", path, csp)
		}
		doc, err := html.Parse(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]int{}
		for n := range doc.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			found[n.Data]++
			for _, a := range n.Attr {
				found[n.Data+" "+a.Key+"="+a.Val]++
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s: <%s %s=%q> is against its own policy", path, n.Data, a.Key, a.Val)
				}
			}
			if (n.Data == "script" || n.Data == "style") && n.FirstChild != nil {
				t.Errorf("%s: an inline %s", path, n.Data)
			}
		}
		for _, want := range []string{
			"html lang=" + lang, "script src=/widget.js", "script data-domain=demo", "script defer=", "link href=/demo/style.css", "a href=/mailbox", "h1",
		} {
			if found[want] != 1 {
				t.Errorf("%s has %d of %s", path, found[want], want)
			}
		}
	}
	status, header, body := get("/demo/style.css")
	if status != 200 || header["Content-Type"][0] != "text/css; charset=utf-8" || strings.Contains(body, "http") {
		t.Errorf("style.css: %d %v", status, header)
	}
}

func TestProductionHasNoDemo(t *testing.T) {
	get := site(t, false)
	for _, path := range []string{"/demo", "/demo/id", "/demo/style.css"} {
		if status, _, _ := get(path); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestWordsAreTheSameInEachLanguage(t *testing.T) {
	en, err := wordsIn("en")
	if err != nil {
		t.Fatal(err)
	}
	id, err := wordsIn("id")
	if err != nil {
		t.Fatal(err)
	}
	if a, b := slices.Sorted(maps.Keys(en)), slices.Sorted(maps.Keys(id)); !slices.Equal(a, b) {
		t.Errorf("keys differ: %v, %v", a, b)
	}
	used := map[string]bool{}
	for _, name := range []string{"page/page.html", "page/art.html"} {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(b), `.T "`)[1:] {
			key, _, _ := strings.Cut(part, `"`)
			used[key] = true
		}
	}
	for _, b := range beans {
		used[b.From], used[b.Notes], used[b.Roast] = true, true, true
	}
	for key := range used {
		if en[key] == "" || id[key] == "" {
			t.Errorf("no text for %s", key)
		}
	}
	for key := range en {
		if !used[key] {
			t.Errorf("nothing says %s", key)
		}
	}
}

func TestKnowledge(t *testing.T) {
	titles := map[string]bool{}
	for _, k := range Knowledge() {
		if k.Title == "" || len(k.Text) < 200 || strings.HasPrefix(k.Text, "# ") || titles[k.Title] {
			t.Errorf("a text %q of %d bytes", k.Title, len(k.Text))
		}
		titles[k.Title] = true
	}
	if len(titles) < 15 {
		t.Errorf("%d texts", len(titles))
	}
}

func TestSeedOnce(t *testing.T) {
	ctx, _ := hubtest.SQLite(t)
	if err := Seed(ctx, "localhost:8080", "127.0.0.1:8080"); err != nil {
		t.Fatal(err)
	}
	d, err := storage.DomainByKey(ctx, Key)
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "Kopi Tugu" || d.TimeZone != "Asia/Jakarta" || !d.AI || !slices.Equal(d.Hosts(), []string{"127.0.0.1:8080", "localhost:8080"}) {
		t.Errorf("the domain is %+v", d)
	}
	rules, err := storage.ActiveRules(ctx, d.ID)
	if err != nil || len(rules) != 1 || rules[0].Email != Recipient || rules[0].Label != "Support" {
		t.Errorf("the rules are %v, %v", rules, err)
	}
	if a, err := storage.ParseAddress(Recipient); err != nil || a != Recipient {
		t.Errorf("the recipient is parsed as %s, %v", a, err)
	}

	// What its owner has changed since stays.
	if err := storage.RemoveRule(ctx, d.ID, rules[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := Seed(ctx, "elsewhere.example"); err != nil {
		t.Fatal(err)
	}
	known, err := storage.KnowledgeOf(ctx, d.ID)
	if err != nil || len(known) != len(Knowledge()) {
		t.Errorf("it knows %d texts, %v", len(known), err)
	}
	again, err := storage.DomainByKey(ctx, Key)
	if err != nil || !slices.Equal(again.Hosts(), d.Hosts()) {
		t.Errorf("the domain became %+v, %v", again, err)
	}
	if rules, err = storage.Rules(ctx, d.ID); err != nil || len(rules) != 0 {
		t.Errorf("the rules became %v, %v", rules, err)
	}
}
