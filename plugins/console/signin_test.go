package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/storage"
)

func TestSignIn(t *testing.T) {
	s := newSite(t, alerting(true))
	a := must(storage.EnsureAdmin(s.ctx, "ana@kopitugu.example"))
	path := "/console/sign-in/" + must(storage.NewSignIn(s.ctx, a.ID))

	for range 3 { // a scanner may look as often as it likes
		s.get(path, "").want(t, http.StatusOK, "ana@kopitugu.example", "Your name, as the visitor sees it")
		if got := s.do(http.MethodHead, path, "", nil); got.StatusCode != http.StatusOK || got.cookie() != nil {
			t.Fatalf("HEAD: %d %v", got.StatusCode, got.cookie())
		}
	}
	bad := s.post(path, "", url.Values{"name": {"A\u202Ena"}})
	bad.want(t, http.StatusUnprocessableEntity, `aria-invalid="true"`, `id="name-error"`)

	in := s.post(path, "", url.Values{"name": {"  Ana "}})
	in.leadsTo(t, "/console")
	c := in.cookie()
	if c == nil || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Expires.IsZero() {
		t.Fatalf("cookie %+v", c)
	}
	s.get("/console", c.Value).want(t, http.StatusOK, "Welcome to Bellhub", "Ana", "Add domain")

	again := s.post(path, "", url.Values{"name": {"Eve"}})
	again.want(t, http.StatusNotFound, "no longer works")
	if again.cookie() != nil {
		t.Error("a used link sets a cookie")
	}
	s.get(path, "").want(t, http.StatusNotFound, "no longer works")

	out := s.post("/console/sign-out", c.Value, url.Values{})
	out.leadsTo(t, "/console")
	if got := out.cookie(); got == nil || got.MaxAge >= 0 {
		t.Errorf("sign-out leaves the cookie: %+v", got)
	}
	s.get("/console", c.Value).want(t, http.StatusUnauthorized, "Sign in")
}

func TestSignInRefused(t *testing.T) {
	s := newSite(t, alerting(true))
	a := must(storage.EnsureAdmin(s.ctx, "ana@kopitugu.example"))
	old := must(storage.NewSignIn(s.ctx, a.ID))
	if err := storage.DB(s.ctx).Exec("UPDATE sign_ins SET expires_at = '2020-01-01 00:00:00'").Error; err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"expired": old, "unknown": "x", "long": strings.Repeat("a", 2000)} {
		t.Run(name, func(t *testing.T) {
			s.get("/console/sign-in/"+token, "").want(t, http.StatusNotFound, "no longer works")
			a := s.post("/console/sign-in/"+token, "", url.Values{})
			a.want(t, http.StatusNotFound)
			a.lacks(t, "ana@kopitugu.example")
		})
	}
	if a := s.do(http.MethodPost, "/console/sign-in/x", "", url.Values{}, "Content-Type", "text/plain"); a.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("another content type: %d", a.StatusCode)
	}
}

func TestSignInKeepsGrants(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	r := s.room(d, "hello")
	_, token := s.link(r, s.rule(d, "cc@kopitugu.example", "Sales"), 1e12)
	guest := s.post("/join/"+token, "", url.Values{"name": {"Sales"}}).cookie().Value

	other := s.domain("other")
	a := must(storage.EnsureAdmin(s.ctx, "ana@kopitugu.example", other.ID))
	in := s.post("/console/sign-in/"+must(storage.NewSignIn(s.ctx, a.ID)), guest, url.Values{})
	in.leadsTo(t, "/console")
	s.get("/console/rooms/"+r.ID, in.cookie().Value).want(t, http.StatusOK, r.Ref)
	s.get("/console/rooms/"+r.ID, guest).want(t, http.StatusNotFound)
}

func TestSignInNext(t *testing.T) {
	s := newSite(t, alerting(true))
	a := must(storage.EnsureAdmin(s.ctx, "ana@kopitugu.example"))
	link := func() string { return "/console/sign-in/" + must(storage.NewSignIn(s.ctx, a.ID)) }
	in := s.post(link()+"?next=/mailbox", "", url.Values{})
	in.leadsTo(t, "/mailbox")
	for next, want := range map[string]string{
		"/mailbox?x=1": "/mailbox?x=1", "//evil.example": "/console", `/\evil.example`: "/console", "https://evil.example": "/console", "": "/console",
	} {
		path := link() + "?next=" + url.QueryEscape(next)
		s.get(path, in.cookie().Value).leadsTo(t, want) // signed in already: the link is not used up
		s.post(path, "", url.Values{}).leadsTo(t, want)
	}
}

func TestName(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	me := s.signIn("ana@kopitugu.example", d.ID)
	s.post("/console/name", me, url.Values{"name": {"Ana"}, "back": {"/console/domains/" + d.ID}}).
		leadsTo(t, "/console/domains/"+d.ID+"?done=named")
	s.get("/console/domains/"+d.ID+"?done=named", me).want(t, http.StatusOK, "Name saved.", "Ana")
	s.post("/console/name", me, url.Values{"name": {"Ana"}, "back": {"//evil.example/console"}}).leadsTo(t, "/console?done=named")
	s.post("/console/name", me, url.Values{"name": {"Ana"}, "back": {"https://evil.example/"}}).leadsTo(t, "/console?done=named")
	for _, name := range []string{"", "  ", strings.Repeat("é", 61), "A\nB", "A\u2066B", "A\x00"} {
		s.post("/console/name", me, url.Values{"name": {name}}).want(t, http.StatusUnprocessableEntity, `id="name-error"`)
	}
	s.post("/console/name", "", url.Values{"name": {"Eve"}}).want(t, http.StatusUnauthorized)
}
