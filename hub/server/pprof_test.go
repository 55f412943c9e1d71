package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Profiles are answered on an address of their own, to this machine alone.
func TestProfiling(t *testing.T) {
	s := serve(t, func(o *Options) { o.Profile = "127.0.0.1:0" })
	addr := s.server.profiler.addr.String()
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	for _, tt := range []struct {
		name, path, host string
		status           int
		body             string
	}{
		{"the index", "/debug/pprof/", "", 200, "goroutine"},
		{"a profile", "/debug/pprof/goroutine?debug=1", "", 200, "goroutine profile"},
		{"by this machine's name", "/debug/pprof/heap?debug=1", "localhost:6060", 200, "heap profile"},
		{"by a name that a web page made this machine's", "/debug/pprof/heap", "evil.example:6060", 403, ""},
		{"the command line, which may hold a secret", "/debug/pprof/cmdline", "", 404, ""},
		{"anything else", "/metrics", "", 404, ""},
	} {
		r, err := http.NewRequest(http.MethodGet, "http://"+addr+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = tt.host
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status || !strings.Contains(string(body), tt.body) {
			t.Errorf("%s: %d %.200s, %v", tt.name, resp.StatusCode, body, err)
		}
	}
	if status, _ := s.ask(t, "GET /debug/pprof/ HTTP/1.1"+host); status != 404 {
		t.Errorf("on the public address: %d", status)
	}
}

// A profile under way does not hold up the end.
func TestAProfileEndsWithTheServer(t *testing.T) {
	p, err := newProfiler(context.Background(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := p.addr.String()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /debug/pprof/trace?seconds=60 HTTP/1.1\r\nHost: "+addr+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// Its first bytes: it has begun.
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(c, make([]byte, 12)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := p.stop(ctx); err != nil {
		t.Error(err)
	}
}

// A taken address ends the program with the name of the setting.
func TestAProfilerThatCannotListen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := New(context.Background(), Options{BaseURL: &url.URL{Scheme: "http", Host: "localhost"}, Log: slog.New(slog.DiscardHandler), Profile: taken.Addr().String()})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if err := s.Start(ln); err == nil || !strings.Contains(err.Error(), "-pprof") {
		t.Errorf("got %v", err)
	}
}
