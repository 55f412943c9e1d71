package server

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bellhub/bellhub/hub"
)

// readyTimeout bounds the question whether the database answers.
const readyTimeout = 2 * time.Second

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
	metrics := adaptor.HTTPHandler(promhttp.HandlerFor(s.metrics(), promhttp.HandlerOpts{}))
	s.app.Get("/metrics", func(c *fiber.Ctx) error {
		// For the machine's own network, not for the web.
		if forwarded, _ := s.clients.proxied(c); forwarded {
			return fiber.ErrNotFound
		}
		return metrics(c)
	})
}

func (s *Server) metrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	gauge := func(name, help string, value func() int) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) }))
	}
	gauge("bellhub_connections", "WebSocket connections on this node.", func() int { return s.opts.Hub.Stats().Connections })
	gauge("bellhub_rooms", "Rooms with a member on this node.", func() int { return s.opts.Hub.Stats().Rooms })
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}
