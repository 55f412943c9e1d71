package hub

import (
	"context"
	"sync/atomic"
)

// maxIdle bounds the goroutines that a crew keeps: some megabyte of stacks, for
// more frames at a time than a machine of this decade has processors.
const maxIdle = 128

// crew runs what needs a goroutine for a moment, a frame or a chain of hooks, on
// goroutines that it keeps for the next. A new one begins with a small stack, and
// growing it costs more than all else about starting it: 6 µs of the 58 that a
// message took (measured).
type crew struct {
	over <-chan struct{} // when idle ones leave
	work chan func()
	idle atomic.Int32
}

func newCrew(ctx context.Context) *crew {
	return &crew{over: ctx.Done(), work: make(chan func())}
}

// run has f run by somebody who is idle, or by somebody new; it does not wait.
// What f does may take for ever, and must not panic.
func (c *crew) run(f func()) {
	select {
	case c.work <- f:
	default:
		go c.member(f)
	}
}

func (c *crew) member(f func()) {
	for f != nil {
		f()
		f = c.next()
	}
}

// next waits for something to do; nil is the end.
func (c *crew) next() (f func()) {
	defer c.idle.Add(-1)
	if c.idle.Add(1) > maxIdle {
		return nil
	}
	select {
	case f = <-c.work:
	case <-c.over:
	}
	return f
}
