package storage_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// An operator sees what waits, what was given up, and how late it is; what is
// done, or still in the future, is not late.
func TestBacklog(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		s := storage.From(ctx)
		empty := must(s.Backlog(context.Background()))
		if len(empty.Jobs) != 0 || empty.Emails[storage.EmailQueued] != 0 {
			t.Errorf("of nothing: %+v", empty)
		}
		now := must(s.DatabaseTime(ctx))
		ok(t, storage.Enqueue(ctx,
			hub.Job{Kind: "late", Key: "1", RunAt: now.Add(-time.Hour)},
			hub.Job{Kind: "late", Key: "2", RunAt: now.Add(-2 * time.Hour)},
			hub.Job{Kind: "late", Key: "3", RunAt: now.Add(time.Hour)},
			hub.Job{Kind: "later", Key: "1", RunAt: now.Add(time.Hour)},
			hub.Job{Kind: "mixed", Key: "1"}, hub.Job{Kind: "mixed", Key: "2"}, hub.Job{Kind: "mixed", Key: "3"},
		))
		taken := must(s.Claim(ctx, "mixed", 3, time.Hour))
		ok(t, s.Settle(ctx, taken[0], nil)) // done
		exec(t, ctx, "UPDATE jobs SET state = 'failed' WHERE job_key = ? AND kind = 'mixed'", taken[1].Key())
		for _, state := range []storage.EmailState{storage.EmailQueued, storage.EmailSent, storage.EmailSent, storage.EmailHeld, storage.EmailFailed} {
			_, err := storage.AddEmails(ctx, storage.Email{DomainID: storage.NewID(), Kind: storage.EmailBell, Recipient: "ana@example.com", State: state})
			ok(t, err)
		}
		got := must(s.Backlog(context.Background()))
		late := got.Jobs[0]
		if want := 2 * time.Hour; late.Oldest < want || late.Oldest > want+time.Minute {
			t.Errorf("the oldest is due for %s, want %s", late.Oldest, want)
		}
		got.Jobs[0].Oldest = 0
		want := storage.Backlog{
			Jobs: []storage.JobBacklog{
				{Kind: "late", States: map[string]int64{"ready": 3, "taken": 0, "failed": 0}},
				{Kind: "later", States: map[string]int64{"ready": 1, "taken": 0, "failed": 0}},
				{Kind: "mixed", States: map[string]int64{"ready": 0, "taken": 1, "failed": 1}},
			},
			Emails: map[storage.EmailState]int64{storage.EmailQueued: 1, storage.EmailHeld: 1, storage.EmailFailed: 1, storage.EmailExpired: 0},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
		// A worker that died with its job: due since its lease ended.
		exec(t, ctx, "UPDATE jobs SET run_at = ? WHERE kind = 'mixed' AND state = 'taken'", now.Add(-time.Minute))
		if b := must(s.Backlog(context.Background())).Jobs[2]; b.Oldest < time.Minute {
			t.Errorf("an abandoned job is due for %s", b.Oldest)
		}
	})
}

// ran keeps the states that jobs were left in.
type ran struct {
	mu     sync.Mutex
	states []string
}

func (*ran) Committed(int, time.Duration) {}

func (r *ran) JobRan(kind, state string, _ time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states = append(r.states, kind+" "+state)
}

func TestJobsAreObserved(t *testing.T) {
	seen := &ran{}
	s, err := storage.Open(t.Context(), storage.Options{URL: sqliteFile(t), Observer: seen})
	ok(t, err)
	t.Cleanup(func() { ok(t, s.Close()) })
	ok(t, s.Migrate(t.Context()))
	ctx := storage.With(t.Context(), s)
	ok(t, storage.Enqueue(ctx, hub.Job{Kind: "k", Key: "again"}, hub.Job{Kind: "k", Key: "never"}))
	work(t, ctx, 3, func(_ context.Context, task storage.Task) error {
		switch {
		case task.Key == "never":
			return storage.Permanent(errors.New("no"))
		case task.Attempt == 1:
			return storage.After(0, errors.New("at once again"))
		}
		return nil
	})
	slices.Sort(seen.states)
	if want := []string{"k done", "k failed", "k ready"}; !slices.Equal(seen.states, want) {
		t.Errorf("got %v, want %v", seen.states, want)
	}
}
