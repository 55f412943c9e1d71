package hub

import (
	"errors"
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

// maxAbandoned is how many calls of a plugin may be overdue and still running.
// Past it nothing is called until some return: a goroutine cannot be stopped
// from outside, only not be started.
const maxAbandoned = 16

// breaker keeps a failing plugin from costing every message its timeout.
type breaker struct {
	mu        sync.Mutex
	failures  int
	since     time.Time // of the first failure in the window
	open      time.Time // until when nothing is let through; zero: closed
	trying    bool      // one call is out to see
	abandoned int
}

// attempt is one call of a plugin. How it ended counts once: by its return, or
// by its time running out, whichever comes first.
type attempt struct {
	b     *breaker
	timer *time.Timer
	over  bool // guarded by b.mu
	late  bool // likewise: it ended by time
}

var (
	errOverdue = errors.New("no answer in time")
	// errCancelled is a call that nobody waited for any more: it says nothing
	// about the plugin.
	errCancelled = errors.New("the call was cancelled")
)

// begin lets a call through, which has to end within d; nil where the breaker
// is open. late is called should the time run out.
func (b *breaker) begin(d time.Duration, late func()) *attempt {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.abandoned >= maxAbandoned {
		return nil
	}
	if !b.open.IsZero() {
		if b.trying || time.Now().Before(b.open) {
			return nil
		}
		b.trying = true
	}
	a := &attempt{b: b}
	a.timer = time.AfterFunc(d, func() {
		if a.end(errOverdue) {
			late()
		}
	})
	return a
}

// returned notes that the call is back, with its error.
func (a *attempt) returned(err error) {
	a.timer.Stop()
	a.end(err)
	a.b.mu.Lock()
	defer a.b.mu.Unlock()
	if a.late {
		a.b.abandoned--
	}
}

// end counts how the call ended, the first time; a refusal is no failure.
func (a *attempt) end(err error) (first bool) {
	b := a.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.over {
		return false
	}
	a.over = true
	if errors.Is(err, errOverdue) {
		a.late = true
		b.abandoned++
	}
	switch {
	case errors.Is(err, errCancelled):
		b.trying = false
	case err == nil || refusal(err) != nil:
		b.succeed()
	default:
		b.fail()
	}
	return true
}

func (b *breaker) succeed() {
	if b.trying {
		b.trying, b.open, b.failures = false, time.Time{}, 0
	}
}

func (b *breaker) fail() {
	now := time.Now()
	if b.failures == 0 || now.Sub(b.since) > breakerWindow {
		b.failures, b.since = 0, now
	}
	b.failures++
	if b.trying || b.failures >= breakerFailures {
		b.trying, b.failures, b.open = false, 0, now.Add(breakerPause)
	}
}

// refusal returns the Error by which a hook refuses, if that is what err is.
func refusal(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
