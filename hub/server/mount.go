package server

import (
	"cmp"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/static"
)

// Mounter is a plugin that has routes: those of r are below /plugins/<id>. Who
// asks is [hub.IdentityOf] of the request's UserContext; which domain, the
// storage's DomainFor.
type Mounter interface{ Mount(r fiber.Router) }

// RootMounter is a plugin whose paths the product has promised, such as /console
// and /join. It mounts under what it owns only.
type RootMounter interface{ MountRoot(r fiber.Router) }

// Mount takes in what a plugin has for browsers: its routes, and its script for
// the widget. It is called after every Init, before Start. A route that
// was mounted by another already is an error that names both.
func (s *Server) Mount(p hub.Plugin) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("server: plugin %s: panic: %v\n%s", p.ID(), v, debug.Stack())
		}
	}()
	before := countRoutes(s.app)
	prefix := "/plugins/" + p.ID()
	if m, ok := p.(Mounter); ok {
		m.Mount(own{s.app.Group(prefix), prefix})
		for route := range countRoutes(s.app) {
			_, path, _ := strings.Cut(route, " ")
			if before[route] == 0 && path != prefix && !strings.HasPrefix(path, prefix+"/") {
				return fmt.Errorf("server: plugin %s mounts %s, which is not below %s", p.ID(), route, prefix)
			}
		}
	}
	if m, ok := p.(RootMounter); ok {
		m.MountRoot(s.app)
	}
	after := countRoutes(s.app)
	for _, route := range slices.Sorted(maps.Keys(after)) { // GET before the HEAD that goes with it
		_, path, _ := strings.Cut(route, " ")
		switch had := before[route]; {
		case had == 0 && len(path) > 1 && strings.ContainsAny(path[1:2], ":*+"):
			return fmt.Errorf("server: plugin %s mounts %s, which is everybody's", p.ID(), route)
		case had == 0:
			s.owners[route] = p.ID()
		case after[route] > had:
			return fmt.Errorf("server: plugin %s mounts %s, which belongs to %s already", p.ID(), route, cmp.Or(s.owners[route], "the server"))
		}
	}
	if sc, ok := p.(hub.Scripter); ok {
		return s.script(p.ID(), sc)
	}
	return nil
}

// script serves a plugin's files for the widget, under a path that names their
// content, and has visitors' welcomes name the first of them.
func (s *Server) script(id string, sc hub.Scripter) error {
	folder, err := static.NewFolder(sc.Script())
	if err != nil {
		return fmt.Errorf("server: plugin %s: script: %w", id, err)
	}
	if _, ok := folder.Open("widget.js"); !ok {
		return fmt.Errorf("server: plugin %s: its script has no file widget.js", id)
	}
	prefix := "/static/" + folder.Hash() + "/" + id
	s.app.Get(prefix+"/*", immutable(prefix, folder.Open))
	s.opts.Hub.AddScript(prefix + "/widget.js")
	return nil
}

// countRoutes counts the handlers of each method and path.
func countRoutes(app *fiber.App) map[string]int {
	n := map[string]int{}
	for _, r := range app.GetRoutes(true) {
		n[r.Method+" "+r.Path] += len(r.Handlers) // Fiber joins neighbours of one path
	}
	return n
}

// own is a plugin's router, whose middleware sees the plugin's requests alone:
// Fiber's would also see those of paths that only begin alike, so that what guards
// /plugins/mail would guard /plugins/mailer.
type own struct {
	fiber.Router
	prefix string
}

// Use implements [fiber.Router].
func (o own) Use(args ...any) fiber.Router {
	for i, arg := range args {
		if h, ok := arg.(fiber.Handler); ok {
			args[i] = o.only(h)
		}
	}
	o.Router.Use(args...)
	return o
}

// Group implements [fiber.Router].
func (o own) Group(prefix string, handlers ...fiber.Handler) fiber.Router {
	for i, h := range handlers {
		handlers[i] = o.only(h)
	}
	return own{o.Router.Group(prefix, handlers...), o.prefix}
}

// Route implements [fiber.Router].
func (o own) Route(prefix string, fn func(fiber.Router), name ...string) fiber.Router {
	r := o.Group(prefix)
	if len(name) > 0 {
		r.Name(name[0])
	}
	fn(r)
	return r
}

// only passes h by where a path goes on as another name. That it begins with the
// prefix Fiber has seen, in whatever case it may be.
func (o own) only(h fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if path := c.Path(); len(path) > len(o.prefix) && path[len(o.prefix)] != '/' {
			return c.Next()
		}
		return h(c)
	}
}
