package hub

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// afterQueue is how many events may wait for one After hook; what comes beyond
// it is dropped and counted.
const afterQueue = 1024

// After is a set of hooks that learn of an event once it has happened.
type After[E cloner[E]] struct{ hooks []*after[E] }

type after[E cloner[E]] struct {
	*binding
	fn      func(context.Context, E)
	queue   chan E
	dropped atomic.Int64
}

// Bind adds a hook, which gets its events one by one in a goroutine of its own.
// It panics after Init.
func (a *After[E]) Bind(h *Host, fn func(context.Context, E), opts ...BindOption) {
	hook := &after[E]{binding: bind[E](h, opts), fn: fn, queue: make(chan E, afterQueue)}
	a.hooks = append(a.hooks, hook)
	hook.place = len(a.hooks)
	h.hub.workers = append(h.hub.workers, hook.work)
}

// fire tells every hook, without waiting for any.
func (a *After[E]) fire(e E) {
	for _, hook := range a.hooks {
		select {
		case hook.queue <- e.Clone():
		default:
			hook.observe.Dropped()
			if n := hook.dropped.Add(1); n&(n-1) == 0 { // 1, 2, 4, 8 …: loud at first, never a flood
				hook.log.Warn("hook is too slow: events dropped", "dropped", n)
			}
		}
	}
}

// work runs the hook until ctx ends.
func (h *after[E]) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-h.queue:
			h.call(ctx, e)
		}
	}
}

// call runs the hook, which keeps its goroutine however long it takes; its
// events are then dropped, and its plugin's breaker opens.
func (h *after[E]) call(ctx context.Context, e E) {
	breaker := h.host.breaker
	if !breaker.enter() {
		h.observe.Ran(HookSkipped, 0)
		return
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	var ended atomic.Bool
	late := time.AfterFunc(h.timeout, func() {
		if ended.CompareAndSwap(false, true) {
			h.overdue()
		}
	})
	defer late.Stop()
	var err error
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		if ended.CompareAndSwap(false, true) {
			h.returned(err, time.Since(began))
		} else {
			breaker.back()
		}
	}()
	h.fn(ctx, e)
}
