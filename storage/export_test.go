package storage

import (
	"context"
	"time"
)

// What the tests, which stand outside the package, need of its inside.

// Purge deletes what nobody needs any more, once.
func (s *Store) Purge(ctx context.Context) error { return s.purge(With(ctx, s)) }

// DatabaseTime is the clock that leases go by.
func (s *Store) DatabaseTime(ctx context.Context) (time.Time, error) {
	return s.databaseTime(With(ctx, s))
}

// Claimed is a job as a worker took it.
type Claimed struct{ job job }

// Key is the job's.
func (c Claimed) Key() string { return c.job.Key }

// Attempts counts the claims of the job so far.
func (c Claimed) Attempts() int { return c.job.Attempts }

// Claim takes jobs as a worker does.
func (s *Store) Claim(ctx context.Context, kind string, n int, lease time.Duration) ([]Claimed, error) {
	rows, err := s.claim(With(ctx, s), kind, n, lease)
	var out []Claimed
	for _, r := range rows {
		out = append(out, Claimed{r})
	}
	return out, err
}

// Settle finishes a job as a worker does, or has it tried again at once if
// cause is not nil.
func (s *Store) Settle(ctx context.Context, c Claimed, cause error) error {
	state := jobDone
	if cause != nil {
		state = jobReady
	}
	return s.settle(With(ctx, s), c.job, state, 0, cause)
}

// MySQLConfig reads an address.
var MySQLConfig = mysqlConfig

// MySQL tells which database this is.
func (s *Store) MySQL() bool { return s.mysql }

// NewRef makes a room's reference.
var NewRef = newRef

// Migrations are this package's steps.
var Migrations = migrations

// Waiting is how many appends wait for the committer.
func (s *Store) Waiting() int { return len(s.commits.queue) }

// Committing tells whether the committer is at work.
func (s *Store) Committing() bool { return s.commits.busy.Load() }

// SetAside tells whether appends to a room wait for another transaction.
func (s *Store) SetAside(room string) bool {
	s.commits.mu.Lock()
	defer s.commits.mu.Unlock()
	_, ok := s.commits.aside[room]
	return ok
}
