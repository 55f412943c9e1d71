package bench_test

import (
	"bytes"
	"context"
	"flag"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/bench"
	"github.com/bellhub/bellhub/hub/config"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/server"
)

// serve runs a server in memory until the test ends. The AI of its domain
// "bench" is off, that of "shop" is on.
func serve(t *testing.T, limits hub.Limits, perIP int) (address string) {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		goleak.VerifyNone(t, leaks, // fasthttp's clock and the cleaner of its pool outlive it
			goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
			goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := &url.URL{Scheme: "http", Host: ln.Addr().String()}
	store := hubtest.NewMemory()
	store.AddDomain(hub.Domain{Key: "bench", Name: "Bench"})
	store.AddDomain(hub.Domain{Key: "shop", Name: "Shop", AI: true})
	ctx, cancel := context.WithCancel(context.Background())
	h, err := hub.New(ctx, hub.Options{
		Store: store, BaseURL: base, Limits: limits, Frame: server.Frame, Render: server.Render,
		Asset: func(name string) string { return name },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Init(); err != nil {
		t.Fatal(err)
	}
	s := server.New(ctx, server.Options{
		Hub: h, BaseURL: base, Log: slog.New(slog.DiscardHandler),
		Identify:      func(context.Context, string) (hub.Identity, error) { return hub.Identity{}, nil },
		Origins:       func(context.Context) ([]string, error) { return nil, nil },
		Ready:         func(context.Context) error { return nil },
		MaxFrameBytes: 32 << 10, SendQueueBytes: 1 << 20, ConnectionsPerIP: perIP,
		WriteTimeout: 5 * time.Second, PingInterval: time.Minute,
	})
	if err := s.Start(ln); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := h.Close(ctx); err != nil {
			t.Error(err)
		}
		cancel()
	})
	return base.String()
}

// six connections share two rooms.
func six() bench.Options {
	return bench.Options{Key: "bench", Connections: 6, Members: 3, Rate: 200, Duration: 300 * time.Millisecond}
}

// unlimited lets everything through.
var unlimited = hub.Limits{MaxText: 4000}

// figure is the first number of a row of the table.
func figure(t *testing.T, table, row string) int {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + row + `\s+(\d+)`).FindStringSubmatch(table)
	if m == nil {
		t.Fatalf("no row %q in\n%s", row, table)
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

func TestARunIsReported(t *testing.T) {
	var out, progress bytes.Buffer
	o := six()
	o.Duration = 1200 * time.Millisecond // over one line of progress
	if err := bench.Run(t.Context(), serve(t, unlimited, 0), o, &out, &progress); err != nil {
		t.Fatal(err)
	}
	table := out.String()
	sent := figure(t, table, "sent")
	if sent == 0 || figure(t, table, "acknowledged") != sent || figure(t, table, "delivered") != 3*sent ||
		figure(t, table, "unanswered") != 0 || figure(t, table, "undelivered") != 0 {
		t.Errorf("every message is acknowledged, and delivered to three:\n%s", table)
	}
	for _, row := range []string{
		`connections +wanted +opened +a second +lost\n +6 +6 +[\d.]+ +0\n`,
		`latency +p50 +p95 +p99 +max\nto welcome( +[\d.]+[mµ]?s){4}\nto acknowledgement( +[\d.]+[mµ]?s){4}\nto delivery( +[\d.]+[mµ]?s){4}\n`,
	} {
		if !regexp.MustCompile(row).MatchString(table) {
			t.Errorf("no %s in\n%s", row, table)
		}
	}
	if strings.Contains(table, "errors") || strings.Contains(table, "limits of the server") {
		t.Errorf("nothing went wrong:\n%s", table)
	}
	if !strings.Contains(progress.String(), "talking     6 connected") {
		t.Errorf("progress:\n%s", &progress)
	}
}

func TestSomeRoomsTalk(t *testing.T) {
	var out bytes.Buffer
	o := six()
	o.Members, o.Rooms = 1, 1
	if err := bench.Run(t.Context(), serve(t, unlimited, 0), o, &out, &out); err != nil {
		t.Fatal(err)
	}
	if sent := figure(t, out.String(), "sent"); sent == 0 || figure(t, out.String(), "delivered") != sent {
		t.Errorf("one of six rooms talks:\n%s", &out)
	}
}

// A limit that a run met is told from what the server can do.
func TestLimitsAreNamed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits hub.Limits
		perIP  int
		word   string // in the table
		flag   string // that would lift it
	}{
		{"an address's connections", unlimited, 4, "HTTP 429", "-max-connections-per-ip"},
		{"the node's connections", hub.Limits{MaxText: 4000, MaxConnections: 4}, 0, "close 1013", "-max-connections."},
		{"a visitor's connections", hub.Limits{MaxText: 4000, ConnectionsPerVisitor: 2}, 0, "close 4409", "-max-connections-per-visitor"},
		{"a visitor's messages", hub.Limits{MaxText: 4000, MessageRate: 1, MessageBurst: 2}, 0, "rate_limited", "-message-rate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, progress bytes.Buffer
			if err := bench.Run(t.Context(), serve(t, tt.limits, tt.perIP), six(), &out, &progress); err != nil {
				t.Fatal(err)
			}
			if figure(t, out.String(), tt.word) < 1 || !strings.Contains(out.String(), tt.flag) || !strings.Contains(out.String(), "limits of the server, not its capacity") {
				t.Errorf("want %s and %s in\n%s", tt.word, tt.flag, &out)
			}
		})
	}
}

// canceller ends a run at its first line of progress.
type canceller struct{ cancel context.CancelFunc }

func (c canceller) Write(p []byte) (int, error) {
	c.cancel()
	return len(p), nil
}

func TestAnInterruptedRunIsReported(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	o := six()
	o.Duration = time.Hour
	if err := bench.Run(ctx, serve(t, unlimited, 0), o, &out, canceller{cancel}); err != nil {
		t.Fatal(err)
	}
	if sent := figure(t, out.String(), "sent"); sent == 0 || figure(t, out.String(), "unanswered") != 0 {
		t.Errorf("what was sent is answered:\n%s", &out)
	}
}

func TestConnectionsAlone(t *testing.T) {
	var out, progress bytes.Buffer
	o := six()
	o.Rate = 0
	if err := bench.Run(t.Context(), serve(t, unlimited, 0), o, &out, &progress); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "messages") || !strings.Contains(out.String(), "to welcome") {
		t.Errorf("only connections:\n%s", &out)
	}
}

func TestWhatCannotBeMeasured(t *testing.T) {
	address := serve(t, hub.Limits{MaxText: 3}, 0)
	for _, tt := range []struct {
		name, address string
		change        func(*bench.Options)
		want          string // of the error
	}{
		{"no key", address, func(o *bench.Options) { o.Key = "" }, "-key"},
		{"an unknown key", address, func(o *bench.Options) { o.Key = "nobody" }, `no domain with the widget key "nobody"`},
		{"a domain whose AI answers", address, func(o *bench.Options) { o.Key = "shop" }, "-ai=false"},
		{"no server", "http://127.0.0.1:1", nil, "nothing could be measured"},
		{"no address", "bench.example", nil, "http://localhost:8080"},
		{"a password in the address", "http://a:b@bench.example", nil, "http://localhost:8080"},
		{"fewer connections than members", address, func(o *bench.Options) { o.Members = 7 }, "-connections"},
		{"more rooms than there are", address, func(o *bench.Options) { o.Rooms = 3 }, "2 rooms of 3"},
		{"a negative rate", address, func(o *bench.Options) { o.Rate = -1 }, "-rate"},
		{"no time", address, func(o *bench.Options) { o.Duration = 0 }, "-duration"},
		{"a server that takes no message", address, nil, "no message was acknowledged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := six()
			if tt.change != nil {
				tt.change(&o)
			}
			var out bytes.Buffer
			err := bench.Run(t.Context(), tt.address, o, &out, &out)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q\n%s", err, tt.want, &out)
			}
		})
	}
}

// TestDefaults: a first run stays under the limits of a server whose operator
// moved none.
func TestDefaults(t *testing.T) {
	var o bench.Options
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	config.Register(fs)
	o.Register(fs)
	perIP, err := strconv.Atoi(fs.Lookup("max-connections-per-ip").DefValue)
	if err != nil {
		t.Fatal(err)
	}
	limits := hub.DefaultLimits()
	visitors := float64(o.Connections / o.Members)
	if o.Connections > perIP || o.Members > limits.ConnectionsPerVisitor || o.Rate/visitors > limits.MessageRate || o.Rate*60/visitors > float64(limits.MessagesPerMinute) {
		t.Errorf("%+v is over %+v", o, limits)
	}
}
