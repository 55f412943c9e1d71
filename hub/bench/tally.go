package bench

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tally is what has happened so far.
type tally struct {
	connections, dropped     atomic.Int64 // opened; of these, ended by the server or the network
	sent, acknowledged, seen atomic.Int64
	unanswered, unseen       atomic.Int64 // at the end: messages without an answer, showings that did not come

	opening, answering, showing *latency

	mu     sync.Mutex
	errors map[string]int // by code, or what happened
	files  bool           // this machine's limit of open files was met

	began, connected time.Time
	talk             window
}

// window is how much came in the time of talking. What comes later counts for
// the totals alone.
type window struct {
	began                    time.Time
	took                     time.Duration
	sent, acknowledged, seen int64
}

func newTally() *tally {
	return &tally{errors: map[string]int{}, opening: newLatency(), answering: newLatency(), showing: newLatency()}
}

func (t *tally) opened(took time.Duration) {
	t.connections.Add(1)
	t.opening.record(took)
}

func (t *tally) ack(took time.Duration) {
	t.acknowledged.Add(1)
	t.answering.record(took)
}

func (t *tally) deliver(took time.Duration) {
	t.seen.Add(1)
	t.showing.record(took)
}

// refuse counts an error frame's code, or why a connection did not come about.
func (t *tally) refuse(err error) {
	word := "no connection"
	var r *refusal
	if errors.As(err, &r) {
		word = r.word
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errors[word]++
	t.files = t.files || errors.Is(err, syscall.EMFILE)
}

func (t *tally) lost(err error) {
	t.dropped.Add(1)
	t.refuse(err)
}

func (t *tally) startTalking() { t.talk.began = time.Now() }

func (t *tally) endTalking() {
	t.talk.took = time.Since(t.talk.began)
	t.talk.sent, t.talk.acknowledged, t.talk.seen = t.sent.Load(), t.acknowledged.Load(), t.seen.Load()
}

// count is how often something went wrong.
type count struct {
	word string
	n    int
}

// failures lists what went wrong, the most frequent first.
func (t *tally) failures() (all []count) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, word := range slices.Sorted(maps.Keys(t.errors)) {
		all = append(all, count{word, t.errors[word]})
	}
	slices.SortStableFunc(all, func(a, b count) int { return cmp.Compare(b.n, a.n) })
	return all
}

// String is the line of progress.
func (t *tally) String() string {
	errors := 0
	for _, c := range t.failures() {
		errors += c.n
	}
	return fmt.Sprintf("%d connected  %d sent  %d acknowledged  %d delivered  %d errors",
		t.connections.Load()-t.dropped.Load(), t.sent.Load(), t.acknowledged.Load(), t.seen.Load(), errors)
}

// latency is a distribution of times.
type latency struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram // microseconds
}

// longest is the longest time that is told apart: messages wait less for their
// answers, as a run ends patience after the last one.
const longest = time.Hour

func newLatency() *latency {
	return &latency{h: hdrhistogram.New(1, longest.Microseconds(), 3)}
}

func (l *latency) record(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.h.RecordValue(min(d, longest).Microseconds()) // in its range, so no error
}

// quantiles are p50, p95, p99 and the maximum; ok is false where there was
// nothing.
func (l *latency) quantiles() (q [4]time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, p := range []float64{50, 95, 99, 100} {
		q[i] = time.Duration(l.h.ValueAtPercentile(p)) * time.Microsecond
	}
	return q, l.h.TotalCount() > 0
}
