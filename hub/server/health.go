package server

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bellhub/bellhub/hub"
)

// readyTimeout bounds the question whether the database answers.
const readyTimeout = 2 * time.Second

// maxScrapes is how many may read the metrics at a time: two Prometheus
// servers, and somebody with a browser.
const maxScrapes = 3

// health adds what operators and their machines ask for: is it alive, may it
// get traffic, how is it.
func (s *Server) health() {
	s.app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("ok\n") })
	s.app.Get("/readyz", func(c *fiber.Ctx) error {
		if s.leaving.Load() {
			return fiber.NewError(fiber.StatusServiceUnavailable, "leaving")
		}
		ctx, cancel := context.WithTimeout(c.UserContext(), readyTimeout)
		defer cancel()
		if err := s.opts.Ready(ctx); err != nil {
			return hub.Wrap(err, hub.CodeUnavailable, "not ready")
		}
		return c.SendString("ready\n")
	})
	metrics := adaptor.HTTPHandler(promhttp.HandlerFor(s.opts.Metrics.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes}))
	s.app.Get("/metrics", func(c *fiber.Ctx) error {
		// For the machine's own network, not for the web.
		if forwarded, _ := s.clients.proxied(c); forwarded {
			return fiber.ErrNotFound
		}
		return metrics(c)
	})
}
