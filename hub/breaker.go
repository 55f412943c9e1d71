package hub

import (
	"sync"
	"time"
)

// A plugin's breaker opens after this many failures within the window, and lets
// one call through after the pause, to see whether the plugin has healed.
const (
	breakerFailures = 3
	breakerWindow   = time.Minute
	breakerPause    = 30 * time.Second
)

// breaker keeps a failing plugin from costing every message its timeout.
type breaker struct {
	mu       sync.Mutex
	failures int
	since    time.Time // of the first failure in the window
	open     time.Time // until when nothing is let through; zero: closed
	trying   bool      // one call is out to see
}

// allow tells whether the plugin may be called.
func (b *breaker) allow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open.IsZero() {
		return true
	}
	if b.trying || time.Now().Before(b.open) {
		return false
	}
	b.trying = true
	return true
}

func (b *breaker) succeeded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.trying {
		b.trying, b.open, b.failures = false, time.Time{}, 0
	}
}

func (b *breaker) failed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.failures == 0 || now.Sub(b.since) > breakerWindow {
		b.failures, b.since = 0, now
	}
	b.failures++
	if b.trying || b.failures >= breakerFailures {
		b.trying, b.failures, b.open = false, 0, now.Add(breakerPause)
	}
}
