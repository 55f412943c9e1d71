package webhooks

import (
	"sync"
	"time"
)

// gate holds back calls of endpoints that fail: after so many failures in a row
// none is let through for a pause, then one, to see whether it has healed. It is
// this node's memory alone.
type gate struct {
	failures int
	pause    time.Duration

	mu  sync.Mutex
	ill map[string]*illness // by endpoint; only those whose last call failed
}

type illness struct {
	failures int
	until    time.Time // nothing is let through before; zero: not closed
}

// maxIll bounds a gate's memory; past it everything is forgotten, and learnt
// anew.
const maxIll = 10_000

func newGate(failures int, pause time.Duration) *gate {
	return &gate{failures: failures, pause: pause, ill: map[string]*illness{}}
}

// open tells whether an endpoint may be called. The one call that is let through
// after a pause starts the next one, so that it needs no end.
func (g *gate) open(endpoint string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := g.ill[endpoint]
	if i == nil || i.until.IsZero() {
		return true
	}
	now := time.Now()
	if now.Before(i.until) {
		return false
	}
	i.until = now.Add(g.pause)
	return true
}

// note tells how a call ended.
func (g *gate) note(endpoint string, well bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := g.ill[endpoint]
	if well {
		delete(g.ill, endpoint)
		return
	}
	if i == nil {
		if len(g.ill) >= maxIll {
			clear(g.ill)
		}
		i = &illness{}
		g.ill[endpoint] = i
	}
	if i.failures++; i.failures >= g.failures {
		i.until = time.Now().Add(g.pause)
	}
}

// forget lets an endpoint be called at once: its owner has changed something.
func (g *gate) forget(endpoint string) { g.note(endpoint, true) }
