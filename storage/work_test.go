package storage_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// work does the jobs of the kind "k" until do has run n times, and returns once
// the workers have written down how each ended.
func work(t testing.TB, ctx context.Context, n int, do func(context.Context, storage.Task) error) {
	t.Helper()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ran := make(chan struct{}, 100)
	done := make(chan error)
	go func() {
		done <- storage.Work(ctx, storage.Worker{Kind: "k", Concurrency: 2, Timeout: time.Minute, Do: func(ctx context.Context, task storage.Task) error {
			defer func() { ran <- struct{}{} }()
			return do(ctx, task)
		}})
	}()
	for range n {
		<-ran
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWork(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		s := storage.From(ctx)
		_, e := enter(t, ctx)
		_, err := s.Append(ctx, hub.Append{
			Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "x",
			Jobs: []hub.Job{{Kind: "k", Key: "a", Payload: hub.MarshalData("hello")}},
		})
		ok(t, err)
		var got storage.Task
		var text string
		work(t, ctx, 2, func(_ context.Context, task storage.Task) error {
			if task.Attempt == 1 {
				return storage.After(0, errors.New("at once again"))
			}
			got = task
			return task.Decode(&text)
		})
		if got.Key != "a" || got.Room != e.Room.ID || got.Seq != 1 || got.Attempt != 2 || got.Last || text != "hello" {
			t.Errorf("the task: %+v, %q", got, text)
		}
		if row := readJob(t, ctx, "a"); row.State != "done" || row.Attempts != 2 || row.LastError != "" {
			t.Errorf("the job: %+v", row)
		}
	})
}

// A job that never lived to say how it went is not tried for ever.
func TestWorkGivesUpOnWhatKillsNodes(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		ok(t, storage.Enqueue(ctx, hub.Job{Kind: "k", Key: "poison", Priority: 1}))
		exec(t, ctx, "UPDATE jobs SET attempts = ?", len(storage.Schedule)+1)
		ok(t, storage.Enqueue(ctx, hub.Job{Kind: "k", Key: "good"}))
		work(t, ctx, 1, func(_ context.Context, task storage.Task) error {
			if task.Key != "good" {
				t.Errorf("%s is done", task.Key)
			}
			return nil
		})
		if row := readJob(t, ctx, "poison"); row.State != "failed" {
			t.Errorf("the job: %+v", row)
		}
	})
}

func TestWorkFails(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name     string
		attempts int // before this one
		do       func() error
		state    string
		min, max time.Duration // until the next attempt
		says     string
	}{
		{"first", 0, func() error { return broken }, "ready", 4 * time.Second, 6 * time.Second, "broken"},
		{"third", 2, func() error { return broken }, "ready", 96 * time.Second, 144 * time.Second, "broken"},
		{"eighth", 7, func() error { return broken }, "ready", 192 * time.Minute, 288 * time.Minute, "broken"},
		{"last", 8, func() error { return broken }, "failed", 0, 0, "broken"},
		{"permanent", 0, func() error { return storage.Permanent(broken) }, "failed", 0, 0, "broken"},
		{"after", 0, func() error { return storage.After(time.Hour, broken) }, "ready", time.Hour, time.Hour, "broken"},
		{"after, the last", 8, func() error { return storage.After(time.Hour, broken) }, "failed", 0, 0, "broken"},
		{"wrapped", 0, func() error { return errors.Join(broken, storage.Permanent(broken)) }, "failed", 0, 0, "broken"},
		{"panic", 0, func() error { panic("ouch") }, "ready", 4 * time.Second, 6 * time.Second, "panic: ouch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, ctx context.Context) {
				ok(t, storage.Enqueue(ctx, hub.Job{Kind: "k", Key: "a"}))
				if c.attempts > 0 {
					exec(t, ctx, "UPDATE jobs SET attempts = ?", c.attempts)
				}
				before := time.Now()
				last := false
				work(t, ctx, 1, func(_ context.Context, task storage.Task) error { last = task.Last; return c.do() })
				row := readJob(t, ctx, "a")
				if row.State != c.state || row.Attempts != c.attempts+1 || !strings.Contains(row.LastError, c.says) {
					t.Errorf("the job: %+v", row)
				}
				if last != (c.attempts >= len(storage.Schedule)) {
					t.Errorf("Last is %v in attempt %d", last, c.attempts+1)
				}
				wait, slack := row.RunAt.Sub(before), 5*time.Second // the test's own time
				if c.state == "ready" && (wait < c.min-time.Second || wait > c.max+slack) {
					t.Errorf("the next attempt is in %v, want %v to %v", wait, c.min, c.max)
				}
			})
		})
	}
	if !errors.Is(storage.Permanent(broken), broken) || !errors.Is(storage.After(0, broken), broken) {
		t.Error("the cause is lost")
	}
}

// Stopping takes no new job, lets those under way end in their own time, and
// leaves nothing running.
func TestWorkStops(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			address := b.address(t)
			running := goleak.IgnoreCurrent()
			s, err := storage.Open(t.Context(), storage.Options{URL: address})
			ok(t, err)
			ok(t, s.Migrate(t.Context()))
			ctx, stop := context.WithCancel(storage.With(t.Context(), s))
			defer stop()
			ok(t, storage.Enqueue(ctx, hub.Job{Kind: "k", Key: "a", Priority: 1}, hub.Job{Kind: "k", Key: "b"}))
			started, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
			go func() {
				done <- storage.Work(ctx, storage.Worker{Kind: "k", Timeout: time.Minute, Do: func(ctx context.Context, task storage.Task) error {
					close(started) // a second job would panic
					<-release
					return ctx.Err()
				}})
			}()
			<-started
			stop()
			select {
			case <-done:
				t.Error("Work left its job behind")
			default:
			}
			close(release)
			if err := <-done; err != nil {
				t.Error(err)
			}
			ctx = storage.With(t.Context(), s)
			if a, b := readJob(t, ctx, "a"), readJob(t, ctx, "b"); a.State != "done" || b.State != "ready" {
				t.Errorf("the jobs: %+v, %+v", a, b)
			}
			ok(t, s.Close())
			goleak.VerifyNone(t, running)
		})
	}
}

func TestWorkConcurrency(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		var jobs []hub.Job
		for range 8 {
			jobs = append(jobs, hub.Job{Kind: "k", Key: storage.NewID()})
		}
		ok(t, storage.Enqueue(ctx, jobs...))
		var now, most atomic.Int32
		pair := make(chan struct{}) // two at a time, or nobody gets on
		work(t, ctx, len(jobs), func(context.Context, storage.Task) error {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			select {
			case pair <- struct{}{}:
			case <-pair:
			}
			now.Add(-1)
			return nil
		})
		if most.Load() != 2 {
			t.Errorf("%d at a time, want 2", most.Load())
		}
	})
}

// A job that a transaction adds is done once that has committed.
func TestWorkAfterCommit(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		go func() {
			_ = storage.Tx(ctx, func(ctx context.Context) error {
				return storage.Enqueue(ctx, hub.Job{Kind: "k", Key: "a"})
			})
		}()
		work(t, ctx, 1, func(context.Context, storage.Task) error { return nil })
		if row := readJob(t, ctx, "a"); row.State != "done" {
			t.Errorf("the job: %+v", row)
		}
	})
}

// A server that crashed took jobs with it: the next one on its file frees them,
// unless the first one is still there.
func TestReclaim(t *testing.T) {
	file := sqliteFile(t)
	crashed, err := storage.Open(t.Context(), storage.Options{URL: file})
	ok(t, err)
	ok(t, crashed.Migrate(t.Context()))
	ok(t, crashed.Reclaim(t.Context()))
	ok(t, storage.Enqueue(storage.With(t.Context(), crashed), hub.Job{Kind: "answer", Key: "a"}))
	taken, err := crashed.Claim(t.Context(), "answer", 1, time.Hour)
	if err != nil || len(taken) != 1 {
		t.Fatal(taken, err)
	}
	next := open(t, file)
	claimed := func() int {
		t.Helper()
		ok(t, next.Reclaim(t.Context()))
		jobs, err := next.Claim(t.Context(), "answer", 1, time.Hour)
		ok(t, err)
		return len(jobs)
	}
	if claimed() != 0 {
		t.Error("the job of a server that runs was taken away")
	}
	ok(t, crashed.Close()) // as a crash does, it lets go of its lock
	if claimed() != 1 {
		t.Error("the job of a server that is gone was not freed")
	}
}
