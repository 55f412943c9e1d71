package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// roomy lifts the limits of the queue.
func roomy() socketOptions {
	o := edgeOptions()
	o.QueueBytes, o.QueueFrames = 0, 0
	return o
}

// 4 MB that the client takes only after the reader's goroutine has come to its
// end still arrive whole, with the close behind them: the library's Close must
// not close the socket, nor finish before all has left. Bytes that the server
// never reads must not turn the close into a reset.
func TestSlowReaderGetsAll(t *testing.T) {
	packet := frameText(bytes.Repeat([]byte("x"), 32<<10))
	const packets = 128
	for _, c := range []struct {
		name string
		end  func(hub.Conn, *rawClient) // how it ends, after all was sent
		want string
	}{
		{"our close, unanswered", func(c hub.Conn, _ *rawClient) { c.Close(hub.CloseRestart, "again") }, "close:1012 again"},
		{"our close, amid its messages", func(c hub.Conn, client *rawClient) {
			c.Close(hub.CloseDone, "")
			client.send(textFrame("a"), textFrame("b"))
		}, "close:1000"},
		{"its close", func(_ hub.Conn, client *rawClient) { client.send(closeOf(1001, "")) }, "close:1001"},
		{"its close, and junk", func(_ hub.Conn, client *rawClient) {
			client.send(closeOf(1001, ""), make([]byte, 100<<10))
		}, "close:1001"},
		{"its fault, and junk", func(_ hub.Conn, client *rawClient) {
			client.send([]byte{0x81, 0}, make([]byte, 100<<10))
		}, "close:1002"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conns, over := make(chan hub.Conn, 1), make(chan error, 1)
			r := newEdgeRig(t, roomy(), func(c hub.Conn) {
				conns <- c
				_, err := c.Read()
				over <- err
			}, func(u *upgrader) { u.timing.answer = 20 * time.Millisecond })
			client := r.open()
			client.SetReadBuffer(128 << 10)
			conn := receive(t, conns)
			for range packets {
				if err := conn.Send(packet); err != nil {
					t.Fatal(err)
				}
			}
			if drained(conn) {
				t.Fatal("the sockets' buffers took it all: nothing is tested")
			}
			c.end(conn, client)
			if err := receive(t, over); err == nil {
				t.Error("a message was read after the close")
			}
			for range packets {
				client.expect("text:" + string(packet[10-6:]))
			}
			client.expect(c.want)
			client.expectEnd()
		})
	}
}

func drained(c hub.Conn) bool {
	o := &c.(*socket).edge.out
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.frames == 0
}

// A peer that neither answers our close nor goes away is left alone in time,
// whether it reads or not.
func TestSilentPeer(t *testing.T) {
	for _, c := range []struct {
		name string
		send int    // bytes queued before the close
		says []byte // after the close
	}{
		{"reads", 0, nil},
		{"does not read", 16 << 20, nil},
		{"begins a message", 0, textFrame("never finished")[:9]},
	} {
		t.Run(c.name, func(t *testing.T) {
			conns := make(chan hub.Conn, 1)
			r := newEdgeRig(t, roomy(), handing(conns), func(u *upgrader) {
				u.timing = timing{answer: 50 * time.Millisecond, drain: 100 * time.Millisecond, linger: 50 * time.Millisecond}
			})
			client := r.open()
			conn := receive(t, conns)
			if c.send > 0 {
				conn.Send(frameText(make([]byte, c.send)))
			}
			start := time.Now()
			conn.Close(hub.CloseGoingAway, "")
			client.send(c.says)
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			if err := r.u.wait(ctx); err != nil {
				t.Fatal("still there after", time.Since(start))
			}
			if c.send == 0 {
				client.expect("close:1001")
				client.expectEnd()
			}
			if err := conn.Send(pingFrame); !errors.Is(err, net.ErrClosed) {
				t.Error("sent after the end:", err)
			}
		})
	}
}

// A client that stops reading is closed with 4408 and delays nobody.
func TestStalledReader(t *testing.T) {
	conns := make(chan hub.Conn, 1)
	over := make(chan hub.CloseCode, 2)
	o := edgeOptions()
	var overflows atomic.Int64
	o.Overflowed = func() { overflows.Add(1) }
	r := newEdgeRig(t, o, func(c hub.Conn) {
		conns <- c
		readAll(c)
		over <- c.Closed()
	}, func(u *upgrader) { u.timing.grace = patience })
	stalled := r.open()
	stalled.SetReadBuffer(128 << 10)
	slow := receive(t, conns)
	other := r.open()
	quick := receive(t, conns)

	text := strings.Repeat("x", 30<<10)
	packet := frameText([]byte(text))
	sent := 0
	for {
		if err := quick.Send(packet); err != nil {
			t.Fatal("the other's queue:", err)
		}
		other.expect("text:" + text)
		if err := slow.Send(packet); err != nil {
			if !errors.Is(err, errOverflow) {
				t.Error(err)
			}
			break
		}
		if sent++; sent > 10_000 {
			t.Fatal("the queue has no end")
		}
	}
	if err := slow.Send(packet); !errors.Is(err, net.ErrClosed) {
		t.Error("after the overflow:", err)
	}
	// It may have recovered: then it gets what was queued, and the reason.
	for range sent {
		stalled.expect("text:" + text)
	}
	stalled.expectClosed("close:4408 too slow")
	if code, n := receive(t, over), overflows.Load(); code != hub.CloseTooSlow || n != 1 {
		t.Errorf("closed with %d, after %d overflows", code, n)
	}
	quick.Close(hub.CloseDone, "")
	other.expectClosed("close:1000")
}

// Without a recovery the grace is short, and the connection is cut.
func TestStalledForGood(t *testing.T) {
	for _, c := range []struct {
		name string
		tune func(*socketOptions, *timing)
	}{
		{"too many bytes", func(_ *socketOptions, tm *timing) { tm.grace = 20 * time.Millisecond }},
		{"too many packets", func(o *socketOptions, tm *timing) { tm.grace, o.QueueBytes, o.QueueFrames = 20*time.Millisecond, 0, 3 }},
		{"too long a write", func(o *socketOptions, _ *timing) {
			o.WriteTimeout, o.QueueBytes, o.QueueFrames = 20*time.Millisecond, 0, 0
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, tm := edgeOptions(), defaultTiming
			c.tune(&o, &tm)
			conns, over := make(chan hub.Conn, 1), make(chan error, 1)
			// The kernel takes less than the first message, or it might take all.
			r := newEdgeRigOn(t, net.ListenConfig{Control: small(syscall.SO_SNDBUF)}, o, func(c hub.Conn) {
				conns <- c
				_, err := c.Read()
				over <- err
			}, func(u *upgrader) { u.timing = tm })
			client := r.open()
			client.SetReadBuffer(8 << 10)
			conn := receive(t, conns)
			start := time.Now()
			for conn.Send(frameText(make([]byte, 1<<20))) == nil {
			}
			if err := receive(t, over); err == nil {
				t.Error("read a message")
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if err := r.u.wait(ctx); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Error("gone only after", took)
			}
			if _, err := io.Copy(io.Discard, client.br); err == nil {
				t.Error("the stream ended as if it were whole")
			}
		})
	}
}

// Close is only the first; what arrives after it is not delivered, and not
// acknowledged.
func TestCloseOnce(t *testing.T) {
	conns, over := make(chan hub.Conn, 1), make(chan error, 1)
	r := newEdgeRig(t, edgeOptions(), func(c hub.Conn) {
		conns <- c
		m, err := c.Read()
		if err == nil {
			t.Errorf("read %q", m)
		}
		if _, again := c.Read(); !errors.Is(again, err) {
			t.Errorf("then %v, after %v", again, err)
		}
		over <- err
	})
	client := r.open()
	conn := receive(t, conns)
	_ = conn.Send(frameText([]byte("before")))
	var all sync.WaitGroup
	conn.Close(hub.CloseSuperseded, strings.Repeat("é", 100))
	for range 10 {
		all.Go(func() {
			conn.Close(hub.CloseInternal, "late")
			if err := conn.Send(frameText([]byte("late"))); !errors.Is(err, net.ErrClosed) {
				t.Error("late packet:", err)
			}
		})
	}
	all.Wait()
	client.send(textFrame("unheard"), pingOf("unanswered"), textFrame("unheard"))
	client.expect("text:before", "close:4409 "+strings.Repeat("é", 61))
	client.send(closeOf(4409, ""))
	client.expectEnd()
	receive(t, over)
}

// A hub that lets go without a word is closed for; one that never reads too.
func TestServeReturns(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), func(c hub.Conn) { _ = c.Send(frameText([]byte("bye"))) })
	c := r.open(textFrame("unread"))
	c.expect("text:bye")
	c.expectClosed("close:1011")
}

// edgePair is an edge over a pipe, which has no file descriptor to write to
// directly, as a TLS connection has none.
func edgePair(t *testing.T, o socketOptions) (*edge, net.Conn) {
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	tm := defaultTiming
	return newEdge(near, nil, &o, &tm), far
}

func TestEdgeWrite(t *testing.T) {
	for _, p := range []string{
		"", "\x88", "\x81\x00", "\x08\x00", "\x89\x05abc", "\x89\x00\x89\x00", "\xC9\x00",
		"\x8A\x7E\x00\x7E" + strings.Repeat("x", 126), "HTTP/1.1 200 OK\r\n\r\n",
	} {
		e, _ := edgePair(t, edgeOptions())
		if _, err := e.Write([]byte(p)); !errors.Is(err, errNotOneFrame) {
			t.Errorf("%q: %v", p, err)
		}
		if e.out.drained() {
			t.Errorf("%q: the connection is not cut", p)
		}
	}
	for frame, want := range map[string]string{
		"\x8A\x02hi":           "\x8A\x02hi",
		"\x88\x00":             "\x88\x00",
		"\x88\x05\x03\xE8bye":  "\x88\x02\x03\xE8",
		"\x88\x03\x03\xE8\xFF": "\x88\x02\x03\xEF",
	} {
		e, far := edgePair(t, edgeOptions())
		for range 2 { // the second close is dropped, and is no error
			if n, err := e.Write([]byte(frame)); n != len(frame) || err != nil {
				t.Errorf("%q: %d %v", frame, n, err)
			}
			if frame[0] == 0x8A {
				break
			}
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(far, got); err != nil || string(got) != want {
			t.Errorf("%q left as %q, %v", frame, got, err)
		}
		far.Close()
		e.shut(hub.CloseDone, "")
		e.finish()
	}
}

// Pongs count: a flood of pings from a peer that never reads ends at the cap.
func TestPongsAreCapped(t *testing.T) {
	o := edgeOptions()
	o.QueueFrames = 10
	e, far := edgePair(t, o)
	pongs := 0
	for ; !e.out.closing(); pongs++ {
		if pongs > 20 {
			t.Fatal("no cap")
		}
		e.Write([]byte{0x8A, 0})
	}
	if pongs != o.QueueFrames+1 {
		t.Errorf("closed at pong %d", pongs)
	}
	want := append(bytes.Repeat([]byte{0x8A, 0}, 10), closeFrame(hub.CloseTooSlow, "too slow")...)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("% x, %v", got, err)
	}
	far.Close()
	e.finish()
}

// Where there is no file descriptor all goes through the flusher, in order.
func TestWithoutDescriptor(t *testing.T) {
	near, far := net.Pipe()
	u := newUpgrader(edgeOptions())
	defer u.close()
	r := &http.Request{Method: http.MethodGet, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {handshakeKey},
	}}
	s, err := u.accept(near, nil, r)
	if err != nil {
		t.Fatal(err)
	}
	u.enter()
	go u.run(s, func(c hub.Conn) {
		for range 100 {
			_ = c.Send(frameText([]byte("x")))
		}
		c.Close(hub.CloseDone, "")
		readAll(c)
	})
	far.SetDeadline(time.Now().Add(patience))
	go far.Write(closeOf(1000, ""))
	got, err := io.ReadAll(far)
	_, frames, _ := strings.Cut(string(got), "\r\n\r\n")
	if want := strings.Repeat("\x81\x01x", 100) + "\x88\x02\x03\xE8"; err != nil || frames != want {
		t.Errorf("%q, %v", frames, err)
	}
	if err := u.wait(t.Context()); err != nil {
		t.Error(err)
	}
}

// Of the library's connection only these are used: Close, Ping, CloseRead and
// Write would write data or wait behind our back.
func TestLibraryCalls(t *testing.T) {
	src, err := os.ReadFile("upgrade.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\bws\.(\w+)\(`).FindAllSubmatch(src, -1) {
		if name := string(m[1]); name != "SetReadLimit" && name != "Reader" && name != "CloseNow" {
			t.Errorf("upgrade.go calls the library's %s", name)
		}
	}
}
