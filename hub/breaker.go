package hub

import (
	"errors"
	"log/slog"
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
	log *slog.Logger

	mu        sync.Mutex
	failures  int
	since     time.Time // of the first failure in the window
	open      time.Time // until when nothing is let through; zero: closed
	trying    bool      // one call is out to see
	abandoned int
}

var errOverdue = errors.New("no answer in time")

// enter lets a call through, or not. How the call ended is then told once: by
// exit, or by abandon and, when it is back after all, by back.
func (b *breaker) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.abandoned >= maxAbandoned {
		return false
	}
	if !b.open.IsZero() {
		if b.trying || time.Now().Before(b.open) {
			return false
		}
		b.trying = true
	}
	return true
}

// exit notes a call that is back in time, with its error; a refusal is no
// failure.
func (b *breaker) exit(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil || refusal(err) != nil {
		b.succeed()
	} else {
		b.fail()
	}
}

// abandon notes a call that is left behind while it runs: because its time is
// over, or because nobody waits any more, which says nothing about the plugin.
func (b *breaker) abandon(overdue bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.abandoned++
	if overdue {
		b.fail()
	} else {
		b.trying = false
	}
}

// back notes the return of a call that had been left behind.
func (b *breaker) back() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.abandoned--
}

// state tells whether the breaker is open, and how many calls were left behind
// and still run.
func (b *breaker) state() (open bool, abandoned int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.open.IsZero() || b.abandoned >= maxAbandoned, b.abandoned
}

func (b *breaker) succeed() {
	if b.trying {
		b.trying, b.open, b.failures = false, time.Time{}, 0
	}
}

func (b *breaker) fail() {
	now := time.Now()
	if !b.open.IsZero() && !b.trying { // from a call that was out already, or a flood
		b.open = now.Add(breakerPause)
		return
	}
	if b.failures == 0 || now.Sub(b.since) > breakerWindow {
		b.failures, b.since = 0, now
	}
	b.failures++
	if b.trying || b.failures >= breakerFailures {
		b.trying, b.failures, b.open = false, 0, now.Add(breakerPause)
		b.log.Warn("the plugin's hooks are skipped for a while: too many failed", "for", breakerPause)
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
