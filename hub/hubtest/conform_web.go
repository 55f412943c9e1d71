package hubtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
)

// script is what must not come back unescaped.
const script = "<script>alert(1)"

// garbage are values that no form of a page sends.
var garbage = []string{
	"", " ", "-1", "0", "99999999999999999999", "nothing", "../..", "\x00", "\xff\xfe", odd,
	"https://user:password@[::1]:99999/", strings.Repeat("x", 100_000), strings.Repeat("x\n", 10_000),
}

var fieldName = regexp.MustCompile(`\bname="([^"]+)"`)

// pages asks for the plugin's pages of a fresh domain, and sends their forms
// filled in with garbage.
func (c *conformance) pages(t *testing.T) {
	p := c.create()
	if _, ok := p.(hub.Pager); !ok {
		return
	}
	k := c.startWith(t, p)
	ctx := hub.WithIdentity(k.Ctx, k.SignIn(t, "Ana"))
	for _, page := range p.(hub.Pager).Pages() {
		ask := func(domain, lang string, post bool, form url.Values) (hub.PageContent, error) {
			var out hub.PageContent
			err := safely(func() (err error) {
				out, err = page.Render(ctx, hub.PageRequest{
					Domain: domain, Path: "/console/domains/" + domain + "/" + page.Slug, Post: post, Form: form, Lang: lang,
				})
				return err
			})
			return out, err
		}
		for lang := range c.o.Texts {
			out, err := ask(k.Domain.ID, lang, false, url.Values{})
			if err != nil || out.HTML == "" || out.Redirect != "" {
				t.Fatalf("%s in %s for a fresh domain: %q, to %q, %v", page.Slug, lang, cut(string(out.HTML)), out.Redirect, err)
			}
		}
		fresh, _ := ask(k.Domain.ID, hub.DefaultLang, false, url.Values{})
		fields := []string{"id", "after", "before", "page", "action"}
		for _, m := range fieldName.FindAllStringSubmatch(string(fresh.HTML), -1) {
			fields = append(fields, m[1])
		}
		for _, value := range garbage {
			form := url.Values{}
			for _, f := range fields {
				form[f] = []string{value, value}
			}
			for _, post := range []bool{false, true} {
				what := fmt.Sprintf("%s, post %v, filled in with %.40q", page.Slug, post, value)
				out, err := ask(k.Domain.ID, "zz", post, form)
				checkAnswer(t, what, string(out.HTML), out.Redirect, err)
			}
		}
		for _, post := range []bool{false, true} {
			form := url.Values{}
			for _, f := range fields {
				form.Set(f, "on")
			}
			out, err := ask("nothing", hub.DefaultLang, post, form)
			if broken(err) || err == nil {
				t.Errorf("%s of a domain that does not exist, post %v: %q, %v", page.Slug, post, cut(string(out.HTML)), err)
			}
		}
	}
}

// startWith is start for a plugin that the test has.
func (c *conformance) startWith(t *testing.T, p hub.Plugin) *Kit {
	t.Helper()
	return (&conformance{create: func() hub.Plugin { return p }, id: c.id, o: c.o, store: c.store}).start(t, Options{Development: true}, nil, nil)
}

// checkAnswer holds a page to what its reader may see: something, or an error
// made for them.
func checkAnswer(t *testing.T, what, html, redirect string, err error) {
	t.Helper()
	var public *hub.Error
	switch {
	case err != nil && (broken(err) || !errors.As(err, &public)):
		t.Errorf("%s: %v", what, err)
	case err == nil && html == "" && redirect == "":
		t.Errorf("%s: nothing", what)
	case redirect != "" && (!strings.HasPrefix(redirect, "/") || strings.HasPrefix(redirect, "//")):
		t.Errorf("%s: leads to %q", what, cut(redirect))
	case strings.Contains(html, script):
		t.Errorf("%s: shown as it is: %s", what, cut(html[max(0, strings.Index(html, script)-200):]))
	}
}

// panels asks for what the plugin shows beside a room.
func (c *conformance) panels(t *testing.T) {
	p := c.create()
	if _, ok := p.(hub.Paneler); !ok {
		return
	}
	k := c.startWith(t, p)
	visitor := k.Visitor(t)
	visitor.Say(odd)
	room, err := c.store.Room(k.Ctx, visitor.Room)
	if err != nil {
		t.Fatal(err)
	}
	rooms := map[string]hub.Room{"the room": room}
	for name, r := range strangeRooms(k.Domain.ID) {
		rooms[name] = r
	}
	for i, panel := range p.(hub.Paneler).Panels() {
		for name, r := range rooms {
			for _, lang := range []string{"en", "id", "zz"} {
				for _, member := range []bool{true, false} {
					what := fmt.Sprintf("panel %d of %s in %s, member %v", i, name, lang, member)
					var out template.HTML
					err := safely(func() (err error) {
						out, err = panel.Render(k.Ctx, hub.PanelRequest{Room: r, Lang: lang, Member: member})
						return err
					})
					switch {
					case broken(err), err != nil && name == "the room":
						t.Errorf("%s: %v", what, err)
					case strings.Contains(string(out), script):
						t.Errorf("%s: shown as it is: %s", what, cut(string(out)))
					}
				}
			}
		}
	}
}

// routes sends the plugin's routes requests that no browser sends.
func (c *conformance) routes(t *testing.T) {
	p := c.create()
	mounter, mounts := p.(interface{ Mount(fiber.Router) })
	root, mountsRoot := p.(interface{ MountRoot(fiber.Router) })
	if !mounts && !mountsRoot {
		return
	}
	k := c.startWith(t, p)
	app := fiber.New(fiber.Config{Immutable: true, DisableStartupMessage: true, ErrorHandler: answerError})
	identities := []hub.Identity{{}, k.SignIn(t, "Ana")}
	app.Use(func(ctx *fiber.Ctx) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v", v)
			}
		}()
		who := identities[len(ctx.Get("X-Signed-In"))]
		deadline, cancel := context.WithTimeout(hub.WithIdentity(k.Ctx, who), endsWithin)
		defer cancel()
		ctx.SetUserContext(deadline)
		return ctx.Next()
	})
	if mounts {
		mounter.Mount(app.Group("/plugins/" + c.id))
	}
	if mountsRoot {
		root.MountRoot(app)
	}
	parameter := regexp.MustCompile(`:\w+\??|[*+]`)
	for _, route := range app.GetRoutes(true) {
		if route.Method != http.MethodGet && route.Method != http.MethodPost && route.Method != http.MethodPut && route.Method != http.MethodDelete {
			continue
		}
		for i, value := range garbage {
			inURL := value[:min(len(value), 300)] // a request's head has room for some KB
			path := parameter.ReplaceAllString(route.Path, url.PathEscape(inURL)+"x")
			path += "?" + url.Values{"after": {inURL}, "id": {inURL}, "to": {inURL}}.Encode()
			for _, signedIn := range []string{"", "x"} {
				if signedIn == "" && i%4 > 0 {
					continue // who is nobody gets no further
				}
				form := url.Values{"id": {value}, "name": {value}, "email": {value}, "url": {value}}
				r := httptest.NewRequest(route.Method, path, strings.NewReader(form.Encode()))
				r.Header.Set("X-Signed-In", signedIn)
				r.Header.Set("Content-Type", [...]string{"application/x-www-form-urlencoded", "application/json", "text/\xff"}[i%3])
				c.request(t, app, r)
			}
		}
	}
}

// request asks one thing of a route; whatever the answer, it is none of a server
// that broke.
func (c *conformance) request(t *testing.T, app *fiber.App, r *http.Request) {
	t.Helper()
	what := r.Method + " " + cut(r.URL.Path)
	answer, err := app.Test(r, int(endsWithin/time.Millisecond))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode == http.StatusInternalServerError {
		t.Errorf("%s: %d %s, %v", what, answer.StatusCode, cut(string(body)), err)
	}
	if bytes.Contains(body, []byte(script)) && strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
		t.Errorf("%s: shown as it is: %s", what, cut(string(body)))
	}
}

// answerError is how the server answers what a handler returns: a client's fault
// in a way that is made for it, anything else as its own.
func answerError(c *fiber.Ctx, err error) error {
	var f *fiber.Error
	var public *hub.Error
	switch {
	case errors.As(err, &f):
		return c.Status(f.Code).SendString(f.Message)
	case errors.As(err, &public) && public.Code != hub.CodeInternal:
		return c.Status(http.StatusBadRequest).SendString(public.Message)
	}
	return c.Status(http.StatusInternalServerError).SendString(err.Error())
}
