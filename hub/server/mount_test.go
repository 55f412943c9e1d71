package server

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
)

// below is a plugin of routes, below its own path.
type below struct {
	id     string
	routes func(fiber.Router)
}

func (b below) ID() string                          { return b.id }
func (below) Init(context.Context, *hub.Host) error { return nil }
func (b below) Mount(r fiber.Router)                { b.routes(r) }

// A plugin's middleware guards its own routes, however they are asked for, and
// none of a plugin whose name begins alike.
func TestMiddlewareIsItsPluginsAlone(t *testing.T) {
	refuse := func(*fiber.Ctx) error { return fiber.ErrForbidden }
	hello := func(c *fiber.Ctx) error { return c.SendString("hello") }
	for name, guard := range map[string]func(fiber.Router){
		"Use":             func(r fiber.Router) { r.Use(refuse).Get("/x", hello) },
		"Use with a path": func(r fiber.Router) { r.Use("/", refuse); r.Get("/x", hello) },
		"Group":           func(r fiber.Router) { r.Group("", refuse).Get("/x", hello) },
		"Route":           func(r fiber.Router) { r.Route("", func(r fiber.Router) { r.Use(refuse); r.Get("/x", hello) }) },
		"a group in one":  func(r fiber.Router) { r.Group("/").Group("", refuse).Get("/x", hello) },
	} {
		t.Run(name, func(t *testing.T) {
			var app *fiber.App
			serve(t, func(o *Options) {
				s := New(context.Background(), *o) // never started
				app = s.app
				for _, p := range []below{{"mail", guard}, {"mailer", func(r fiber.Router) { r.Get("/x", hello) }}} {
					if err := s.Mount(p); err != nil {
						t.Error(err)
					}
				}
				s.upgrader.close()
			})
			for path, want := range map[string]int{
				"/plugins/mail/x": 403, "/plugins/mail": 403, "/PLUGINS/Mail/x/": 403, "/plugins/mailer/x": 200,
			} {
				r := httptest.NewRequest("GET", path, nil)
				r.Host = "chat.example"
				answer, err := app.Test(r, 10_000)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				if answer.StatusCode != want {
					t.Errorf("%s: %d, want %d", path, answer.StatusCode, want)
				}
			}
		})
	}
}
