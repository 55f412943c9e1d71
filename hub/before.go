package hub

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync/atomic"
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
	// The next hook to run. The goroutine takes each by moving it on, and we
	// abandon one by taking its successor away: only one of us succeeds.
	var next atomic.Int64
	next.Store(int64(i))
	// Hooks whose time is over. The breaker has counted each before we hear of
	// it, so that whoever is answered next finds it open.
	late := make(chan int, len(b.chain)-i)
	go func(e E, first int) {
		for at := first; at < len(b.chain); at++ {
			if !next.CompareAndSwap(int64(at), int64(at+1)) {
				return
			}
			hook := b.chain[at]
			out, err := hook.call(ctx, clone(e), func() { late <- at })
			steps <- step[E]{clone(out), err}
			if err == nil {
				e = out
			}
			// What comes after a refusal, or after nobody waits any more, must
			// not act on an event that will not be.
			if ctx.Err() != nil || hook.refuses(err) != nil {
				return
			}
		}
	}(clone(*e), i)
	for i < len(b.chain) {
		hook := b.chain[i]
		var s step[E]
		select {
		case s = <-steps:
		case overdue := <-late:
			if overdue != i {
				continue // an earlier one, which made it all the same
			}
			if next.CompareAndSwap(int64(i+1), abandoned) {
				return i + 1, hook.refuses(errOverdue)
			}
			s = <-steps // it made it too: the next one runs already
		case <-ctx.Done():
			return i, ErrUnavailable
		}
		if err := hook.refuses(s.err); err != nil {
			return i, err
		}
		if s.err == nil {
			*e = s.event
		}
		i++
	}
	return i, nil
}

// abandoned is no hook's place in a chain.
const abandoned = -1

var errSkipped = errors.New("the plugin's breaker is open")

// call runs one hook, its panic caught and its end counted; late is called
// should its time run out.
func (h before[E]) call(ctx context.Context, e E, late func()) (out E, err error) {
	a := h.begin(late)
	if a == nil {
		return e, errSkipped
	}
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			out, err = e, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		if err != nil && parent.Err() != nil {
			a.returned(errCancelled)
			return
		}
		h.returned(a, err)
	}()
	return h.fn(ctx, e)
}

// begin asks the plugin's breaker for a call; late is called should its time
// run out.
func (b binding) begin(late func()) *attempt {
	return b.host.breaker.begin(b.timeout, func() {
		b.host.Log.Error("hook abandoned", "after", b.timeout, "refuses", b.closed)
		late()
	})
}

func (b binding) returned(a *attempt, err error) {
	if err != nil && refusal(err) == nil {
		b.host.Log.Error("hook failed", "err", err, "refuses", b.closed)
	}
	a.returned(err)
}

// refuses tells what a hook's error means for what was asked: a refusal that it
// made, one because it failed and was bound FailClosed, or nothing.
func (b binding) refuses(err error) error {
	switch e := refusal(err); {
	case err == nil:
		return nil
	case e != nil:
		return e
	case b.closed:
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
