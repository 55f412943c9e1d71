package story

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/hubtest/process"
	"github.com/bellhub/bellhub/hub/spec/spectest"
)

// everything is what the product's story is told with.
var everything = []string{"assistant", "console", "demo", "escalation", "mail", "takeover"}

func TestMain(m *testing.M) {
	os.Exit(process.Main(m, process.Needs{
		"TestAVisitorIsGreetedInABrowser": {"assistant", "console", "demo", "welcome"},
		"TestEveryFrameAsDescribed":       append(slices.Clone(everything), "welcome"),
		"TestProduction":                  {"console", "escalation", "mail"},
		"TestTheChatStaysAtItsEnd":        {"assistant", "demo"},
		"TestTheLogKeepsSecrets":          {"assistant", "console", "escalation", "mail", "takeover"},
		"TestTheMetricsAreExplained":      {"assistant", "demo", "escalation", "mail"},
		"TestTheMenuOnAPhone":             {"console"},
		"TestTheServerRestarts":           {"assistant", "demo", "escalation"},
		"TestTheStoryInABrowser":          everything,
		"TestTheStoryOverSockets":         everything,
		"TestTheWebhooksPage":             {"console", "demo", "webhooks"},
		"TestTheWelcomeScript":            {"demo", "welcome"},
		"TestTheWidgetOnAnyWebsite":       {"assistant", "escalation"},
		"TestWebhooks":                    append(slices.Clone(everything), "webhooks"),
	}))
}

// program is a running Bellhub.
type program struct {
	url string // where it listens; in development also its base URL

	*process.Process
}

// databases are what a first run can be made on: their addresses, by name.
var databases = map[string]func(testing.TB) string{
	"SQLite":  func(testing.TB) string { return "" },
	"MariaDB": hubtest.MariaDB,
}

// start runs the program in development, on a free port and a fresh database,
// until the test ends.
func start(t *testing.T, database string) *program {
	t.Helper()
	p := &program{}
	p.url = p.run(t, process.Development, "BELLHUB_DATABASE="+database, "-data", t.TempDir())[1]
	return p
}

// run runs the program until the test ends, and waits for it to say that it is
// ready. env may be empty, or one variable.
func (p *program) run(t *testing.T, ready *regexp.Regexp, env string, args ...string) (m []string) {
	t.Helper()
	var all []string
	if !strings.HasSuffix(env, "=") {
		all = []string{env}
	}
	p.Process, m = process.Serve(t, ready, all, args...)
	return m
}

// browser is an HTTP client with cookies, of a person who reads pages.
type browser struct {
	t *testing.T
	p *program
	*http.Client
}

func (p *program) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, p, &http.Client{
		Jar: jar, Timeout: 10 * time.Second,
		Transport: spectest.HTTP(t).Transport(t, http.DefaultTransport, process.Has), // every answer as described
	}}
}

// get fetches a page, following redirects, and returns where it ended and what
// it says.
func (b *browser) get(address string) (at *url.URL, status int, body string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, b.absolute(address), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

// post sends a form as the program's own pages do.
func (b *browser) post(address string, form url.Values) (at *url.URL, status int, body string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.absolute(address), strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.p.url)
	return b.do(r)
}

func (b *browser) do(r *http.Request) (*url.URL, int, string) {
	b.t.Helper()
	resp, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.Request.URL, resp.StatusCode, string(body)
}

func (b *browser) absolute(address string) string {
	if strings.HasPrefix(address, "/") {
		return b.p.url + address
	}
	return address
}

// cookies is the Cookie header that the program's pages would send.
func (b *browser) cookies() string {
	u, err := url.Parse(b.p.url)
	if err != nil {
		b.t.Fatal(err)
	}
	var all []string
	for _, c := range b.Jar.Cookies(u) {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

// signIn follows one of the program's sign-in links, such as "the console", to
// its end.
func (b *browser) signIn(what string) {
	b.t.Helper()
	link := b.p.Link(b.t, what)
	if _, status, body := b.get(link); status != http.StatusOK {
		b.t.Fatalf("sign-in page: %d %s", status, body)
	}
	if at, status, body := b.post(link, url.Values{"name": {"Ana"}}); status != http.StatusOK {
		b.t.Fatalf("signed in at %s: %d %s", at, status, body)
	}
}
