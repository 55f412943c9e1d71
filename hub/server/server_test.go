package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// site is a running server over a hub in memory. Its pages are those of
// chat.example, wherever it listens.
type site struct {
	*hubtest.Kit
	server *Server
	addr   string
	ready  error
}

// mounted is a plugin of routes, at the root.
type mounted struct {
	id     string
	routes func(fiber.Router)
}

func (m mounted) ID() string                          { return m.id }
func (mounted) Init(context.Context, *hub.Host) error { return nil }
func (m mounted) MountRoot(r fiber.Router)            { m.routes(r) }

func serve(t testing.TB, change func(*Options)) *site {
	t.Helper()
	return serveOn(t, net.ListenConfig{}, change)
}

// serveOn is serve with sockets as the test needs them.
func serveOn(t testing.TB, sockets net.ListenConfig, change func(*Options)) *site {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { noLeaks(t, before) })
	s := &site{Kit: hubtest.Start(t, hubtest.Options{})}
	base, _ := url.Parse("https://chat.example")
	o := Options{
		Hub: s.Hub, BaseURL: base, Log: slog.New(slog.DiscardHandler),
		Identify: func(_ context.Context, token string) (hub.Identity, error) {
			if token == "ana" {
				return hub.Identity{Kind: hub.Admin, ID: "ana", Session: "s"}, nil
			}
			return hub.Identity{}, nil
		},
		Origins:       func(context.Context) ([]string, error) { return []string{"shop.example", "localhost:3000"}, nil },
		Ready:         func(context.Context) error { return s.ready },
		MaxFrameBytes: 32 << 10, SendQueueBytes: 1 << 20, ConnectionsPerIP: 100,
		WriteTimeout: 5 * time.Second, PingInterval: time.Minute,
	}
	if change != nil {
		change(&o)
	}
	s.server = New(context.Background(), o)
	err := s.server.Mount(mounted{"test", func(r fiber.Router) {
		r.Get("/who", func(c *fiber.Ctx) error { return c.SendString(hub.IdentityOf(c.UserContext()).ID) })
		r.Post("/change", func(c *fiber.Ctx) error { return c.SendString("changed") })
		r.Get("/held", func(*fiber.Ctx) error { return hub.Errorf(hub.CodeHeld, "Ana is answering.") })
		r.Get("/broken", func(*fiber.Ctx) error { return errors.New("secret") })
		r.Get("/panic", func(*fiber.Ctx) error { panic("secret") })
		r.Get("/from", func(c *fiber.Ctx) error { return c.SendString(s.server.clients.ip(c).String()) })
	}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := sockets.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	if err := s.server.Start(ln); err != nil {
		t.Error(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := s.server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask sends a request as it is written and returns the answer's status and body.
func (s *site) ask(t *testing.T, request string) (int, string) {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	head, body, _ := strings.Cut(request, "\n\n")
	if _, err := io.WriteString(c, strings.ReplaceAll(head, "\n", "\r\n")+"\r\nConnection: close\r\n\r\n"+body); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

const host = "\nHost: chat.example"

func TestRequests(t *testing.T) {
	s := serve(t, func(o *Options) { o.TrustedProxies = hub.Networks{netip.MustParsePrefix("10.0.0.0/8")} })
	form := func(more string) string {
		return "POST /change HTTP/1.1" + host + "\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 3" + more + "\n\na=b"
	}
	for _, tt := range []struct {
		name, request string
		status        int
		body          string
	}{
		{"a guest", "GET /who HTTP/1.1" + host, 200, ""},
		{"an admin", "GET /who HTTP/1.1" + host + "\nCookie: __Host-bellhub=ana", 200, "ana"},
		{"the cookie of plain http is not read over https", "GET /who HTTP/1.1" + host + "\nCookie: bellhub=ana", 200, ""},
		{"53 from our own page", form("\nOrigin: https://chat.example"), 200, "changed"},
		{"53 by a program", form(""), 200, "changed"},
		{"53 from another site", form("\nOrigin: https://evil.example"), 403, "another site"},
		{"53 from another site, as the browser says", form("\nSec-Fetch-Site: cross-site"), 403, "another site"},
		{"53 from a sandbox", form("\nOrigin: null"), 403, "another site"},
		{"52 another site names itself as the host", strings.Replace(form("\nOrigin: https://evil.example"), "chat.example", "evil.example", 1), 403, "another site"},
		{"an error for its reader", "GET /held HTTP/1.1" + host, 409, "Ana is answering."},
		{"an error of the inside", "GET /broken HTTP/1.1" + host, 500, "Internal Server Error"},
		{"a panic", "GET /panic HTTP/1.1" + host, 500, "Internal Server Error"},
		{"47 traversal", "GET /static/../../etc/passwd HTTP/1.1" + host, 404, ""},
		{"47 traversal, encoded twice", "GET /static/%252e%252e/server.go HTTP/1.1" + host, 404, ""},
		{"12 two hosts", "GET /who HTTP/1.1" + host + host, 400, ""},
		{"12 two lengths", "POST /change HTTP/1.1" + host + "\nContent-Length: 3\nTransfer-Encoding: chunked\n\n0\r\n\r\n", 400, ""},
		{"9 headers too large", "GET /who HTTP/1.1" + host + "\nX: " + strings.Repeat("x", 9<<10), 431, ""},
		{"49 body too large", "POST /change HTTP/1.1" + host + "\nContent-Length: 300000\n\n" + strings.Repeat("x", 300_000), 413, ""},
		{"51 a spoofed address", "GET /from HTTP/1.1" + host + "\nX-Forwarded-For: 203.0.113.9", 200, "127.0.0.1"},
		{"a malformed request is not quoted", "GET /who HTTP/1.1" + host + "\nsecret", 400, "Bad Request"},
		{"metrics through a proxy", "GET /metrics HTTP/1.1" + host + "\nX-Forwarded-For: 203.0.113.9", 404, ""},
		{"metrics", "GET /metrics HTTP/1.1" + host, 200, "bellhub_connections 0"},
		{"nothing there", "GET /nope HTTP/1.1" + host, 404, "Not Found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := s.ask(t, tt.request)
			if status != tt.status || !strings.Contains(body, tt.body) || strings.Contains(body, "secret") {
				t.Errorf("got %d %q, want %d %q", status, body, tt.status, tt.body)
			}
		})
	}
}

func TestATrustedProxyNamesTheClient(t *testing.T) {
	s := serve(t, func(o *Options) {
		o.TrustedProxies = hub.Networks{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	})
	for header, want := range map[string]string{
		"":                                      "127.0.0.1",
		"203.0.113.9":                           "203.0.113.9",
		"1.2.3.4, 203.0.113.9":                  "203.0.113.9", // what the client itself claims is further left
		"1.2.3.4, 203.0.113.9, 10.1.1.1":        "203.0.113.9",
		"1.2.3.4, nonsense, 10.1.1.1":           "10.1.1.1",
		"2001:db8::7, 10.1.1.1":                 "2001:db8::7",
		"::ffff:203.0.113.9":                    "203.0.113.9",
		"1.2.3.4\nX-Forwarded-For: 203.0.113.9": "203.0.113.9", // the proxy's own line comes last
	} {
		if _, got := s.ask(t, "GET /from HTTP/1.1"+host+"\nX-Forwarded-For: "+header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

const upgrade = "GET /ws HTTP/1.1" + host + "\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="

func TestWhoMayOpenASocket(t *testing.T) {
	s := serve(t, nil)
	for _, tt := range []struct {
		name, origin string
		refused      bool
	}{
		{"our own page", "https://chat.example", false},
		{"a domain's page", "https://shop.example", false},
		{"a developer's page", "http://localhost:3000", false},
		{"5 a foreign page", "https://evil.example", true},
		{"5 a domain's page over http", "http://shop.example", true},
		{"6 null", "null", true},
		{"8 a look-alike", "https://shop.example.evil.example", true},
		{"8 a suffix", "https://evilshop.example", true},
		{"8 another port", "https://shop.example:8443", true},
		{"8 a subdomain", "https://www.shop.example", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			request := strings.ReplaceAll(upgrade+"\nConnection: Upgrade\nOrigin: "+tt.origin+"\n\n", "\n", "\r\n")
			if _, err := io.WriteString(c, request); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(c).ReadString('\n')
			want := "HTTP/1.1 101"
			if tt.refused {
				want = "HTTP/1.1 403"
			}
			if err != nil || !strings.HasPrefix(line, want) {
				t.Errorf("got %q, %v, want %s", line, err, want)
			}
		})
	}
}

func TestTheNamesOfThisMachineAreOneInDevelopment(t *testing.T) {
	s := serve(t, func(o *Options) { o.BaseURL = &url.URL{Scheme: "http", Host: "localhost:8080"} })
	for origin, want := range map[string]int{
		"http://localhost:8080": 200, "http://127.0.0.1:8080": 200, "http://[::1]:8080": 200,
		"http://127.0.0.1:9090": 403, "https://127.0.0.1:8080": 403, "http://evil.example:8080": 403,
	} {
		if status, _ := s.ask(t, "POST /change HTTP/1.1"+host+"\nContent-Length: 0\nOrigin: "+origin); status != want {
			t.Errorf("%s: %d, want %d", origin, status, want)
		}
	}
}

func TestAnAddressHasSoManySockets(t *testing.T) {
	s := serve(t, func(o *Options) { o.ConnectionsPerIP = 2 })
	open := func() (net.Conn, string) {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(c, strings.ReplaceAll(upgrade+"\nConnection: Upgrade\n\n", "\n", "\r\n"))
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return c, line[:12]
	}
	first, status := open()
	if status != "HTTP/1.1 101" {
		t.Fatal(status)
	}
	if _, status = open(); status != "HTTP/1.1 101" {
		t.Fatal(status)
	}
	if _, status = open(); status != "HTTP/1.1 429" {
		t.Errorf("11 a third: %s", status)
	}
	// A refused handshake does not count.
	if status, _ := s.ask(t, "POST /ws HTTP/1.1"+host+"\nContent-Length: 0"); status != 429 {
		t.Errorf("over the cap: %d", status)
	}
	first.Close()
	for { // until the server has seen it go
		if _, status = open(); status == "HTTP/1.1 101" {
			return
		}
	}
}

func TestReadiness(t *testing.T) {
	s := serve(t, nil)
	if status, _ := s.ask(t, "GET /readyz HTTP/1.1"+host); status != 200 {
		t.Errorf("ready: %d", status)
	}
	s.ready = errors.New("secret: no database")
	if status, body := s.ask(t, "GET /readyz HTTP/1.1"+host); status != 503 || strings.Contains(body, "secret") {
		t.Errorf("without a database: %d %s", status, body)
	}
	s.server.leaving.Store(true)
	if status, _ := s.ask(t, "GET /readyz HTTP/1.1"+host); status != 503 {
		t.Errorf("leaving: %d", status)
	}
	if status, _ := s.ask(t, "GET /healthz HTTP/1.1"+host); status != 200 {
		t.Errorf("alive: %d", status)
	}
}

func TestTwoPluginsCannotShareARoute(t *testing.T) {
	var first, second error
	serve(t, func(o *Options) {
		s := New(context.Background(), *o) // never started
		route := func(r fiber.Router) { r.Get("/who", func(*fiber.Ctx) error { return nil }) }
		first, second = s.Mount(mounted{"first", route}), s.Mount(mounted{"second", route})
		s.upgrader.close()
	})
	if first != nil || second == nil || !strings.Contains(second.Error(), "second") || !strings.Contains(second.Error(), "first") || !strings.Contains(second.Error(), "/who") {
		t.Errorf("got %v, then %v", first, second)
	}
}

func TestTheLauncherIsCachedByItsContent(t *testing.T) {
	s := serve(t, nil)
	get := func(path string, header ...string) *http.Response {
		r, err := http.NewRequest(http.MethodGet, "http://"+s.addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for _, path := range []string{"/widget.js", "/asyncapi.yaml", "/openapi.yaml"} {
		first := get(path, "Accept-Encoding", "gzip")
		h := first.Header
		if h.Get("Content-Encoding") != "gzip" || h.Get("Cache-Control") != "public, max-age=300" || h.Get("Access-Control-Allow-Origin") != "*" ||
			h.Get("Cross-Origin-Resource-Policy") != "cross-origin" || !strings.Contains(h.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s: headers: %v", path, h)
		}
		// Tools that say nothing show what they get, and browsers show text.
		if h := get(path, "Accept-Encoding", "").Header; h.Get("Content-Encoding") != "" {
			t.Errorf("%s to who asks for no encoding: %v", path, h)
		}
		if kind := get(path, "Accept", "text/html,*/*").Header.Get("Content-Type"); strings.HasSuffix(path, ".yaml") && kind != "text/plain; charset=utf-8" {
			t.Errorf("%s in a browser: %s", path, kind)
		}
		if again := get(path, "If-None-Match", h.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", path, again.StatusCode)
		}
	}
}
