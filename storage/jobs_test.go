package storage_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

// jobRow is what the tests look at of a job.
type jobRow struct {
	State, LastError string
	Attempts         int
	RunAt            time.Time
}

func readJob(t testing.TB, ctx context.Context, key string) (row jobRow) {
	t.Helper()
	ok(t, storage.Read(ctx).Table("jobs").Where("job_key = ?", key).Take(&row).Error)
	return row
}

// claim takes up to n jobs of the kind "k" for an hour.
func claim(t testing.TB, ctx context.Context, n int) []storage.Claimed {
	t.Helper()
	got, err := storage.From(ctx).Claim(ctx, "k", n, time.Hour)
	ok(t, err)
	return got
}

func keys(jobs []storage.Claimed) (out []string) {
	for _, j := range jobs {
		out = append(out, j.Key())
	}
	return out
}

func TestEnqueue(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		jakarta := time.FixedZone("WIB", 7*60*60)
		ok(t, storage.Enqueue(ctx,
			hub.Job{Kind: "k", Key: "late", RunAt: time.Now().In(jakarta).Add(time.Minute)},
			hub.Job{Kind: "k", Key: "due", RunAt: time.Now().In(jakarta).Add(-time.Minute)},
			hub.Job{Kind: "k", Key: "urgent", Priority: 9, Payload: json.RawMessage(`{"n":1}`)},
			hub.Job{Kind: "k", Key: "now"},
			hub.Job{Kind: "k", Key: "now"},
			hub.Job{Kind: "other", Key: "now"}))
		ok(t, storage.Enqueue(ctx, hub.Job{Kind: "k", Key: "now", Priority: 99}))
		ok(t, storage.Enqueue(ctx))

		broken := errors.New("broken")
		err := storage.Tx(ctx, func(ctx context.Context) error {
			ok(t, storage.Enqueue(ctx, hub.Job{Kind: "k", Key: "rolled back"}))
			return broken
		})
		if !errors.Is(err, broken) {
			t.Errorf("Tx: %v", err)
		}
		if got := keys(claim(t, ctx, 10)); !slices.Equal(got, []string{"urgent", "due", "now"}) {
			t.Errorf("claimed %v", got)
		}
		if got := claim(t, ctx, 10); len(got) != 0 {
			t.Errorf("claimed again: %v", keys(got))
		}
	})
}

// Two nodes on one database, several workers each: every job goes to one.
func TestClaimIsExclusive(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			address := b.address(t)
			nodes := []*storage.Store{open(t, address), open(t, address)}
			ok(t, nodes[0].Migrate(t.Context()))
			var jobs []hub.Job
			for range 60 {
				jobs = append(jobs, hub.Job{Kind: "k", Key: storage.NewID()})
			}
			ok(t, storage.Enqueue(storage.With(t.Context(), nodes[0]), jobs...))

			var mu sync.Mutex
			taken := map[string]int{}
			var workers sync.WaitGroup
			for i := range 6 {
				workers.Go(func() {
					for {
						got, err := nodes[i%2].Claim(t.Context(), "k", 3, time.Hour)
						if err != nil {
							t.Errorf("worker %d: %v", i, err)
							return
						}
						mu.Lock()
						for _, j := range got {
							taken[j.Key()]++
						}
						all := len(taken) == len(jobs)
						mu.Unlock()
						if all {
							return
						}
					}
				})
			}
			workers.Wait()
			for key, n := range taken {
				if n != 1 {
					t.Errorf("job %s was claimed %d times", key, n)
				}
			}
		})
	}
}

// A node does not wait for jobs that another one is just claiming.
func TestClaimSkipsLocked(t *testing.T) {
	s := open(t, hubtest.MariaDB(t))
	ok(t, s.Migrate(t.Context()))
	outside := storage.With(t.Context(), s)
	ok(t, storage.Enqueue(outside, hub.Job{Kind: "k", Key: "a"}, hub.Job{Kind: "k", Key: "b"}))
	ok(t, storage.Tx(outside, func(ctx context.Context) error {
		exec(t, ctx, "UPDATE jobs SET priority = 1 WHERE job_key = 'a'")
		if got := keys(claim(t, outside, 10)); !slices.Equal(got, []string{"b"}) {
			t.Errorf("claimed %v, want b alone", got)
		}
		return nil
	}))
}

// A worker that lost its lease can no longer say how the job ended.
func TestLease(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		s := storage.From(ctx)
		ok(t, storage.Enqueue(ctx, hub.Job{Kind: "k", Key: "a"}))
		dead, err := s.Claim(ctx, "k", 1, 0)
		ok(t, err)
		if len(dead) != 1 {
			t.Fatalf("claimed %v", keys(dead))
		}
		heir := claim(t, ctx, 1)
		if len(heir) != 1 || heir[0].Attempts() != 2 {
			t.Fatalf("a lease that ended: %v", keys(heir))
		}
		ok(t, s.Settle(ctx, dead[0], nil))
		if got := readJob(t, ctx, "a"); got.State != "taken" || got.Attempts != 2 {
			t.Errorf("the dead worker settled it: %+v", got)
		}
		ok(t, s.Settle(ctx, heir[0], errors.New("not \xff UTF-8, "+strings.Repeat("é", 400))))
		got := readJob(t, ctx, "a")
		if got.State != "ready" || !strings.HasPrefix(got.LastError, "not \uFFFD UTF-8, é") || len(got.LastError) > 500 {
			t.Errorf("tried again: %+v", got)
		}
		third := claim(t, ctx, 1)
		if len(third) != 1 {
			t.Fatal("not tried again")
		}
		ok(t, s.Settle(ctx, third[0], nil))
		if got := readJob(t, ctx, "a"); got.State != "done" || got.LastError != "" {
			t.Errorf("done: %+v", got)
		}
		ok(t, storage.Enqueue(ctx, hub.Job{Kind: "k", Key: "a"}))
		if got := claim(t, ctx, 1); len(got) != 0 {
			t.Error("the key of a job that is done was free again")
		}
	})
}

// The clock of leases is the database's, in UTC.
func TestDatabaseTime(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		now, err := storage.From(ctx).DatabaseTime(ctx)
		ok(t, err)
		if now.Location() != time.UTC || time.Since(now).Abs() > time.Minute {
			t.Errorf("the database says %v", now)
		}
	})
}

func TestPending(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		s := storage.From(ctx)
		_, e := enter(t, ctx)
		said, err := s.Append(ctx, hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "x", Jobs: []hub.Job{{Kind: "k", Key: "a"}}})
		ok(t, err)
		pending := func(before int64) bool {
			got, err := storage.Pending(ctx, "k", e.Room.ID, before)
			ok(t, err)
			return got
		}
		if !pending(said.Event.Seq+1) || pending(said.Event.Seq) {
			t.Error("a job that is due")
		}
		got := claim(t, ctx, 1)
		if !pending(said.Event.Seq + 1) {
			t.Error("a job under way")
		}
		ok(t, s.Settle(ctx, got[0], nil))
		if pending(said.Event.Seq + 1) {
			t.Error("a job that is done")
		}
	})
}

func TestPurge(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		s := storage.From(ctx)
		d, spoke := enter(t, ctx)
		_, err := s.Append(ctx, hub.Append{Room: spoke.Room.ID, Type: hub.EventMessage, Author: spoke.Visitor, Text: "x"})
		ok(t, err)
		silent, err := s.EnterVisitor(ctx, hub.Domain{ID: d.ID}, "", "")
		ok(t, err)
		greeted, err := s.EnterVisitor(ctx, hub.Domain{ID: d.ID, AI: true}, "", "")
		ok(t, err)
		_, err = s.Append(ctx, hub.Append{Room: greeted.Room.ID, Type: hub.EventMessage, Author: hub.Author{Kind: hub.AI}, Text: "x", Epoch: 1})
		ok(t, err)
		fresh, err := s.EnterVisitor(ctx, hub.Domain{ID: d.ID}, "", "")
		ok(t, err)
		old := hub.Now().Add(-25 * time.Hour)
		exec(t, ctx, "UPDATE rooms SET created_at = ? WHERE id IN ?", old, []string{spoke.Room.ID, silent.Room.ID, greeted.Room.ID})
		exec(t, ctx, "UPDATE visitors SET expires_at = ? WHERE id IN ?", old, []string{spoke.Visitor.ID, silent.Visitor.ID, greeted.Visitor.ID})

		a, err := storage.EnsureAdmin(ctx, "ana@example.com")
		ok(t, err)
		for range 2 {
			_, err = storage.NewSignIn(ctx, a.ID)
			ok(t, err)
		}
		exec(t, ctx, "UPDATE sign_ins SET expires_at = ? WHERE token_hash = (SELECT h FROM (SELECT MIN(token_hash) h FROM sign_ins) x)", old)
		for i := range 2 {
			id, _, err := storage.StartSession(ctx)
			ok(t, err)
			l, _ := mint(t, ctx, spoke, "rule", time.Hour)
			ok(t, storage.AddGrant(ctx, id, l, "Ana"))
			if i == 0 {
				exec(t, ctx, "UPDATE sessions SET expires_at = ? WHERE id = ?", old, id)
			}
		}
		ok(t, storage.Enqueue(ctx, hub.Job{Kind: "k", Key: "old"}, hub.Job{Kind: "k", Key: "new"}, hub.Job{Kind: "k", Key: "failed"}))
		exec(t, ctx, "UPDATE jobs SET state = 'done' WHERE job_key <> 'failed'")
		exec(t, ctx, "UPDATE jobs SET updated_at = ? WHERE job_key <> 'new'", hub.Now().AddDate(0, 0, -31))

		ok(t, s.Purge(ctx))
		for _, e := range []hub.Entry{silent, greeted} {
			if _, err := s.Room(ctx, e.Room.ID); !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("a room in which no person spoke: %v", err)
			}
		}
		for _, e := range []hub.Entry{spoke, fresh} {
			if _, err := s.Room(ctx, e.Room.ID); err != nil {
				t.Errorf("a room to keep: %v", err)
			}
		}
		for table, want := range map[string]int64{"rooms": 2, "events": 1, "visitors": 2, "sign_ins": 1, "sessions": 1, "grants": 1, "jobs": 2} {
			if n := count(t, ctx, table); n != want {
				t.Errorf("%s: %d rows, want %d", table, n, want)
			}
		}
	})
}
