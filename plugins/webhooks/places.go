package webhooks

import (
	"context"
	"sync"
	"time"
)

const (
	// inFlight is how many deliveries to one endpoint are under way at a time on a
	// node: one that answers, but late, must leave most of [concurrency] to others.
	inFlight = 8
	// placeWait is how long a delivery waits for one of these places: enough for a
	// burst to an endpoint that answers at once, and not felt by those who wait
	// behind it for their turn.
	placeWait = time.Second
)

// places are those of the deliveries under way, so many to each endpoint. It is
// this node's memory alone.
type places struct {
	mu  sync.Mutex
	all map[string]*lane // by endpoint; only those in use, so [concurrency] at most
}

type lane struct {
	taken chan struct{} // a token for each place
	users int           // who are in a place, or wait for one
	slow  bool          // the last place to change hands was kept for longer than anybody waits
}

func newPlaces() *places { return &places{all: map[string]*lane{}} }

// take finds a place for a delivery to an endpoint, and tells whether there was
// one: then leave gives it back. Nobody waits for an endpoint known to be slow.
func (p *places) take(ctx context.Context, endpoint string) (leave func(), ok bool) {
	l, slow := p.enter(endpoint)
	select {
	case l.taken <- struct{}{}:
	default:
		if slow || !l.wait(ctx) {
			p.exit(endpoint, l, true)
			return nil, false
		}
	}
	began := time.Now()
	return func() {
		<-l.taken
		p.exit(endpoint, l, time.Since(began) >= placeWait)
	}, true
}

func (l *lane) wait(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, placeWait)
	defer cancel()
	select {
	case l.taken <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *places) enter(endpoint string) (l *lane, slow bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l = p.all[endpoint]
	if l == nil {
		l = &lane{taken: make(chan struct{}, inFlight)}
		p.all[endpoint] = l
	}
	l.users++
	return l, l.slow
}

func (p *places) exit(endpoint string, l *lane, slow bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.slow = slow
	if l.users--; l.users == 0 {
		delete(p.all, endpoint)
	}
}
