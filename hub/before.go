package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
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
	log     *slog.Logger // names plugin and hook
	observe HookObserver
	tally   tally  // what observe counts for people
	name    string // of the event
	before  bool
	place   int // in the chain, from 1
	order   int
	timeout time.Duration
	closed  bool
}

func bind[E any](h *Host, opts []BindOption) *binding {
	if h.hub.sealed.Load() {
		panic(fmt.Sprintf("hub: plugin %s binds a hook after Init", h.plugin))
	}
	// A hook is called as its event's type is: see Hooks.
	name := reflect.TypeFor[E]().Name()
	b := &binding{host: h, name: name, log: h.Log.With("hook", name), timeout: HookTimeout}
	b.tally.next = h.hub.opts.Observer.Hook(h.plugin, name)
	b.observe = &b.tally
	for _, o := range opts {
		o(b)
	}
	h.bindings = append(h.bindings, b)
	return b
}

// cloner is an event that can be copied, so that a hook left behind shares no
// memory with what goes on.
type cloner[E any] interface{ Clone() E }

// changeable is an event that hooks may change, within what can be used.
type changeable[E any] interface {
	cloner[E]
	unsound(was E) error
}

// Before is a chain of hooks that may change or refuse an event.
type Before[E changeable[E]] struct{ chain []before[E] }

type before[E changeable[E]] struct {
	*binding
	fn func(context.Context, E) (E, error)
}

// Bind adds a hook. It panics after Init.
func (b *Before[E]) Bind(h *Host, fn func(context.Context, E) (E, error), opts ...BindOption) {
	hook := before[E]{bind[E](h, opts), fn}
	hook.before = true
	b.chain = append(b.chain, hook)
	slices.SortStableFunc(b.chain, func(x, y before[E]) int { return cmp.Compare(x.order, y.order) })
	for i, one := range b.chain {
		one.place = i + 1
	}
}

// run hands e through the chain. One goroutine runs the whole of it; only where
// a hook overstays its time is that goroutine left behind, its later results
// thrown away, and the rest of the chain run by another.
func (b *Before[E]) run(ctx context.Context, e E) (E, error) {
	for i := 0; i < len(b.chain); {
		r := &chainRun[E]{chain: b.chain, first: i, at: i, event: e, done: make(chan struct{})}
		err := r.wait(ctx)
		if e, i = r.event, r.at; err != nil {
			return e, err
		}
	}
	return e, nil
}

// chainRun is one goroutine's way through a chain, and who waits for it.
type chainRun[E changeable[E]] struct {
	chain []before[E]
	first int           // to run
	done  chan struct{} // closed when the goroutine has got through

	mu    sync.Mutex
	at    int       // the hook that is running; len(chain) at the end
	since time.Time // when it began
	event E         // as of the last hook that made it; only the goroutine changes it
	err   error     // why the event is refused
	over  bool      // refused, or all have run
	left  bool      // nobody waits any more: what still comes is thrown away
}

// wait runs the chain from r.at, until its end or until a hook is left behind;
// r.at is then the first hook that has not run.
func (r *chainRun[E]) wait(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // tells a hook that is left behind, too
	r.since = time.Now()
	timer := time.NewTimer(soonest(r.chain[r.at:]))
	defer timer.Stop()
	r.chain[r.at].host.hub.crew.run(func() { r.work(ctx) })
	for {
		select {
		case <-r.done:
			return r.err
		case <-timer.C:
			over, more := r.overdue()
			if over {
				return r.chain[r.at-1].refuses(errOverdue)
			}
			timer.Reset(more)
		case <-ctx.Done():
			r.leave()
			return ErrUnavailable
		}
	}
}

// soonest is when to look for the first time whether one of the hooks is overdue
// that run from now on, one after the other: never at once, also where one was
// bound with no time at all.
func soonest[E changeable[E]](hooks []before[E]) time.Duration {
	d := hooks[0].timeout
	for _, hook := range hooks[1:] {
		d = min(d, hook.timeout)
	}
	return max(d, time.Millisecond)
}

// overdue leaves the running hook behind if its time is over, and tells when to
// look again otherwise: one that comes after it may have less time. The breaker has counted it before anybody is answered, so
// that whoever comes next finds it open.
func (r *chainRun[E]) overdue() (over bool, more time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return false, HookTimeout // it has just got through
	}
	hook := r.chain[r.at]
	if more = hook.timeout - time.Since(r.since); more > 0 {
		return false, min(more, soonest(r.chain[r.at:]))
	}
	hook.overdue()
	r.left = true
	r.at++
	return true, 0
}

// leave is for who does not wait any longer, whatever the hooks do.
func (r *chainRun[E]) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over && !r.left {
		hook := r.chain[r.at]
		hook.observe.Ran(HookCancelled, time.Since(r.since))
		hook.host.breaker.abandon(false)
	}
	r.left = true
}

// work is the goroutine. What comes after a refusal, or after nobody waits any
// more, must not act on an event that will not be.
func (r *chainRun[E]) work(ctx context.Context) {
	i, e := r.first, r.event
	for r.begin(i) {
		hook := r.chain[i]
		out, err := hook.call(ctx, e)
		if err == nil {
			if err = out.unsound(e); err == nil {
				out = out.Clone() // who keeps what it returned cannot reach what goes on
			}
		}
		if !r.took(i, out, err) {
			return
		}
		if i++; err == nil {
			e = out
		}
	}
}

// begin tells whether hook i is to run.
func (r *chainRun[E]) begin(i int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.over:
		close(r.done)
		return false
	case r.left:
		r.chain[i].host.breaker.back()
		return false
	}
	return true
}

// took takes the result of hook i, unless nobody wants it any more.
func (r *chainRun[E]) took(i int, out E, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	hook := r.chain[i]
	if r.left {
		hook.host.breaker.back()
		return false
	}
	now := time.Now()
	if errors.Is(err, errSkipped) {
		hook.observe.Ran(HookSkipped, 0)
	} else {
		hook.returned(err, now.Sub(r.since))
	}
	r.at, r.since = i+1, now
	if err == nil {
		r.event = out
	} else if r.err = hook.refuses(err); r.err != nil {
		r.at = len(r.chain)
	}
	r.over = r.at == len(r.chain)
	return true
}

var errSkipped = errors.New("the plugin's breaker is open")

// call runs the hook on a copy of e. Its panic is an error.
func (h before[E]) call(ctx context.Context, e E) (out E, err error) {
	if !h.host.breaker.enter() {
		return e, errSkipped
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return h.fn(ctx, e.Clone())
}

// returned notes a call that is back in time.
func (b *binding) returned(err error, took time.Duration) {
	switch {
	case err == nil:
		b.observe.Ran(HookOK, took)
	case refusal(err) != nil:
		b.observe.Ran(HookVetoed, took)
	default:
		b.observe.Ran(HookFailed, took)
		b.tally.last.set(err)
		b.log.Error("hook failed", "err", err, "refuses", b.closed)
	}
	b.host.breaker.exit(err)
}

// overdue notes a call that is left behind because its time is over.
func (b *binding) overdue() {
	b.observe.Ran(HookOverdue, b.timeout)
	b.tally.last.set(errOverdue)
	b.log.Error("hook abandoned", "after", b.timeout, "refuses", b.closed)
	b.host.breaker.abandon(true)
}

// refuses tells what a hook's error means for what was asked: a refusal that it
// made, one because it failed and was bound FailClosed, or nothing.
func (b *binding) refuses(err error) error {
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
