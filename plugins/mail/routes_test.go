package mail

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// site is the plugin's routes behind an identity.
func site(w *world, who hub.Identity) *fiber.App {
	app := fiber.New(fiber.Config{Immutable: true, DisableStartupMessage: true})
	app.Use(func(c *fiber.Ctx) error {
		c.SetUserContext(hub.WithIdentity(w.ctx, who))
		return c.Next()
	})
	w.mail.MountRoot(app)
	return app
}

var admin = hub.Identity{Kind: hub.Admin, ID: "a1", Email: "ana@kopitugu.example"}

func get(t *testing.T, app *fiber.App, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := app.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestMailboxKeepsTheRealLink(t *testing.T) {
	w := newWorld(t, options{}, true)
	app := site(w, admin)
	if _, body := get(t, app, "/mailbox"); !strings.Contains(body, `data-mailbox="empty"`) || !strings.Contains(body, "No emails yet.") {
		t.Errorf("empty:\n%s", body)
	}
	e := w.ring(storage.EmailQueued, "invoice <b>& now</b>", w.rule("ana@kopitugu.example", "Support"))[0]
	w.must(w.attempt(e, 1))
	if got := w.notices(); got != hub.StateCaptured {
		t.Errorf("notices: %q", got)
	}
	if saved := w.email(e.ID); !strings.Contains(saved.Text, "http://localhost:8080/join/…\n") {
		t.Errorf("the stored body is not redacted:\n%s", saved.Text)
	}

	resp, body := get(t, app, "/mailbox")
	if resp.StatusCode != 200 || !strings.Contains(body, `data-email-id="`+e.ID+`"`) || !strings.Contains(body, "ana@kopitugu.example") {
		t.Errorf("list, %d:\n%s", resp.StatusCode, body)
	}
	listed := tokenIn(t, body) // the plain text is at hand
	resp, body = get(t, app, "/mailbox/"+e.ID)
	token := tokenIn(t, body)
	if token != listed {
		t.Error("the list has another link than the letter")
	}
	link, err := storage.LinkByToken(w.ctx, token)
	w.must(err)
	if link.State() != storage.LinkValid {
		t.Errorf("the link is %v", link.State())
	}
	for _, want := range []string{
		`data-email-link href="http://localhost:8080/join/` + token + `"`, "<pre data-email-text", `src="/mailbox/` + e.ID + `/html"`,
		`sandbox="allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"`,
		`href="/static/x/console/base.css"`, `href="/mailbox/style.css"`, "Bellhub", w.room.Ref,
	} {
		if !strings.Contains(html.UnescapeString(body), want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	if strings.Contains(body, "<style") || strings.Contains(body, "style=") || strings.Contains(body, "<script") {
		t.Error("the page breaks its own policy")
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	resp, body = get(t, app, "/mailbox/"+e.ID+"/html")
	if !strings.Contains(body, `<head><base target="_blank">`) || !strings.Contains(body, `<a class="button" href="http://localhost:8080/join/`+token+`"`) {
		t.Errorf("the email:\n%s", body)
	}
	if strings.Contains(body, "<b>&") || !strings.Contains(body, "invoice &lt;b&gt;&amp; now&lt;/b&gt;") {
		t.Errorf("the reason is not escaped:\n%s", body)
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "sandbox allow-popups") || strings.Contains(csp, "allow-scripts") {
		t.Errorf("policy %q", csp)
	}
	if resp.Header.Get("Cache-Control") != "no-store" {
		t.Error("the email may be cached")
	}
	if resp, css := get(t, app, "/mailbox/style.css"); resp.StatusCode != 200 || !strings.Contains(resp.Header.Get("Content-Type"), "text/css") || css == "" {
		t.Errorf("style: %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	if _, body := get(t, app, "/mailbox", "Accept-Language", "id-ID,id;q=0.9"); !strings.Contains(body, "Kotak surat") || !strings.Contains(body, `lang="id"`) {
		t.Errorf("Indonesian:\n%s", body)
	}
	if resp, body := get(t, app, "/mailbox/nothing"); resp.StatusCode != 404 || !strings.Contains(body, `data-mailbox="gone"`) {
		t.Errorf("unknown: %d\n%s", resp.StatusCode, body)
	}
}

func TestMailboxIsForSignedInAdmins(t *testing.T) {
	w := newWorld(t, options{}, true)
	e := w.ring(storage.EmailQueued, "invoice", w.rule("ana@kopitugu.example", ""))[0]
	w.must(w.attempt(e, 1))
	for name, who := range map[string]hub.Identity{
		"nobody": {}, "a link's guest": {Kind: hub.Admin, Session: "s1"}, "a visitor": {Kind: hub.Visitor, ID: "v1"},
	} {
		app := site(w, who)
		for _, path := range []string{"/mailbox", "/mailbox/" + e.ID, "/mailbox/" + e.ID + "/html"} {
			resp, body := get(t, app, path)
			if resp.StatusCode != 401 || strings.Contains(body, "kopitugu") || strings.Contains(body, "/join/") || !strings.Contains(body, `data-mailbox="sign-in"`) {
				t.Errorf("%s at %s: %d\n%s", name, path, resp.StatusCode, body)
			}
		}
	}
}

func TestRoutesOfProduction(t *testing.T) {
	g := newGun(t)
	app := site(newWorld(t, gunOptions(g), false), admin)
	for _, path := range []string{"/mailbox", "/mailbox/style.css", "/mailbox/x", "/webhooks/mailgun"} {
		if resp, _ := get(t, app, path); resp.StatusCode != 404 {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	// While developing against a provider the mailbox says where emails went.
	app = site(newWorld(t, gunOptions(g), true), admin)
	if _, body := get(t, app, "/mailbox"); !strings.Contains(body, "none land here") {
		t.Errorf("with a provider:\n%s", body)
	}
}

func TestMailboxIsBounded(t *testing.T) {
	b := &mailbox{}
	for i := range mailboxSize + 5 {
		_, err := b.Send(t.Context(), Message{ID: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Send(t.Context(), Message{ID: fmt.Sprint(mailboxSize), Subject: "again"}); err != nil {
		t.Fatal(err)
	}
	all := b.list()
	if len(all) != mailboxSize || all[0].Subject != "again" || all[len(all)-1].ID != "5" {
		t.Errorf("%d letters, first %q, last %s", len(all), all[0].Subject, all[len(all)-1].ID)
	}
	if _, ok := b.find("4"); ok {
		t.Error("the oldest is still there")
	}
}
