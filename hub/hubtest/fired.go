package hubtest

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// Event is the event of a hook.
type Event interface {
	hub.SessionOpening | hub.SessionClosed | hub.RoomOpened | hub.EventAppending | hub.EventStored |
		hub.BellRung | hub.HandingBack
}

// Fired waits until a hook has had an event that match says true to (nil: any),
// and returns it; the test fails where there is none. Each event is returned
// once, so that two calls speak of two events. A Before hook's event is as all
// plugins have left it; one that was refused is not there.
func Fired[E Event](t testing.TB, k *Kit, match func(E) bool) E {
	t.Helper()
	r := k.recorder
	late := false
	timer := time.AfterFunc(patience, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		late = true
		r.grew.Broadcast()
	})
	defer timer.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if i := find(r.events, match); i >= 0 {
			e := r.events[i].(E)
			r.events = slices.Delete(r.events, i, i+1)
			return e
		}
		if late {
			t.Fatalf("wanted %s, of %s", reflect.TypeFor[E]().Name(), seen[E](r.events))
		}
		r.grew.Wait()
	}
}

// NotFired fails the test where a hook has had, or will have without anything
// else happening, an event that match says true to (nil: any) and [Fired] did
// not return. It needs a bubble of testing/synctest: only there can one know
// that nothing more is under way.
func NotFired[E Event](t testing.TB, k *Kit, match func(E) bool) {
	t.Helper()
	settle(t, "NotFired")
	k.recorder.mu.Lock()
	defer k.recorder.mu.Unlock()
	if i := find(k.recorder.events, match); i >= 0 {
		t.Fatalf("wanted no such %s: %+v", reflect.TypeFor[E]().Name(), k.recorder.events[i])
	}
}

// Advance lets d pass, and whatever falls due in it happen, until everything
// waits again. It needs a bubble of testing/synctest, where it takes no time.
func (k *Kit) Advance(t testing.TB, d time.Duration) {
	t.Helper()
	settle(t, "Advance")
	time.Sleep(d)
	synctest.Wait()
}

// settle waits until nothing happens any more.
func settle(t testing.TB, what string) {
	t.Helper()
	defer func() {
		if recover() != nil {
			t.Fatalf("%s needs a bubble: run the test in synctest.Test", what)
		}
	}()
	synctest.Wait()
}

// maxRecorded bounds the events that are kept for Fired; the oldest go first.
const maxRecorded = 10_000

// recorder is a plugin that notes what the hooks are told. It is bound last, and
// the last of the list: whoever lists the plugins sees it, as hubtest.
type recorder struct {
	mu     sync.Mutex
	grew   *sync.Cond
	events []any
}

func newRecorder() *recorder {
	r := &recorder{}
	r.grew = sync.NewCond(&r.mu)
	return r
}

// ID implements [hub.Plugin].
func (*recorder) ID() string { return "hubtest" }

// Init binds every hook.
func (r *recorder) Init(_ context.Context, h *hub.Host) error {
	last := hub.Order(math.MaxInt)
	h.Hooks.SessionOpening.Bind(h, before[hub.SessionOpening](r), last)
	h.Hooks.SessionClosed.Bind(h, after[hub.SessionClosed](r))
	h.Hooks.RoomOpened.Bind(h, after[hub.RoomOpened](r))
	h.Hooks.EventAppending.Bind(h, before[hub.EventAppending](r), last)
	h.Hooks.EventStored.Bind(h, after[hub.EventStored](r))
	h.Hooks.BellRung.Bind(h, before[hub.BellRung](r), last)
	h.Hooks.HandingBack.Bind(h, before[hub.HandingBack](r), last)
	return nil
}

func before[E Event](r *recorder) func(context.Context, E) (E, error) {
	return func(_ context.Context, e E) (E, error) {
		r.note(e)
		return e, nil
	}
}

func after[E Event](r *recorder) func(context.Context, E) {
	return func(_ context.Context, e E) { r.note(e) }
}

func (r *recorder) note(e any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) == maxRecorded {
		r.events = r.events[1:]
	}
	r.events = append(r.events, e)
	r.grew.Broadcast()
}

// find is the place of the first event of a type that matches, or -1.
func find[E Event](events []any, match func(E) bool) int {
	return slices.IndexFunc(events, func(any any) bool {
		e, ok := any.(E)
		return ok && (match == nil || match(e))
	})
}

// seen lists the events of a type, for a test that failed.
func seen[E Event](events []any) string {
	var all []E
	for _, e := range events {
		if e, ok := e.(E); ok {
			all = append(all, e)
		}
	}
	return fmt.Sprintf("%d: %s", len(all), cut(fmt.Sprintf("%+v", all)))
}
