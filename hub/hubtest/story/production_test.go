package story

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest/process"
)

// owner is somebody at the console of a server in production, whose pages are
// those of https://chat.example although a test reaches it without its proxy.
type owner struct {
	t      *testing.T
	p      *program
	cookie *http.Cookie
}

const public = "https://chat.example"

// ask sends a request as the proxy would and returns the answer, without
// following redirects.
func (o *owner) ask(method, path string, form url.Values) (*http.Response, string) {
	o.t.Helper()
	r, err := http.NewRequest(method, o.p.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Host = "chat.example"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", public)
	}
	if o.cookie != nil {
		r.AddCookie(o.cookie)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return resp, string(body)
}

// mailgun stands in for the provider: it keeps what it accepts.
func mailgun(t *testing.T, key string) (base string, accepted chan url.Values) {
	accepted = make(chan url.Values, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if r.URL.Path != "/v3/mg.shop.example/messages" || user != "api" || password != key {
			http.Error(w, `{"message":"Forbidden"}`, http.StatusUnauthorized)
			return
		}
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		accepted <- r.PostForm
		_, _ = io.WriteString(w, `{"id":"<1@mg.shop.example>","message":"Queued. Thank you."}`)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v3", accepted
}

// A server in production is set up from the shell. Before mail is configured a
// bell is recorded and says so, its email waits, and the console warns; once it
// is, the email goes out, and the visitor is told.
func TestProduction(t *testing.T) {
	dir := t.TempDir()
	settings := []string{"-data", dir, "-base-url", public}
	if out := process.Command(t, nil, append([]string{"domain", "add", "The Shop", "-key", "shop"}, settings...)...); !strings.Contains(out, `src="https://chat.example/widget.js" data-domain="shop"`) {
		t.Errorf("domain add: %s", out)
	}
	p := &program{}
	p.url = "http://" + p.run(t, process.Production, "", settings...)[1]

	// Somebody signs in, with a cookie that only https carries.
	link := regexp.MustCompile(`https://chat\.example(/console/sign-in/\S+)`).FindStringSubmatch(process.Command(t, nil, append([]string{"admin", "link", "ana@shop.example"}, settings...)...))
	if link == nil {
		t.Fatal("admin link prints no link")
	}
	ana := &owner{t: t, p: p}
	resp, body := ana.ask(http.MethodPost, link[1], url.Values{"name": {"Ana"}})
	for _, c := range resp.Cookies() {
		if c.Name == "__Host-bellhub" && c.Secure && c.HttpOnly && c.SameSite == http.SameSiteLaxMode && c.Path == "/" && c.Domain == "" {
			ana.cookie = c
		}
	}
	if ana.cookie == nil {
		t.Fatalf("signed in: %d %v %s", resp.StatusCode, resp.Header, body)
	}
	if resp, _ = ana.ask(http.MethodPost, link[1], url.Values{"name": {"Eve"}}); resp.StatusCode == http.StatusSeeOther && resp.Header.Get("Set-Cookie") != "" {
		t.Error("a sign-in link works twice")
	}
	resp, _ = ana.ask(http.MethodGet, "/console", nil)
	domain := resp.Header.Get("Location")
	if !strings.HasPrefix(domain, "/console/domains/") {
		t.Fatalf("console: %d %s", resp.StatusCode, domain)
	}
	if resp, body = ana.ask(http.MethodPost, domain+"/email/rules", url.Values{"email": {"ben@shop.example"}, "label": {"Sales"}}); resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("add CC: %d %s", resp.StatusCode, body)
	}
	for _, path := range []string{"/demo", "/mailbox", "/webhooks/mailgun"} {
		if resp, _ := ana.ask(http.MethodGet, path, nil); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s in production: %d", path, resp.StatusCode)
		}
	}

	// A visitor rings: recorded, and nobody could be told.
	// 52: what it calls the host is its own affair, see the link below.
	v := p.dial(t, http.Header{"X-Forwarded-Host": {"evil.example"}})
	v.hello(map[string]any{"domain": "shop"})
	if ack := v.ask("contact-admin", "b", map[string]any{"reason": "An invoice, please"}); ack.Data["state"] != "logged" {
		t.Errorf("acknowledgement: %v", ack.Data)
	}
	if _, body := ana.ask(http.MethodGet, domain, nil); !strings.Contains(body, "Mail is not configured. 1 bell") {
		t.Errorf("the console does not warn: %s", body)
	}
	p.Stop(t)

	// Mail is configured: the email goes out.
	base, accepted := mailgun(t, "key-secret")
	p = &program{}
	p.url = "http://" + p.run(t, process.Production, "BELLHUB_MAILGUN_KEY=key-secret", append(settings, "-mail-from", "Bellhub <bell@mg.shop.example>",
		"-mailgun-domain", "mg.shop.example", "-mailgun-api-base", base, "-mailgun-signing-key", "sign-secret")...)[1]
	mail := <-accepted
	if mail.Get("to") != "ben@shop.example" || !strings.Contains(mail.Get("text"), public+"/join/") || !strings.Contains(mail.Get("text"), "> An invoice, please") {
		t.Errorf("email: %v", mail)
	}
	back := p.dial(t, nil)
	back.hello(map[string]any{"domain": "shop", "token": v.token, "room": v.room})
	if n := back.wantEvent(0, hub.EventNotice, hub.System); n.Data["data"].(map[string]any)["state"] != hub.StateNotified {
		t.Errorf("the visitor is told %v", n.Data)
	}
	if log := p.Output(); strings.Contains(log, "secret") {
		t.Errorf("a secret is in the log: %s", log)
	}
}
