package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// Options is what a server is made of.
type Options struct {
	Hub     *hub.Hub
	BaseURL *url.URL
	Log     *slog.Logger
	Metrics *Metrics // those that Hub and the store are observed by; nil: new ones

	// Identify finds who a session cookie's token stands for.
	Identify func(ctx context.Context, token string) (hub.Identity, error)
	// Origins lists the hosts of the pages that may open a socket, beside the
	// base URL's own.
	Origins func(ctx context.Context) ([]string, error)
	// Ready tells whether what the server depends on answers.
	Ready func(ctx context.Context) error
	// Backlog tells what waits in the database, for the metrics; nil: nothing is
	// told.
	Backlog func(ctx context.Context) (storage.Backlog, error)

	Profile string // the loopback host:port that profiling tools are answered on; empty: none

	TrustedProxies hub.Networks // whose X-Forwarded-For is believed

	MaxFrameBytes    int           // of one WebSocket message
	SendQueueBytes   int           // of a socket's queue
	ConnectionsPerIP int           // sockets; 0: any number
	WriteTimeout     time.Duration // of a socket
	PingInterval     time.Duration
}

// The server's own limits.
const (
	maxHeaders    = 8 << 10          // bytes of a request's headers
	maxBody       = 256 << 10        // bytes of a request's body
	maxSendFrames = 256              // packets of a socket's queue
	readTimeout   = 5 * time.Second  // of a whole request, headers first
	messageTime   = 10 * time.Second // of one WebSocket message, once begun
	writeTimeout  = 30 * time.Second // of a response
	idleTimeout   = 60 * time.Second // of a connection between requests
)

// Server answers HTTP for a hub.
type Server struct {
	opts     Options
	app      *fiber.App
	upgrader *upgrader
	clients  *clients
	base     context.Context
	origin   string // the base URL's
	leaving  atomic.Bool
	listener net.Listener      // nil until Start
	profiler *profiler         // nil unless it was asked for
	owners   map[string]string // of routes, by plugins
	failure  chan error        // what ended serving
	ended    chan struct{}
}

// New makes a server. ctx is the base of every request's context: it carries
// the store.
func New(ctx context.Context, o Options) *Server {
	if o.Metrics == nil {
		o.Metrics = NewMetrics("")
	}
	o.Metrics.registry.MustRegister(&state{hub: o.Hub, backlog: o.Backlog, base: ctx})
	s := &Server{opts: o, base: ctx, origin: baseOrigin(o.BaseURL), clients: newClients(o), owners: map[string]string{}, failure: make(chan error, 2), ended: make(chan struct{})}
	s.app = fiber.New(fiber.Config{
		Immutable:             true, // Fiber's strings would alias buffers that are used again
		DisableStartupMessage: true,
		ReadBufferSize:        maxHeaders,
		BodyLimit:             maxBody,
		ReadTimeout:           readTimeout,
		WriteTimeout:          writeTimeout,
		IdleTimeout:           idleTimeout,
		ErrorHandler:          s.failed,
		// A proxy's headers are believed by clients.ip alone.
		EnableTrustedProxyCheck: true,
	})
	// A socket is served after its hijack callback has returned.
	s.app.Server().KeepHijackedConns = true
	s.upgrader = newUpgrader(socketOptions{
		MaxFrame: o.MaxFrameBytes, QueueBytes: o.SendQueueBytes, QueueFrames: maxSendFrames,
		WriteTimeout: o.WriteTimeout, PingInterval: o.PingInterval, ReadTimeout: messageTime,
		AllowOrigin: s.allowOrigin, Overflowed: o.Metrics.overflows.Inc,
	})
	s.app.Use(s.prepare)
	s.app.All("/ws", s.socket)
	s.assets()
	s.health()
	return s
}

// Frame is the transport's encoding of a packet, for hub.Options.
func Frame(payload []byte) []byte { return frameText(payload) }

// Render turns Markdown into safe HTML, for hub.Options.
func Render(text string) string { return renderMarkdown(text) }

// Routes lists method and pattern of everything that is served, as in
// "GET /console/rooms/:room".
func (s *Server) Routes() []string { return slices.Sorted(maps.Keys(countRoutes(s.app))) }

// Start serves requests that come to ln, until Stop, which must follow also an
// error: the profiling tools' address is taken.
func (s *Server) Start(ln net.Listener) (err error) {
	if s.opts.Profile != "" {
		if s.profiler, err = newProfiler(s.base, s.opts.Profile); err != nil {
			return err
		}
		s.opts.Log.Info("profiling tools are answered", "addr", s.profiler.addr.String())
	}
	s.app.Use(func(c *fiber.Ctx) error { return fiber.ErrNotFound })
	s.listener = ln
	go func() {
		defer close(s.ended)
		var heap sync.WaitGroup
		served := make(chan struct{})
		heap.Go(func() { tuneHeap(served) })
		s.failure <- s.app.Listener(ln)
		close(served)
		heap.Wait()
	}()
	return nil
}

// Failed delivers the error that ended serving, should it end by itself.
func (s *Server) Failed() <-chan error { return s.failure }

// Stop answers readiness with 503, drains the hub's connections, and then ends
// serving. It returns when both are done or when ctx ends.
func (s *Server) Stop(ctx context.Context) error {
	s.leaving.Store(true)
	err := s.opts.Hub.Drain(ctx)
	if e := s.app.ShutdownWithContext(ctx); e != nil {
		err = errors.Join(err, fmt.Errorf("server: stop: %w", e))
	}
	if s.listener != nil {
		// A Shutdown that comes before serving has quite begun does not know
		// of the listener.
		_ = s.listener.Close()
		select {
		case <-s.ended:
		case <-ctx.Done():
			err = errors.Join(err, fmt.Errorf("server: still serving: %w", ctx.Err()))
		}
	}
	// Only now can no handshake add another socket.
	if e := s.upgrader.wait(ctx); e != nil {
		err = errors.Join(err, fmt.Errorf("server: sockets left: %w", e))
	}
	s.upgrader.close()
	if s.profiler != nil { // last: a drain is worth a look
		err = errors.Join(err, s.profiler.stop(ctx))
	}
	return err
}

// socket hands a WebSocket to the hub.
func (s *Server) socket(c *fiber.Ctx) error {
	ip := s.clients.ip(c)
	leave, ok := s.clients.enter(c, ip)
	if !ok {
		return fiber.NewError(fiber.StatusTooManyRequests, "too many connections from this address")
	}
	origin, _ := canonicalOrigin(c.Get(fiber.HeaderOrigin))
	origin = s.alias(origin)
	address := ip.String()
	if _, unknown := s.clients.proxied(c); unknown {
		address = "" // a proxy's, and so everybody's
	}
	hs := &hub.Handshake{
		Identity: hub.IdentityOf(c.UserContext()), Origin: origin, IP: address,
		Log: s.opts.Log.With("connection", c.Locals(requestID)), // named as the request that opened it
	}
	err := s.upgrader.handle(c, func(conn hub.Conn) {
		defer leave()
		s.opts.Hub.Serve(s.base, conn, hs)
	})
	if !c.Context().Hijacked() {
		leave()
	}
	return err
}

// allowOrigin lets the base URL's pages and those of any domain open a socket;
// the hub then asks whether the page is one of the domain it names.
func (s *Server) allowOrigin(c *fiber.Ctx, origin string) bool {
	if s.alias(origin) == s.origin {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" && !loopback(u.Hostname()) {
		return false
	}
	hosts, err := s.opts.Origins(c.UserContext())
	if err != nil {
		s.opts.Log.Error("origins", "err", err)
		return false
	}
	for _, h := range hosts {
		if h == u.Host {
			return true
		}
	}
	return false
}

// baseOrigin is an address's origin as browsers write it.
func baseOrigin(base *url.URL) string {
	origin, _ := canonicalOrigin(base.Scheme + "://" + base.Host)
	return origin
}

// alias takes the names of this machine for each other in development: whoever
// opens 127.0.0.1 instead of localhost is at home. It returns any other origin
// as it is.
func (s *Server) alias(origin string) string {
	u, err := url.Parse(origin)
	base := s.opts.BaseURL
	if err == nil && u.Scheme == base.Scheme && u.Port() == base.Port() && loopback(u.Hostname()) && loopback(base.Hostname()) {
		return s.origin
	}
	return origin
}

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
