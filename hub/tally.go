package hub

import (
	"math/bits"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// PluginInfo is a plugin as an operator sees it: what it takes part in, and how
// that has gone since the program began.
type PluginInfo struct {
	ID    string
	Hooks []HookInfo // in the order of binding
	// Frames are those that clients may send to the plugin, Pushes those that it
	// sends to clients.
	Frames, Pushes []string

	Open      bool // the breaker: its hooks are skipped, but for one now and then
	Abandoned int  // calls that were left behind, overdue for the most part, and still run

	Runs      bool // it works in the background, see [Runner]
	Restarts  int  // of that, after an error or a panic
	LastError Failure
	PageError Failure // of its pages and panels in the console: see [Host.Failed]
}

// HookInfo is one hook of a plugin.
type HookInfo struct {
	Name       string        // of the event, as in Hooks
	Place      int           // among the hooks of that event, from 1; they run in this order
	Before     bool          // it is waited for, and may change or refuse
	Timeout    time.Duration // after which it is left behind
	FailClosed bool

	Calls   [HookResults]int64 // by result
	Dropped int64              // events missed since it was too slow
	// Median and P99 are upper bounds, at most twice the real figure: they come
	// from powers of two. 0 where nothing was called.
	Median, P99 time.Duration
	LastError   Failure
}

// Failure is the last that went wrong, or zero. Text is one line; the stack of a
// panic is in the log.
type Failure struct {
	Text string
	At   time.Time
}

// tally counts one hook's calls for people, beside whoever observes them.
type tally struct {
	next    HookObserver
	calls   [HookResults]atomic.Int64
	dropped atomic.Int64
	took    [maxTook]atomic.Int64 // by the number of bits of the microseconds
	last    lastFailure
}

// maxTook is the number of times told apart: up to a minute.
const maxTook = 27

// Ran implements [HookObserver].
func (t *tally) Ran(result HookResult, took time.Duration) {
	t.calls[result].Add(1)
	if result != HookSkipped {
		t.took[min(bits.Len64(uint64(took.Microseconds())), maxTook-1)].Add(1)
	}
	t.next.Ran(result, took)
}

// Dropped implements [HookObserver].
func (t *tally) Dropped() {
	t.dropped.Add(1)
	t.next.Dropped()
}

// fill completes what is known of a hook.
func (t *tally) fill(i *HookInfo) {
	for r := range t.calls {
		i.Calls[r] = t.calls[r].Load()
	}
	i.Dropped, i.LastError = t.dropped.Load(), t.last.get()
	i.Median, i.P99 = t.quantile(0.5), t.quantile(0.99)
}

func (t *tally) quantile(q float64) time.Duration {
	var counts [maxTook]int64
	var all int64
	for i := range t.took {
		counts[i] = t.took[i].Load()
		all += counts[i]
	}
	var seen int64
	for i, n := range counts {
		if seen += n; n > 0 && float64(seen) >= q*float64(all) {
			return time.Microsecond << i
		}
	}
	return 0
}

// maxFailure bounds the bytes kept of an error.
const maxFailure = 300

// lastFailure remembers one error.
type lastFailure struct {
	mu sync.Mutex
	f  Failure
}

func (l *lastFailure) set(err error) {
	text, _, _ := strings.Cut(err.Error(), "\n")
	if len(text) > maxFailure {
		text = strings.ToValidUTF8(text[:maxFailure], "") + "…"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.f = Failure{text, Now()}
}

func (l *lastFailure) get() Failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f
}

// Plugins tells of each plugin, in list order. It is valid after Init.
func (h *Hub) Plugins() []PluginInfo {
	all := make([]PluginInfo, len(h.hosts))
	for i, host := range h.hosts {
		open, abandoned := host.breaker.state()
		info := PluginInfo{
			ID: host.plugin, Frames: h.framesOf(host.plugin), Pushes: host.pushes,
			Open: open, Abandoned: abandoned,
			Restarts: int(host.restarts.Load()), LastError: host.last.get(), PageError: host.page.get(),
		}
		_, info.Runs = h.plugins[i].(Runner)
		for _, b := range host.bindings {
			hook := HookInfo{
				Name: b.name, Place: b.place, Before: b.before, Timeout: b.timeout, FailClosed: b.closed,
			}
			b.tally.fill(&hook)
			info.Hooks = append(info.Hooks, hook)
		}
		all[i] = info
	}
	return all
}
