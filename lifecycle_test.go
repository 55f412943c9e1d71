package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/hubtest/process"
)

// answers tells whether a server answers at an address, soon.
func answers(addr string) bool {
	client := http.Client{Timeout: 100 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + addr + "/healthz")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// connect opens a WebSocket, and returns when the hub has answered on it. What is
// left to read is the frames that it sends further.
func connect(addr string) (net.Conn, *bufio.Reader, error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return nil, nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", addr)
	frames := bufio.NewReader(conn)
	resp, err := http.ReadResponse(frames, nil)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = errors.New(resp.Status)
	}
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	const hello = `{"type":"hello","id":"h","data":{"domain":"nobody"}}`
	_, err = conn.Write(append([]byte{0x81, 0x80 | byte(len(hello)), 0, 0, 0, 0}, hello...)) // masked with zeros
	var head []byte
	if err == nil {
		head, err = frames.Peek(4)
	}
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	size := 2 + int(head[1])
	if head[1] == 126 {
		size = 4 + int(binary.BigEndian.Uint16(head[2:]))
	}
	_, err = frames.Discard(size) // an error: there is no such domain
	return conn, frames, err
}

// Start and stop take the steps that hub.Plugin promises, in its order.
func TestTheStepsOfALife(t *testing.T) {
	l, a, b, c := three()
	addr := hubtest.FreeAddr(t)
	runs, greeted, seenOff := make(chan struct{}), make(chan struct{}), make(chan struct{})
	c.do["script"] = func(context.Context) error { // the last step before Run
		if answers(addr) {
			t.Error("somebody is answered before everything is mounted")
		}
		return nil
	}
	b.do["run"] = func(ctx context.Context) error {
		l.note("run b")
		close(runs)
		<-ctx.Done()
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			t.Error("who connects is heard while Runners are told to end")
		}
		l.note("run ends b")
		return nil
	}
	a.do["greet"] = func(context.Context) error {
		<-runs // it had been started: else nothing goes on here
		conn, frames, err := connect(addr)
		if err != nil {
			t.Errorf("nobody is answered once the program runs: %v", err)
			close(seenOff)
			return nil
		}
		go func() {
			defer close(seenOff)
			defer conn.Close() // the program waits for it
			if _, err := frames.Peek(1); err != nil {
				t.Error(err)
			}
			l.note("a session is seen off")
		}()
		return nil
	}
	c.do["greet"] = func(context.Context) error { close(greeted); return nil }
	log := process.NewOutput()
	stop, ended := serve(t, log, []*probe{a, b, c}, "-addr", addr)
	select {
	case <-greeted:
	case err := <-ended:
		t.Fatalf("%v\n%s", err, log)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	<-seenOff
	const want = "flags a, flags b, flags c, validate a, validate b, validate c, migrate a, migrate b, migrate c, init a, init b, init c, " +
		"mount a, mount root a, script a, mount b, mount root b, script b, mount c, mount root c, script c, run b, greet a, greet b, greet c, " +
		"a session is seen off, run ends b, close c, close b, close a"
	// Run is at the same time as the first Greet.
	if got := strings.Replace(l.String(), "greet a, run b", "run b, greet a", 1); got != want {
		t.Errorf("the steps were\n%s, want\n%s", got, want)
	}
}

// A step that fails ends the program: no further step is taken, what had begun
// is ended, in order, and the error says which plugin it was.
func TestAStepFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	fails := func(context.Context) error { return errors.New("no luck") }
	panics := func(context.Context) error { panic("no luck") }
	const (
		configured  = "flags a, flags b, flags c, validate a, validate b"
		migrated    = configured + ", validate c, migrate a, migrate b"
		initialised = migrated + ", migrate c, init a, init b"
		mounted     = initialised + ", init c, mount a, mount root a, script a, mount b"
		greeted     = mounted + ", mount root b, script b, mount c, mount root c, script c, greet a, greet b"
		closed      = ", close c, close b, close a"
	)
	for name, tt := range map[string]struct {
		bad   func(b *probe)
		args  []string
		steps string
		says  []string
	}{
		"a flag of another's": {
			bad: func(b *probe) {
				b.do["flags"] = func(context.Context) error { b.flags.Int("a-number", 0, ""); return nil }
			},
			steps: "flags a, flags b",
			says:  []string{"plugin b", "-a-number"},
		},
		"Flags panics": {
			bad:   func(b *probe) { b.do["flags"] = panics },
			steps: "flags a, flags b",
			says:  []string{"plugin b", "no luck"},
		},
		"Validate fails": {
			bad:   func(b *probe) { b.do["validate"] = fails },
			steps: configured,
			says:  []string{"plugin b", "no luck"},
		},
		"Validate panics": {
			bad:   func(b *probe) { b.do["validate"] = panics },
			steps: configured,
			says:  []string{"plugin b", "no luck"},
		},
		"the port is taken": {
			args:  []string{"-addr", taken.Addr().String()},
			steps: configured + ", validate c",
			says:  []string{"-addr", "in use"},
		},
		"a migration fails": {
			bad:   func(b *probe) { b.do["migrate"] = fails },
			steps: migrated,
			says:  []string{"b/0001", "no luck"},
		},
		"Migrations panics": {
			bad:   func(b *probe) { b.do["migrations"] = panics },
			steps: configured + ", validate c",
			says:  []string{"plugin b", "no luck"},
		},
		"Init fails": {
			bad:   func(b *probe) { b.do["init"] = fails },
			steps: initialised + ", close b, close a",
			says:  []string{"plugin b", "no luck"},
		},
		"Init panics": {
			bad:   func(b *probe) { b.do["init"] = panics },
			steps: initialised + ", close b, close a",
			says:  []string{"plugin b", "no luck"},
		},
		"Init claims the hub's frame": {
			bad: func(b *probe) {
				b.do["init"] = func(context.Context) error {
					b.host.Handle("message", hub.From(hub.Visitor), func(context.Context, hub.Frame) (any, error) { return nil, nil })
					return nil
				}
			},
			steps: initialised + ", close b, close a",
			says:  []string{"plugin b", `"message"`, "the hub"},
		},
		"Mount panics": {
			bad:   func(b *probe) { b.do["mount"] = panics },
			steps: mounted + closed,
			says:  []string{"plugin b", "no luck"},
		},
		"a route of the server's": {
			bad: func(b *probe) {
				b.do["mount root"] = func(context.Context) error {
					b.app.Get("/healthz", func(*fiber.Ctx) error { return nil })
					return nil
				}
			},
			steps: mounted + ", mount root b" + closed,
			says:  []string{"plugin b", "GET /healthz", "the server"},
		},
		"the script panics": {
			bad:   func(b *probe) { b.do["script"] = panics },
			steps: mounted + ", mount root b, script b" + closed,
			says:  []string{"plugin b", "no luck"},
		},
		"the profiler's port is taken": {
			args:  []string{"-pprof", taken.Addr().String()},
			steps: strings.TrimSuffix(greeted, ", greet a, greet b") + closed,
			says:  []string{"pprof", "in use"},
		},
		"Greet fails": {
			bad:   func(b *probe) { b.do["greet"] = fails },
			steps: greeted + closed,
			says:  []string{"plugin b", "no luck"},
		},
		"Greet panics": {
			bad:   func(b *probe) { b.do["greet"] = panics },
			steps: greeted + closed,
			says:  []string{"plugin b", "no luck"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, a, b, c := three()
			if tt.bad != nil {
				tt.bad(b)
			}
			ended := false
			a.do["run"] = func(ctx context.Context) error { <-ctx.Done(); ended = true; return nil }
			a.do["close"] = func(context.Context) error {
				if strings.Contains(l.String(), "greet") && !ended {
					t.Error("a Runner is not at its end when plugins are closed")
				}
				return nil
			}
			log := process.NewOutput()
			_, over := serve(t, log, []*probe{a, b, c}, tt.args...)
			err := <-over
			if err == nil {
				t.Fatal("the program ended well")
			}
			for _, says := range tt.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("the error does not say %q: %v", says, err)
				}
			}
			if l.String() != tt.steps {
				t.Errorf("the steps were\n%s, want\n%s", l, tt.steps)
			}
		})
	}
}

// Whatever a plugin does at its end, the others are closed, and the program says
// that something was wrong.
func TestAPluginThatDoesNotCloseWell(t *testing.T) {
	for name, bad := range map[string]func(released chan struct{}) error{
		"fails":           func(chan struct{}) error { return errors.New("no luck") },
		"panics":          func(chan struct{}) error { panic("no luck") },
		"does not return": func(released chan struct{}) error { <-released; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			l, a, b, c := three()
			greeted, released := make(chan struct{}), make(chan struct{})
			c.do["greet"] = func(context.Context) error { close(greeted); return nil }
			b.do["close"] = func(context.Context) error { return bad(released) }
			stop, ended := serve(t, io.Discard, []*probe{a, b, c}, "-drain-timeout", "200ms")
			<-greeted
			stop()
			err := <-ended
			close(released)
			if err == nil || !strings.Contains(err.Error(), "plugin b") {
				t.Errorf("the error is %v", err)
			}
			if !strings.HasSuffix(l.String(), "greet c, close c, close b, close a") {
				t.Errorf("the steps were %s", l)
			}
		})
	}
}

// A Runner that fails or panics is started again, while everything else goes on.
func TestARunnerFails(t *testing.T) {
	for name, fail := range map[string]func() error{
		"with an error": func() error { return errors.New("no luck") },
		"with a panic":  func() error { panic("no luck") },
	} {
		t.Run(name, func(t *testing.T) {
			_, a, b, c := three()
			tries, again := 0, make(chan struct{})
			b.do["run"] = func(ctx context.Context) error {
				if tries++; tries == 1 {
					return fail()
				}
				close(again)
				<-ctx.Done()
				return nil
			}
			log := process.NewOutput()
			stop, ended := serve(t, log, []*probe{a, b, c})
			select {
			case <-again:
			case err := <-ended:
				t.Fatal(err)
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if out := log.String(); !strings.Contains(out, "plugin=b") || !strings.Contains(out, "no luck") {
				t.Errorf("the log is\n%s", out)
			}
		})
	}
}

// Who is told to end while still starting starts, and ends well.
func TestToldToEndAtTheStart(t *testing.T) {
	l, a, b, c := three()
	told := make(chan struct{})
	var stop func()
	b.do["init"] = func(context.Context) error { <-told; stop(); return nil }
	stop, ended := serve(t, io.Discard, []*probe{a, b, c})
	close(told)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.HasSuffix(l.String(), "greet c, close c, close b, close a") {
		t.Errorf("the steps were %s", l)
	}
}
