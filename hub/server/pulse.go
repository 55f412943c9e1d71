package server

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// pongTimeout is for an answer to our ping. Browsers answer by themselves.
	pongTimeout = 8 * time.Second

	// beats is into how many groups the connections are spread, so that 10,000
	// of them are not pinged, and do not answer, at once.
	beats = 100
)

// pulse pings every connection once an interval and cuts those that stay
// silent, with one goroutine and one timer for all. Its clock is a count of
// beats, an interval being a hundred of them: a connection's reader notes the
// beat at which it began to wait. Any byte ends the wait, since the WebSocket
// library keeps pongs to itself; and a reader that is busy waits for nobody,
// so that a slow database does not pass for dead clients.
type pulse struct {
	patience uint32 // beats from a ping until its connection is cut
	now      atomic.Uint32
	stop     chan struct{}
	stopped  chan struct{}

	mu     sync.Mutex
	groups [beats][]*edge // pinged at the beat of their index
	next   uint32         // the group of the next to join
}

// seat is a connection's place in the pulse.
type seat struct {
	pulse *pulse        // nil: no pings are sent
	since atomic.Uint32 // the beat at which the reader began to wait, or busy
	group uint32        // pulse.mu guards this and
	index int           // this
}

const busy = math.MaxUint32

// waits is called by the reader when it begins to wait for a byte.
func (s *seat) waits() {
	if s.pulse != nil {
		s.since.Store(s.pulse.now.Load())
	}
}

// heard is called by the reader when its wait is over.
func (s *seat) heard() { s.since.Store(busy) }

// newPulse starts the goroutine that halt stops.
func newPulse(interval, timeout time.Duration) *pulse {
	beat := max(interval/beats, time.Millisecond)
	p := &pulse{
		patience: uint32((timeout + beat - 1) / beat),
		stop:     make(chan struct{}),
		stopped:  make(chan struct{}),
	}
	go p.run(beat)
	return p
}

func (p *pulse) halt() {
	close(p.stop)
	<-p.stopped
}

// join gives e a seat. Nobody may be reading from it yet.
func (p *pulse) join(e *edge) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &e.seat
	s.pulse = p
	s.since.Store(busy)
	s.group = p.next % beats
	p.next++
	s.index = len(p.groups[s.group])
	p.groups[s.group] = append(p.groups[s.group], e)
}

func (p *pulse) leave(e *edge) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, end := p.groups[e.seat.group], len(p.groups[e.seat.group])-1
	g[e.seat.index] = g[end]
	g[e.seat.index].seat.index = e.seat.index
	g[end] = nil
	p.groups[e.seat.group] = g[:end]
}

func (p *pulse) run(beat time.Duration) {
	defer close(p.stopped)
	t := time.NewTicker(beat)
	defer t.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-t.C:
			p.beat()
		}
	}
}

// beat pings one group, and cuts those of another group whose pings are as old
// as the patience and who have not been heard since. A suspended machine
// misses beats, and so cuts nobody on waking.
func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now.Add(1)
	// An edge's lock is below the pulse's, and neither call waits.
	for _, e := range p.groups[now%beats] {
		_ = e.out.put(pingFrame) // fails only where the end has begun
	}
	if now < p.patience {
		return
	}
	asked := now - p.patience
	for _, e := range p.groups[asked%beats] {
		if e.seat.since.Load() < asked {
			e.out.cut()
		}
	}
}
