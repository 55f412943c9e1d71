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

// startWith is start for a plugin that the test has.
func (c *conformance) startWith(t *testing.T, p hub.Plugin, o Options) *Kit {
	t.Helper()
	o.Development = true
	return (&conformance{create: func() hub.Plugin { return p }, id: c.id, o: c.o, store: c.store}).start(t, o, nil, nil)
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
	k := c.startWith(t, p, Options{})
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
	k := c.startWith(t, p, Options{})
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
