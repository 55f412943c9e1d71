package storage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Schedule is how long a failed job waits for each next attempt, each ±20 %.
// After the last one it fails for good.
var Schedule = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute,
	30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour,
}

// Worker says how jobs of one kind are done.
type Worker struct {
	Kind        string
	Concurrency int           // at a time on this node; at least 1
	Timeout     time.Duration // of one attempt; a node that dies frees its jobs soon after

	// Do does the job. nil finishes it; an error makes it wait as Schedule
	// says, unless it was made by Permanent or After. Do must bear being run
	// twice: a node may die between doing and saying so.
	Do func(ctx context.Context, t Task) error
}

// leaseGrace is how much longer than its Timeout a job stays taken.
const leaseGrace = 15 * time.Second

// poll is how often a worker looks for jobs that became due by time, or that
// another process added. Those added in this one ring.
const poll = time.Second

// Permanent marks an error that no further attempt would mend.
func Permanent(err error) error { return &verdict{err: err, permanent: true} }

// After marks an error after which the next attempt comes in d, instead of when
// [Schedule] says.
func After(d time.Duration, err error) error { return &verdict{err: err, wait: d} }

type verdict struct {
	err       error
	permanent bool
	wait      time.Duration
}

func (v *verdict) Error() string { return v.err.Error() }
func (v *verdict) Unwrap() error { return v.err }

// Work does jobs until ctx ends, then waits for those under way: they have
// their own deadline and are not cut short by ctx.
func Work(ctx context.Context, w Worker) error {
	s := From(ctx)
	n := max(w.Concurrency, 1)
	free := make(chan struct{}, n)
	for range n {
		free <- struct{}{}
	}
	var running sync.WaitGroup
	defer running.Wait()
	bell := s.wake.of(w.Kind)
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		took := 0
		if slots := len(free); slots > 0 {
			jobs, err := s.claim(ctx, w.Kind, slots, w.Timeout+leaseGrace)
			if err != nil && ctx.Err() == nil {
				s.log.Error("jobs: claim", "kind", w.Kind, "err", err)
			}
			for _, j := range jobs {
				<-free
				running.Go(func() {
					defer func() { free <- struct{}{}; s.wake.ring(w.Kind) }()
					s.do(context.WithoutCancel(ctx), w, j)
				})
			}
			took = len(jobs)
		}
		if took > 0 && len(free) > 0 {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
			return nil
		case <-bell:
		case <-tick.C:
		}
	}
}

// errPoison is a job that has had its attempts without any of them ending: it
// takes down whatever does it.
var errPoison = errors.New("every attempt ended with its node")

// do makes one attempt and writes down how it ended.
func (s *Store) do(ctx context.Context, w Worker, j job) {
	began, last := time.Now(), j.Attempts > len(Schedule)
	err := errPoison
	if j.Attempts <= len(Schedule)+1 {
		err = s.attempt(ctx, w, Task{
			ID: j.ID, Key: j.Key, Payload: []byte(j.Payload), Room: j.RoomID, Seq: j.Seq, Attempt: j.Attempts, Last: last,
		})
	}
	state, wait := jobDone, time.Duration(0)
	if err != nil {
		var v *verdict
		errors.As(err, &v)
		switch {
		case v != nil && v.permanent || last:
			state = jobFailed
		case v != nil:
			state, wait = jobReady, v.wait
		default:
			state, wait = jobReady, jitter(Schedule[j.Attempts-1])
		}
		s.log.Warn("jobs: attempt failed", "kind", w.Kind, "job", j.ID, "room", j.RoomID, "attempt", j.Attempts, "state", state, "err", err)
	}
	s.observer.JobRan(w.Kind, state, time.Since(began))
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	if err := s.settle(ctx, j, state, wait, err); err != nil {
		// The lease runs out and the job is done again: Do bears it.
		s.log.Error("jobs: settle", "kind", w.Kind, "job", j.ID, "err", err)
	}
}

func (s *Store) attempt(ctx context.Context, w Worker, t Task) (err error) {
	ctx, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("jobs: panic", "kind", w.Kind, "job", t.ID, "room", t.Room, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return w.Do(ctx, t)
}

// jitter spreads d by ±20 %, so that what failed together does not return
// together.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// wakers ring the workers of a kind in this process.
type wakers struct {
	mu    *sync.Mutex
	bells map[string]chan struct{}
}

func newWakers() wakers { return wakers{new(sync.Mutex), map[string]chan struct{}{}} }

func (w wakers) of(kind string) chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bells[kind] == nil {
		w.bells[kind] = make(chan struct{}, 1)
	}
	return w.bells[kind]
}

// kinds are those that were worked on or rung for here.
func (w wakers) kinds() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Keys(w.bells))
}

func (w wakers) ring(kind string) {
	select {
	case w.of(kind) <- struct{}{}:
	default: // rung already
	}
}
