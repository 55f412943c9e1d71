package hub

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

// HookTimeout is how long a hook may take unless it was bound with Timeout.
const HookTimeout = 2 * time.Second

// BindOption says how a hook is run.
type BindOption func(*binding)

// Order moves a hook before those of a higher number; 0 unless set. Equal ones
// run in the order of the plugin list.
func Order(n int) BindOption { return func(b *binding) { b.order = n } }

// Timeout bounds a hook, in place of HookTimeout.
func Timeout(d time.Duration) BindOption { return func(b *binding) { b.timeout = d } }

// FailClosed makes a hook's failure refuse what it was asked about, instead of
// being skipped.
func FailClosed() BindOption { return func(b *binding) { b.closed = true } }

// binding is what all hooks of a plugin have in common.
type binding struct {
	host    *Host
	order   int
	timeout time.Duration
	closed  bool
}

func bind(h *Host, opts []BindOption) binding {
	if h.hub.sealed.Load() {
		panic(fmt.Sprintf("hub: plugin %s binds a hook after Init", h.plugin))
	}
	b := binding{host: h, timeout: HookTimeout}
	for _, o := range opts {
		o(&b)
	}
	return b
}

// Before is a chain of hooks that may change or refuse an event.
type Before[E any] struct{ chain []before[E] }

type before[E any] struct {
	binding
	fn func(context.Context, E) (E, error)
}

// Bind adds a hook. It panics after Init.
func (b *Before[E]) Bind(h *Host, fn func(context.Context, E) (E, error), opts ...BindOption) {
	b.chain = append(b.chain, before[E]{bind(h, opts), fn})
	slices.SortStableFunc(b.chain, func(x, y before[E]) int { return x.order - y.order })
}

// step is what one hook of a chain came to.
type step[E any] struct {
	event E
	err   error
}

// run hands e through the chain. One goroutine runs the whole of it; only where
// a hook overstays its time is that goroutine left behind, its later results
// thrown away, and the rest of the chain run by another.
func (b *Before[E]) run(ctx context.Context, e E) (E, error) {
	for i := 0; i < len(b.chain); {
		next, err := b.runFrom(ctx, i, &e)
		if err != nil {
			return e, err
		}
		i = next
	}
	return e, nil
}

// runFrom runs the chain from i until its end or until a hook is abandoned, and
// returns the first hook that has not run.
func (b *Before[E]) runFrom(ctx context.Context, i int, e *E) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	steps := make(chan step[E], len(b.chain)-i) // room for all: the goroutine never waits for us
	go func(e E) {
		for _, hook := range b.chain[i:] {
			if ctx.Err() != nil {
				return
			}
			out, err := hook.call(ctx, clone(e))
			steps <- step[E]{clone(out), err}
			if err == nil {
				e = out
			}
		}
	}(clone(*e))
	for ; i < len(b.chain); i++ {
		hook := b.chain[i]
		timer := time.NewTimer(hook.timeout)
		select {
		case s := <-steps:
			timer.Stop()
			var refusal *Error
			switch {
			case s.err == nil:
				hook.host.breaker.succeeded()
				*e = s.event
			case errors.Is(s.err, errSkipped):
				if hook.closed {
					return i, ErrUnavailable
				}
			case errors.As(s.err, &refusal):
				hook.host.breaker.succeeded()
				return i, refusal
			default:
				if err := hook.failed(s.err); err != nil {
					return i, err
				}
			}
		case <-timer.C:
			if err := hook.failed(fmt.Errorf("no answer within %s", hook.timeout)); err != nil {
				return i, err
			}
			return i + 1, nil
		case <-ctx.Done():
			timer.Stop()
			return i, ctx.Err()
		}
	}
	return i, nil
}

var errSkipped = errors.New("hub: the plugin's breaker is open")

// call runs one hook, its panic caught.
func (h before[E]) call(ctx context.Context, e E) (out E, err error) {
	if !h.host.breaker.allow() {
		return e, errSkipped
	}
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			h.host.Log.Error("hook panicked", "panic", p, "stack", string(debug.Stack()))
			out, err = e, fmt.Errorf("panic: %v", p)
		}
	}()
	return h.fn(ctx, e)
}

// failed notes a failure, and returns what it means for what was asked: nothing
// (fail-open), or a refusal.
func (b binding) failed(err error) error {
	b.host.breaker.failed()
	b.host.Log.Error("hook failed", "err", err, "refuses", b.closed)
	if b.closed {
		return ErrUnavailable
	}
	return nil
}

// clone copies an event that knows how, so that a hook left behind shares no
// memory with what goes on.
func clone[E any](e E) E {
	if c, ok := any(e).(interface{ Clone() E }); ok {
		return c.Clone()
	}
	return e
}
