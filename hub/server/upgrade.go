package server

//lint:file-ignore SA1019 the deprecated library is the one this project is built on; only this file knows it

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"nhooyr.io/websocket"

	"github.com/bellhub/bellhub/hub"
)

const (
	// The library's buffers, held as long as the connection. A small frame
	// fits into readBuffer; writeBuffer must hold any control frame whole.
	readBuffer  = 512
	writeBuffer = 2 + maxControl + 4

	messageBuffer = 2 << 10  // what a message is first read into
	pooledBuffer  = 64 << 10 // larger ones are left to the collector
)

// socketOptions are the limits of one socket. Zero lifts a limit.
type socketOptions struct {
	MaxFrame     int           // bytes of one message: one more closes 1009
	QueueBytes   int           // of packets that the socket has not taken: more closes 4408
	QueueFrames  int           // the same, in packets
	WriteTimeout time.Duration // for the socket to take 64 KiB of the queue
	PingInterval time.Duration // between pings; a pong has 8 s
	ReadTimeout  time.Duration // for the rest of a message that has begun: later closes 4408

	// AllowOrigin judges the canonical origin (scheme://host[:port]) of a
	// request that has one; without it, such requests are refused.
	AllowOrigin func(c *fiber.Ctx, origin string) bool
	// Overflowed is told of each queue that was too long; nil: nobody is.
	Overflowed func()
}

// upgrader turns requests into connections of the hub. The app it serves needs
// app.Server().KeepHijackedConns = true: a socket outlives the hijack callback,
// which returns at once and so gives fasthttp its goroutine and request back.
type upgrader struct {
	opts   socketOptions
	timing timing
	pulse  *pulse // nil without a ping interval

	mu   sync.Mutex
	live int           // goroutines of serveSocket
	idle chan struct{} // closed when live is 0 again
}

func newUpgrader(o socketOptions) *upgrader {
	if o.Overflowed == nil {
		o.Overflowed = func() {}
	}
	u := &upgrader{opts: o, timing: defaultTiming}
	if o.PingInterval > 0 {
		u.pulse = newPulse(o.PingInterval, pongTimeout)
	}
	return u
}

// handle upgrades the request, or answers why not. It returns at once: serve
// runs in a goroutine of its own and owns the connection until it returns,
// after which the closing handshake is completed. serve must not use c.
func (u *upgrader) handle(c *fiber.Ctx, serve func(hub.Conn)) error {
	if e := checkHandshake(c, u.opts.AllowOrigin); e != nil {
		return c.Status(e.Code).SendString(e.Message)
	}
	r := handshakeRequest(c)
	c.Context().HijackSetNoResponse(true) // the library writes the 101
	c.Context().Hijack(func(nc net.Conn) {
		raw := nc.(interface{ UnsafeConn() net.Conn }).UnsafeConn()
		// The handshake is made here and not in the connection's goroutine,
		// whose stack would stay as large as that takes.
		s, err := u.accept(raw, earlyBytes(nc, raw), r)
		if err != nil {
			raw.Close() // cannot be: checkHandshake lets nothing through that Accept refuses
			return
		}
		u.enter()
		go u.run(s, serve)
	})
	return nil
}

// close stops the pings. Connections are ended by the hub, and waited for by
// wait.
func (u *upgrader) close() {
	if u.pulse != nil {
		u.pulse.halt()
	}
}

// wait returns once every connection has ended, its closing handshake
// included, or with ctx's error.
func (u *upgrader) wait(ctx context.Context) error {
	for {
		u.mu.Lock()
		live, idle := u.live, u.idle
		u.mu.Unlock()
		if live == 0 {
			return nil
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (u *upgrader) enter() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.live++; u.live == 1 {
		u.idle = make(chan struct{})
	}
}

func (u *upgrader) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.live--; u.live == 0 {
		close(u.idle)
	}
}

// accept makes a socket of a connection.
func (u *upgrader) accept(raw net.Conn, early []byte, r *http.Request) (*socket, error) {
	e := newEdge(raw, early, &u.opts, &u.timing)
	ws, err := websocket.Accept(&handover{edge: e, header: http.Header{}}, r, &websocket.AcceptOptions{
		Subprotocols:       []string{hub.Subprotocol},
		InsecureSkipVerify: true, // allowedOrigin has judged
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, err
	}
	if u.opts.MaxFrame > 0 {
		ws.SetReadLimit(int64(u.opts.MaxFrame))
	} else {
		ws.SetReadLimit(-1)
	}
	if u.pulse != nil {
		u.pulse.join(e)
	}
	return &socket{edge: e, ws: ws}, nil
}

// run is a connection's one lasting goroutine: the hub's reader, and then the
// one that sees the connection to its end.
func (u *upgrader) run(s *socket, serve func(hub.Conn)) {
	defer u.leave()
	defer s.finish()
	serve(s)
}

// socket is the hub.Conn. Of the library only Reader is used, with a context
// that never ends: an expired one would cut the connection without a close.
type socket struct {
	edge *edge
	ws   *websocket.Conn
	buf  *[]byte // the message that Read returned last; nil while the connection is quiet
	err  error   // why Read is over
}

var _ hub.Conn = (*socket)(nil)

// messages are the buffers of messages between Read and the next Read.
var messages = sync.Pool{New: func() any {
	b := make([]byte, 0, messageBuffer)
	return &b
}}

// Read implements hub.Conn. Once a close is sent, what the client says is read
// and dropped until it answers: nothing is acknowledged any more, and it will
// say it again on its next connection.
func (s *socket) Read() ([]byte, error) {
	for s.err == nil {
		s.release()
		kind, r, err := s.ws.Reader(context.Background())
		if err != nil {
			return nil, s.end(err)
		}
		if kind != websocket.MessageText {
			s.edge.shut(hub.CloseUnsupported, "text only")
		}
		msg, err := s.message(r)
		if err != nil {
			return nil, s.end(err)
		}
		if !s.edge.out.closing() {
			return msg, nil
		}
	}
	return nil, s.err
}

// message reads a message to its end, as the library demands, checking its
// text as it comes (RFC 6455, section 8.1).
func (s *socket) message(r io.Reader) ([]byte, error) {
	s.buf = messages.Get().(*[]byte)
	b, checked := *s.buf, 0 // b[:checked] is text
	defer func() { *s.buf = b[:0] }()
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err != nil && err != io.EOF {
			return nil, err
		}
		valid, ok := validText(b[checked:])
		checked += valid
		if !ok || err == io.EOF && checked < len(b) {
			s.edge.shut(hub.CloseInvalidText, "not UTF-8")
		}
		if err == io.EOF {
			return b, nil
		}
		if s.edge.out.closing() {
			b, checked = b[:0], 0 // nobody will read it
		}
	}
}

// end remembers the error that Read is over with, and closes for a violation
// about which the library only returns an error (an unmasked frame, say):
// where the peer is gone or a close was sent already, that does nothing.
func (s *socket) end(err error) error {
	s.err = err
	s.release()
	var gone net.Error
	if websocket.CloseStatus(err) == -1 && !errors.As(err, &gone) &&
		!errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, net.ErrClosed) {
		s.edge.shut(hub.CloseProtocol, "")
	}
	return err
}

func (s *socket) release() {
	if s.buf != nil && cap(*s.buf) <= pooledBuffer {
		messages.Put(s.buf)
	}
	s.buf = nil
}

// Send implements hub.Conn.
func (s *socket) Send(packet []byte) error { return s.edge.out.put(packet) }

// Close implements hub.Conn.
func (s *socket) Close(code hub.CloseCode, reason string) { s.edge.shut(code, reason) }

// Closed implements hub.Conn.
func (s *socket) Closed() hub.CloseCode { return s.edge.out.closed() }

// finish completes the closing handshake after the hub has let go. A hub that
// did so without a word has failed.
func (s *socket) finish() {
	s.Close(hub.CloseInternal, "")
	for s.err == nil {
		_, _ = s.Read() // drops what comes, until the answer or its deadline
	}
	_ = s.ws.CloseNow() // ends the library's goroutine; our edge keeps the socket open
	s.edge.finish()
	if p := s.edge.seat.pulse; p != nil {
		p.leave(s.edge)
	}
}

// handshakeRequest is what the library has to know of a checked request. All
// of it is copied, as c is reused when the handler returns.
func handshakeRequest(c *fiber.Ctx) *http.Request {
	h := &c.Request().Header
	key, _ := only(h, fiber.HeaderSecWebSocketKey)
	r := &http.Request{Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", key)
	if offers(h, fiber.HeaderSecWebSocketProtocol, hub.Subprotocol) {
		r.Header.Set("Sec-WebSocket-Protocol", hub.Subprotocol)
	}
	return r
}

// earlyBytes returns what the client sent behind its handshake and the HTTP
// server has read already, and leaves the socket without the deadlines that
// the server gave it.
func earlyBytes(buffered io.Reader, raw net.Conn) []byte {
	raw.SetReadDeadline(longAgo) // lets only what is buffered through
	early, _ := io.ReadAll(buffered)
	raw.SetDeadline(time.Time{})
	if len(early) == 0 {
		return nil // not the 512 bytes that ReadAll began with
	}
	return early
}

// handover is the least http.ResponseWriter that websocket.Accept needs.
type handover struct {
	edge   *edge
	header http.Header
}

func (h *handover) Header() http.Header         { return h.header }
func (h *handover) WriteHeader(int)             {}
func (h *handover) Write(p []byte) (int, error) { return len(p), nil }

// Hijack sends the 101 and gives the library our edge and small buffers.
func (h *handover) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	b := bytes.NewBufferString("HTTP/1.1 101 Switching Protocols\r\n")
	h.header.Write(b)
	b.WriteString("\r\n")
	if err := h.edge.out.put(b.Bytes()); err != nil {
		return nil, nil, err
	}
	return h.edge, bufio.NewReadWriter(
		bufio.NewReaderSize(h.edge, readBuffer),
		bufio.NewWriterSize(h.edge, writeBuffer)), nil
}
