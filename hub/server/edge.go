package server

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
	"unicode/utf8"

	"github.com/bellhub/bellhub/hub"
)

// timing holds the times of a connection's end. They are constants but for
// the tests.
type timing struct {
	answer time.Duration // for the peer's close, after ours
	drain  time.Duration // for the queue and the close behind it to leave
	grace  time.Duration // both, when the queue was too long already
	linger time.Duration // for the peer's FIN, after ours
}

var defaultTiming = timing{
	answer: 2 * time.Second,
	drain:  10 * time.Second,
	grace:  time.Second,
	linger: 2 * time.Second,
}

// lingerBytes is what a peer may still have sent before it saw our close.
const lingerBytes = 1 << 20

var errNotOneFrame = errors.New("websocket: the library wrote something other than one control frame")

// edge is the net.Conn below the WebSocket library. The library reads through
// it and is left with one kind of write, its control frames; data goes to the
// outbox directly. So the edge decides what ends a connection, and how:
//
//   - one close frame leaves, the first, and nothing after it (section 5.5.1);
//   - the library cannot close the socket, as its close may still be queued;
//   - the reader's goroutine closes it, by finish, once all has left and the
//     peer had its chance to read that (section 7.1.1);
//   - a deadline runs while a message is under way, and never between messages.
//
// Sections are RFC 6455's. Read, Close and finish belong to the reader's
// goroutine (Close also to the library's timer); the rest is for anyone.
type edge struct {
	net.Conn // the socket itself, never fasthttp's wrapper, which is recycled
	out      outbox
	early    []byte // what the HTTP server had read past the handshake
	meter    meter
	verdict  *verdict // of the bytes that come next; those before it are still served
	clocked  uint64   // the message that the read deadline is for
	seat     seat
}

func newEdge(nc net.Conn, early []byte, o *socketOptions, t *timing) *edge {
	return &edge{
		Conn:  nc,
		out:   outbox{nc: nc, direct: newDirectWriter(nc), opts: o, timing: t},
		early: early,
		meter: newMeter(o.MaxFrame),
	}
}

// Read is the library's source of bytes.
func (e *edge) Read(p []byte) (n int, err error) {
	if e.verdict == nil {
		n, err = e.receive(p)
		n, e.verdict = e.meter.scan(p[:n])
	}
	if e.verdict != nil && n == 0 {
		e.shut(e.verdict.code, e.verdict.reason)
		return 0, e.verdict
	}
	return n, err
}

func (e *edge) receive(p []byte) (int, error) {
	if len(e.early) > 0 {
		n := copy(p, e.early)
		if e.early = e.early[n:]; len(e.early) == 0 {
			e.early = nil
		}
		return n, nil
	}
	e.clock()
	e.seat.waits()
	n, err := e.Conn.Read(p)
	e.seat.heard()
	switch {
	case errors.Is(err, io.EOF):
		// A bare EOF between two fragments would pass for the end of the
		// message: the library takes any io.EOF for that.
		err = io.ErrUnexpectedEOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		e.shut(hub.CloseTooSlow, "message took too long")
	}
	return n, err
}

// clock gives each message its own time, from the first wait for its rest.
// Messages that arrive in one piece cost nothing here.
func (e *edge) clock() {
	m := e.meter.underWay()
	if m == e.clocked || e.out.opts.ReadTimeout <= 0 {
		return
	}
	e.clocked = m
	var by time.Time
	if m != 0 {
		by = time.Now().Add(e.out.opts.ReadTimeout)
	}
	e.out.readBy(by)
}

// Write takes the library's control frames: a pong, its answer to a close, or
// its own close for a violation. With a buffer larger than any of them, and no
// data written through the library, each comes in one call; anything else
// would tear the stream.
func (e *edge) Write(p []byte) (int, error) {
	if len(p) < 2 || p[0]&^0x07 != bitFin|0x08 || int(p[1]) != len(p)-2 || p[1] > maxControl {
		e.out.cut()
		return 0, errNotOneFrame
	}
	switch b := p[2:]; {
	case p[0]&0x0F != opClose:
		// Dropped once we are closing; the library need not know.
		_ = e.out.put(p)
	case len(b) < 2:
		e.out.last([]byte{bitFin | opClose, 0}) // the echo of a close without a code
	case !utf8.Valid(b[2:]):
		e.shut(hub.CloseInvalidText, "") // the echo of a reason that is no text
	default:
		e.out.last([]byte{bitFin | opClose, 2, b[0], b[1]}) // the code; the reason is the library's English
	}
	return len(p), nil
}

// Close is the library's, and only wakes the reader: the socket is closed by
// finish.
func (e *edge) Close() error {
	return e.Conn.SetReadDeadline(longAgo)
}

// shut starts the closing handshake, if nobody has. The peer has a moment to
// answer; its answer, or the end of that moment, is an error for the reader.
func (e *edge) shut(code hub.CloseCode, reason string) {
	e.out.last(closeFrame(code, reason))
}

// finish closes the socket, after a shut. Our FIN follows the close frame, and
// what the peer still sends is read until its own FIN: closing a socket with
// unread bytes resets it, and a reset can overtake the close frame and all
// that was queued before it (RFC 1122, section 4.2.2.13).
func (e *edge) finish() {
	defer e.Conn.Close()
	if !e.out.drained() {
		if tcp, ok := e.Conn.(*net.TCPConn); ok {
			tcp.SetLinger(0) // the kernel need not keep for a dead peer what it did not take
		}
		return
	}
	half, ok := e.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	e.Conn.SetReadDeadline(time.Now().Add(e.out.timing.linger))
	io.CopyN(io.Discard, e.Conn, lingerBytes)
}
