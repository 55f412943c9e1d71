package console_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/plugins/console"
	"github.com/bellhub/bellhub/static"
	"github.com/bellhub/bellhub/storage"
)

// TestMain serves a request before any test does: fasthttp then starts the one
// goroutine of its clock, which must not be in a test's bubble of other time.
func TestMain(m *testing.M) {
	if _, err := fiber.New().Test(httptest.NewRequest(http.MethodGet, "/", nil)); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// site is a console over a database, asked through HTTP as the server does.
type site struct {
	t   *testing.T
	ctx context.Context
	app *fiber.App
	kit *hubtest.Kit
}

// alerting stands for a plugin that alerts people, or could.
type alerting bool

func (alerting) ID() string                            { return "alerting" }
func (alerting) Init(context.Context, *hub.Host) error { return nil }
func (a alerting) CanAlert() bool                      { return bool(a) }

func newSite(t *testing.T, mail alerting, more ...hub.Plugin) *site {
	t.Helper()
	ctx, store := hubtest.SQLite(t)
	p := console.New()
	kit := hubtest.Start(t, hubtest.Options{Ctx: ctx, Store: store, Texts: static.Texts()}, append([]hub.Plugin{p, mail}, more...)...)
	app := fiber.New(fiber.Config{Immutable: true, DisableStartupMessage: true})
	base, _ := url.Parse(hubtest.Origin)
	app.Use(func(c *fiber.Ctx) error {
		who, err := storage.IdentityByToken(ctx, c.Cookies(hub.SessionCookieName(base)))
		if err != nil {
			return err
		}
		c.SetUserContext(hub.WithIdentity(ctx, who))
		return c.Next()
	})
	p.MountRoot(app)
	return &site{t, ctx, app, kit}
}

// answer is a response, read.
type answer struct {
	*http.Response
	body string
}

// cookie is the session that the answer sets, or "".
func (a answer) cookie() *http.Cookie {
	for _, c := range a.Cookies() {
		if c.Name == "__Host-bellhub" {
			return c
		}
	}
	return nil
}

func (s *site) do(method, path, cookie string, form url.Values, header ...string) answer {
	s.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, path, body)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "__Host-bellhub", Value: cookie})
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := s.app.Test(r, int(time.Minute.Milliseconds()))
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{res, string(b)}
}

func (s *site) get(path, cookie string) answer {
	s.t.Helper()
	return s.do(http.MethodGet, path, cookie, nil)
}

func (s *site) post(path, cookie string, form url.Values) answer {
	s.t.Helper()
	return s.do(http.MethodPost, path, cookie, form)
}

func (a answer) want(t *testing.T, status int, words ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("status %d, want %d: %.400s", a.StatusCode, status, a.body)
	}
	for _, w := range words {
		if !strings.Contains(a.body, w) {
			t.Errorf("the page lacks %q:\n%.6000s", w, a.body)
		}
	}
}

func (a answer) lacks(t *testing.T, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(a.body, w) {
			t.Errorf("the page has %q", w)
		}
	}
}

func (a answer) leadsTo(t *testing.T, path string) {
	t.Helper()
	if got := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || got != path {
		t.Fatalf("status %d to %q, want 303 to %q: %.300s", a.StatusCode, got, path, a.body)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (s *site) domain(key string) storage.Domain {
	return must(storage.AddDomain(s.ctx, storage.Domain{Name: "Kopi " + key, Key: key, AI: true, TimeZone: "Asia/Jakarta"}))
}

// signIn signs an admin in and returns the session's token: an operator where
// no domain is given.
func (s *site) signIn(email string, domains ...string) string {
	s.t.Helper()
	a := must(storage.EnsureAdmin(s.ctx, email, domains...))
	token, _, err := storage.SignIn(s.ctx, must(storage.NewSignIn(s.ctx, a.ID)), "")
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// room makes a visitor's room in which something was said.
func (s *site) room(d storage.Domain, text string) hub.Room {
	s.t.Helper()
	store := storage.From(s.ctx)
	e := must(store.EnterVisitor(s.ctx, hub.Domain{ID: d.ID, Key: d.Key, Name: d.Name, AI: d.AI}, "", ""))
	out := must(store.Append(s.ctx, hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: text}))
	return out.Room
}

// ring lets the visitor of a room ask for a person.
func (s *site) ring(r hub.Room, reason, state string) hub.Room {
	s.t.Helper()
	out := must(storage.From(s.ctx).Append(s.ctx, hub.Append{
		Room: r.ID, Type: hub.EventEscalation, Author: hub.Author{Kind: hub.Visitor, ID: r.Visitor}, Text: reason,
		Data: hub.MarshalData(hub.Progress{Escalation: storage.NewID(), State: state}),
	}))
	return out.Room
}

// link mints an emailed link into a room for a rule.
func (s *site) link(r hub.Room, rule storage.CCRule, life time.Duration) (storage.Link, string) {
	s.t.Helper()
	email := storage.Email{
		DomainID: r.Domain, RoomID: r.ID, RuleID: rule.ID, Kind: storage.EmailBell, Recipient: rule.Email,
		Label: rule.Label, Subject: "s", Data: string(hub.MarshalData(storage.Bell{Room: r.Ref, Reason: "help"})),
	}
	jobs := must(storage.AddEmails(s.ctx, email))
	l, token, err := storage.MintLink(s.ctx, storage.Link{
		DomainID: r.Domain, RoomID: r.ID, RuleID: rule.ID, EmailID: jobs[0].Key, Recipient: rule.Email, Label: rule.Label,
		ExpiresAt: hub.Now().Add(life),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return l, token
}

func (s *site) rule(d storage.Domain, email, label string) storage.CCRule {
	return must(storage.AddRule(s.ctx, storage.CCRule{DomainID: d.ID, Email: email, Label: label}))
}

func TestHeaders(t *testing.T) {
	s := newSite(t, alerting(true))
	for _, path := range []string{"/console", "/console/sign-in/nothing", "/join/nothing", "/console/nowhere"} {
		a := s.get(path, "")
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
				"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"Referrer-Policy": "same-origin", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
			"Content-Type": "text/html; charset=utf-8",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		a.lacks(t, "<style", " style=", "onclick", "<script>", "console.")
	}
}

func TestLanguage(t *testing.T) {
	s := newSite(t, alerting(true))
	a := s.do(http.MethodGet, "/console", "", nil, "Accept-Language", "id-ID,id;q=0.9")
	a.want(t, http.StatusUnauthorized, `<html lang="id">`, "<h1>Masuk</h1>")
	s.get("/console", "").want(t, http.StatusUnauthorized, `<html lang="en">`, "<h1>Sign in</h1>")
}
