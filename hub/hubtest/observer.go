package hubtest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// Observer is a hub's observer that notes what it is told, a line each: the
// method, in small letters, and its words, as in "hook mail BellRung ok",
// "framein message" or "counter mail attempts accepted". Times are left out.
type Observer struct {
	mu    sync.Mutex
	seen  map[string]int
	grew  *sync.Cond
	words hub.Words
}

var _ hub.Observer = (*Observer)(nil)

// NewObserver makes one that has seen nothing yet.
func NewObserver() *Observer {
	o := &Observer{seen: map[string]int{}}
	o.grew = sync.NewCond(&o.mu)
	return o
}

// Count is how often a line was noted so far.
func (o *Observer) Count(line string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seen[line]
}

// Want waits until a line has been noted n times.
func (o *Observer) Want(t testing.TB, line string, n int) {
	t.Helper()
	late := false
	timer := time.AfterFunc(patience, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		late = true
		o.grew.Broadcast()
	})
	defer timer.Stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.seen[line] < n && !late {
		o.grew.Wait()
	}
	if o.seen[line] != n {
		t.Fatalf("%q was observed %d times, want %d, of %v", line, o.seen[line], n, o.seen)
	}
}

// Words is what the hub said it would use.
func (o *Observer) Words() hub.Words {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.words
}

func (o *Observer) note(n int, words ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen[strings.TrimSuffix(fmt.Sprintln(words...), "\n")] += n
	o.grew.Broadcast()
}

// Expect implements [hub.Observer].
func (o *Observer) Expect(w hub.Words) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.words = w
}

// Hook implements [hub.Observer].
func (o *Observer) Hook(plugin, hook string) hub.HookObserver {
	return hookObserver{o, plugin + " " + hook}
}

// Counter implements [hub.Observer].
func (o *Observer) Counter(plugin, name, _, _ string, _ []string) func(string) {
	return func(value string) { o.note(1, "counter", plugin, name, value) }
}

// FrameIn implements [hub.Observer].
func (o *Observer) FrameIn(typ string) { o.note(1, "framein", typ) }

// FramesOut implements [hub.Observer].
func (o *Observer) FramesOut(typ string, n int) { o.note(n, "framesout", typ) }

// Appended implements [hub.Observer].
func (o *Observer) Appended(outcome string, _ time.Duration) { o.note(1, "appended", outcome) }

// GapFilled implements [hub.Observer].
func (o *Observer) GapFilled() { o.note(1, "gapfilled") }

// Closed implements [hub.Observer].
func (o *Observer) Closed(code hub.CloseCode) { o.note(1, "closed", int(code)) }

type hookObserver struct {
	o    *Observer
	name string
}

// Ran implements [hub.HookObserver].
func (h hookObserver) Ran(r hub.HookResult, _ time.Duration) { h.o.note(1, "hook", h.name, r) }

// Dropped implements [hub.HookObserver].
func (h hookObserver) Dropped() { h.o.note(1, "dropped", h.name) }
