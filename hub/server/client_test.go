package server

import (
	"bufio"
	"bytes"
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
	"go.uber.org/goleak"

	"github.com/bellhub/bellhub/hub"
)

// patience is how long a test waits for what must happen.
const patience = 15 * time.Second

const goodOrigin = "https://shop.example"

func edgeOptions() socketOptions {
	return socketOptions{
		MaxFrame:     32 << 10,
		QueueBytes:   1 << 20,
		QueueFrames:  256,
		WriteTimeout: 5 * time.Second,
		PingInterval: 25 * time.Second,
		ReadTimeout:  10 * time.Second,
		AllowOrigin:  func(_ *fiber.Ctx, origin string) bool { return origin == goodOrigin },
		Overflowed:   func() {},
	}
}

// edgeRig is a server with one route, over real sockets.
type edgeRig struct {
	t    testing.TB
	u    *upgrader
	addr string
}

// newEdgeRig serves until the test's end, and then sees that nothing is left
// running. Tests that shorten times do so in tune.
func newEdgeRig(t testing.TB, o socketOptions, serve func(hub.Conn), tune ...func(*upgrader)) *edgeRig {
	t.Helper()
	return newEdgeRigOn(t, net.ListenConfig{}, o, serve, tune...)
}

// newEdgeRigOn is newEdgeRig with sockets as the test needs them.
func newEdgeRigOn(t testing.TB, sockets net.ListenConfig, o socketOptions, serve func(hub.Conn), tune ...func(*upgrader)) *edgeRig {
	t.Helper()
	before := goleak.IgnoreCurrent()
	r := &edgeRig{t: t, u: newUpgrader(o)}
	for _, f := range tune {
		f(r.u)
	}
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ReadBufferSize:        8 << 10,
		ReadTimeout:           5 * time.Second,
		WriteTimeout:          5 * time.Second,
		Immutable:             true,
	})
	app.Server().KeepHijackedConns = true
	app.All("/ws", func(c *fiber.Ctx) error { return r.u.handle(c, serve) })
	ln, err := sockets.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- app.Listener(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := app.ShutdownWithContext(ctx); err != nil {
			t.Error("shutdown:", err)
		}
		if err := <-served; err != nil {
			t.Error("serve:", err)
		}
		if err := r.u.wait(ctx); err != nil {
			t.Error("a connection did not end:", err)
		}
		r.u.close()
		noLeaks(t, before)
	})
	return r
}

// noLeaks checks that no goroutine is left but those from before. fasthttp's
// clock runs until the process ends, and its pool's cleaner looks every 10 s
// whether it may.
func noLeaks(t testing.TB, before goleak.Option) {
	goleak.VerifyNone(t, before,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// echoAll sends each message back.
func echoAll(c hub.Conn) {
	for {
		m, err := c.Read()
		if err != nil {
			return
		}
		_ = c.Send(frameText(m))
	}
}

// readAll reads until the end and says so.
func readAll(c hub.Conn) {
	for {
		if _, err := c.Read(); err != nil {
			return
		}
	}
}

// handing makes a serve function that hands its connection to the test, and
// reads it to its end.
func handing(to chan<- hub.Conn) func(hub.Conn) {
	return func(c hub.Conn) {
		to <- c
		readAll(c)
	}
}

// rawClient speaks frames as bytes, right or wrong.
type rawClient struct {
	t testing.TB
	*net.TCPConn
	br *bufio.Reader
}

const handshakeKey = "dGhlIHNhbXBsZSBub25jZQ==" // RFC 6455, section 1.3

func handshakeText(extra ...string) string {
	return "GET /ws HTTP/1.1\r\nHost: chat.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + handshakeKey + "\r\n" + strings.Join(extra, "") + "\r\n"
}

// connect opens a TCP connection and nothing more.
func (r *edgeRig) connect() *rawClient {
	r.t.Helper()
	nc, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	c := &rawClient{t: r.t, TCPConn: nc.(*net.TCPConn), br: bufio.NewReader(nc)}
	c.SetDeadline(time.Now().Add(patience))
	r.t.Cleanup(func() { c.Close() })
	return c
}

// open connects and shakes hands; early goes out with the handshake, in one
// segment.
func (r *edgeRig) open(early ...[]byte) *rawClient {
	r.t.Helper()
	c := r.connect()
	c.shake(early...)
	return c
}

// shake opens the WebSocket.
func (c *rawClient) shake(early ...[]byte) {
	c.t.Helper()
	c.send(append([][]byte{[]byte(handshakeText())}, early...)...)
	res, err := http.ReadResponse(c.br, nil)
	if err != nil {
		c.t.Fatal("handshake:", err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		c.t.Fatalf("handshake: %s %v", res.Status, res.Header)
	}
}

// send writes everything at once. A peer that has gone is for the reads to see.
func (c *rawClient) send(frames ...[]byte) {
	_, _ = c.Write(bytes.Join(frames, nil))
}

// clientFrame masks a frame; b0 is its first byte, to be wrong in any way.
func clientFrame(b0 byte, payload string) []byte {
	f := clientHeader(b0, uint64(len(payload)))
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	f = append(f, mask[:]...)
	for i := range len(payload) {
		f = append(f, payload[i]^mask[i%4])
	}
	return f
}

func clientHeader(b0 byte, n uint64) []byte {
	switch {
	case n < len16:
		return []byte{b0, bitMasked | byte(n)}
	case n < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{b0, bitMasked | len16}, uint16(n))
	}
	return binary.BigEndian.AppendUint64([]byte{b0, bitMasked | len64}, n)
}

func textFrame(s string) []byte { return clientFrame(bitFin|opText, s) }
func pingOf(s string) []byte    { return clientFrame(bitFin|opPing, s) }

func closeOf(code int, reason string) []byte {
	return clientFrame(bitFin|opClose, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
}

// serverFrame is one frame as a test writes it down: text:…, pong:…, ping:,
// close:1002 (with its reason only where the test asks for it) or close:.
func (c *rawClient) serverFrame() (string, error) {
	var h [2]byte
	if _, err := io.ReadFull(c.br, h[:]); err != nil {
		return "", err
	}
	size := uint64(h[1])
	var ext [8]byte
	switch size {
	case len16:
		if _, err := io.ReadFull(c.br, ext[6:]); err != nil {
			return "", err
		}
		size = binary.BigEndian.Uint64(ext[:])
	case len64:
		if _, err := io.ReadFull(c.br, ext[:]); err != nil {
			return "", err
		}
		size = binary.BigEndian.Uint64(ext[:])
	}
	if h[1]&bitMasked != 0 || h[0]&bitsRSV != 0 || h[0]&bitFin == 0 || size > 64<<20 {
		return "", fmt.Errorf("torn stream: header % x", h)
	}
	p := make([]byte, size)
	if _, err := io.ReadFull(c.br, p); err != nil {
		return "", fmt.Errorf("torn frame: %w", err)
	}
	switch h[0] & 0x0F {
	case opText:
		return "text:" + string(p), nil
	case opPing:
		return "ping:" + string(p), nil
	case opPong:
		return "pong:" + string(p), nil
	case opClose:
		if len(p) == 0 {
			return "close:", nil
		}
		if len(p) == 1 || len(p) > maxControl {
			return "", fmt.Errorf("close of %d bytes", len(p))
		}
		return fmt.Sprintf("close:%d %s", binary.BigEndian.Uint16(p), p[2:]), nil
	}
	return "", fmt.Errorf("opcode %x", h[0])
}

// expect reads the frames that must come next. A ping may come between any two.
func (c *rawClient) expect(frames ...string) {
	c.t.Helper()
	for _, want := range frames {
		got, err := c.serverFrame()
		for got == "ping:" && want != got {
			got, err = c.serverFrame()
		}
		if err != nil {
			c.t.Fatalf("waiting for %.60q: %v", want, err)
		}
		if strings.HasPrefix(want, "close:") && !strings.Contains(want, " ") {
			got, _, _ = strings.Cut(got, " ")
		}
		if got != want {
			c.t.Fatalf("got %.200q, want %.200q", got, want)
		}
	}
}

// expectEnd sees that the stream ends orderly, with nothing more in it: a
// reset is an error.
func (c *rawClient) expectEnd() {
	c.t.Helper()
	if got, err := c.serverFrame(); !errors.Is(err, io.EOF) {
		c.t.Fatalf("got %.200q, %v; want the end", got, err)
	}
	c.Close()
}

// expectClosed reads a last close frame, answers it, and sees the end.
func (c *rawClient) expectClosed(want string) {
	c.t.Helper()
	c.expect(want)
	c.send(closeOf(1000, ""))
	c.expectEnd()
}

// receive takes from a channel what must come.
func receive[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}
