package server

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// pieceBytes is what one write deadline is for: a slow client that takes its
// queue steadily is not a stalled one.
const pieceBytes = 64 << 10

var (
	errOverflow = errors.New("websocket: the send queue overflowed")
	longAgo     = time.Unix(1, 0) // a deadline that wakes whoever waits
)

// outbox is the write side of one connection: whole frames leave in order, and
// no caller ever waits for the network. What the socket does not take at once
// is left to a flusher, a goroutine that lives until the queue is empty; a
// quiet connection has none.
//
// It also keeps the rule that nothing follows a close frame (RFC 6455, section
// 5.5.1), whoever made it.
type outbox struct {
	nc     net.Conn
	direct *directWriter // idle while a flusher is at work
	opts   *socketOptions
	timing *timing

	mu      sync.Mutex
	shut    bool          // a close frame was taken, or the connection was cut
	code    hub.CloseCode // of the close frame
	dead    bool          // cut: what is queued will not leave
	until   time.Time     // once shut: when the flusher has to be done
	flusher chan struct{} // closed when the flusher at work ends; nil while there is none
	queue   []byte        // what the flusher takes next
	bytes   int           // that the socket has not taken: the queue, and what the flusher holds
	frames  int
}

// put sends a frame, or queues it. It keeps nothing of p. Too long a queue
// closes the connection with 4408 instead (errOverflow); after a close, put
// only fails.
func (o *outbox) put(p []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.shut {
		return net.ErrClosed
	}
	if o.full(len(p)) {
		// The client may be about to read on: it gets a moment to see why.
		o.end(closeFrame(hub.CloseTooSlow, "too slow"), o.timing.grace, o.timing.grace)
		o.opts.Overflowed()
		return errOverflow
	}
	o.write(p)
	return nil
}

// last sends the close frame, if it is the first, and gives the peer a moment
// to answer it.
func (o *outbox) last(frame []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.shut {
		o.end(frame, o.timing.answer, o.timing.drain)
	}
}

// cut gives the connection up: nothing more leaves, and both the reader and
// the flusher wake with an error. The reader then closes the socket.
func (o *outbox) cut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.abandon()
}

func (o *outbox) closing() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.shut
}

// closed is the code of the close frame that was taken; 0 while none was.
func (o *outbox) closed() hub.CloseCode {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.code
}

// readBy sets the reader's deadline, which after a close is not its to set.
func (o *outbox) readBy(t time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.shut {
		o.nc.SetReadDeadline(t)
	}
}

// drained waits, after a close, until the queue has left, and tells whether it
// has. The wait ends by outbox.until.
func (o *outbox) drained() bool {
	o.mu.Lock()
	flusher := o.flusher
	o.mu.Unlock()
	if flusher != nil {
		<-flusher
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.dead
}

// The methods from here to abandon are called with o.mu held.

// full tells whether n more bytes are too many. A lone packet never is, since
// waiting would not make it smaller.
func (o *outbox) full(n int) bool {
	return o.frames > 0 &&
		(o.opts.QueueBytes > 0 && o.bytes+n > o.opts.QueueBytes ||
			o.opts.QueueFrames > 0 && o.frames >= o.opts.QueueFrames)
}

func (o *outbox) write(p []byte) {
	if o.flusher == nil {
		if p = p[o.direct.write(p):]; len(p) == 0 {
			return
		}
		o.flusher = make(chan struct{})
		go o.flush(o.flusher)
	}
	o.queue = append(o.queue, p...)
	o.bytes += len(p)
	o.frames++
}

func (o *outbox) end(frame []byte, answer, drain time.Duration) {
	o.write(frame)
	o.shut, o.code = true, codeOf(frame)
	now := time.Now()
	o.until = now.Add(drain)
	o.nc.SetReadDeadline(now.Add(answer))
	if o.flusher != nil {
		o.armWrite() // the write that is under way has less time now
	}
}

func (o *outbox) armWrite() {
	by := o.until
	if d := o.opts.WriteTimeout; d > 0 {
		if t := time.Now().Add(d); by.IsZero() || t.Before(by) {
			by = t
		}
	}
	o.nc.SetWriteDeadline(by)
}

func (o *outbox) abandon() {
	o.shut, o.dead = true, true
	o.nc.SetDeadline(longAgo)
}

// flush is the flusher. It ends when the queue is empty or the connection cut,
// and each of its writes has a deadline.
func (o *outbox) flush(ended chan struct{}) {
	defer close(ended)
	var batch []byte
	var frames int
	for {
		if batch, frames = o.take(batch, frames); len(batch) == 0 {
			return
		}
		for rest := batch; len(rest) > 0; {
			n, err := o.nc.Write(rest[:min(len(rest), pieceBytes)])
			if !o.wrote(n, err) {
				return
			}
			rest = rest[n:]
		}
	}
}

// take swaps the batch that was written for what was queued meanwhile; an
// empty one ends the flusher.
func (o *outbox) take(old []byte, oldFrames int) (batch []byte, frames int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.frames -= oldFrames
	batch, frames = o.queue, o.frames
	o.queue = old[:0]
	if o.dead || len(batch) == 0 {
		o.flusher, o.queue = nil, nil
		if !o.dead {
			o.nc.SetWriteDeadline(time.Time{}) // an expired one would stop direct writes too
		}
		return nil, 0
	}
	o.armWrite()
	return batch, frames
}

// wrote accounts for a piece and arms the deadline of the next.
func (o *outbox) wrote(n int, err error) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bytes -= n
	if err != nil {
		o.abandon()
		o.flusher, o.queue = nil, nil
		return false
	}
	if o.dead {
		o.flusher, o.queue = nil, nil
		return false
	}
	o.armWrite()
	return true
}
