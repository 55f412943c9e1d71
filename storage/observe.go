package storage

import (
	"context"
	"slices"
	"time"
)

// Observer is told what a store does, so that it can be measured. It is called
// on the path of every append: its methods return at once and allocate nothing.
type Observer interface {
	// Committed is a transaction that has stored so many appends.
	Committed(appends int, took time.Duration)
	// JobRan is the end of a job's attempt, which left the job in a state: done,
	// ready (to be tried again) or failed.
	JobRan(kind, state string, took time.Duration)
}

type unobserved struct{}

func (unobserved) Committed(int, time.Duration)         {}
func (unobserved) JobRan(string, string, time.Duration) {}

// Backlog is the work that waits in the database, for every node alike.
type Backlog struct {
	Jobs []JobBacklog
	// Emails counts those that are not sent, by state.
	Emails map[EmailState]int64
}

// JobBacklog is what is left of the jobs of one kind.
type JobBacklog struct {
	Kind string
	// States counts the jobs that are ready (for a worker or for their time),
	// taken and failed. Those that are done are not counted: they are kept for
	// a month, and counting them would read them all.
	States map[string]int64
	// Oldest is how long ago the job that has been due the longest became due;
	// 0 where none is.
	Oldest time.Duration
}

// maxKinds bounds the kinds that a Backlog looks at.
const maxKinds = 64

// Backlog reads how much work waits. All of it is found in indices, one range
// for each kind and state, so that asking often costs the database little.
func (s *Store) Backlog(ctx context.Context) (Backlog, error) {
	ctx = With(ctx, s)
	out := Backlog{Emails: map[EmailState]int64{EmailQueued: 0, EmailHeld: 0, EmailFailed: 0, EmailExpired: 0}}
	kinds, err := s.jobKinds(ctx)
	if err != nil {
		return Backlog{}, err
	}
	now, err := s.databaseTime(ctx)
	if err != nil {
		return Backlog{}, err
	}
	for _, kind := range kinds {
		b, err := jobBacklog(ctx, kind, now)
		if err != nil {
			return Backlog{}, err
		}
		out.Jobs = append(out.Jobs, b)
	}
	// Two ranges of the index, around the state that nearly all emails are in.
	for _, unsent := range []string{"state < ?", "state > ?"} {
		var rows []struct {
			State EmailState
			N     int64
		}
		err := Read(ctx).Model(&Email{}).Select("state, COUNT(*) AS n").Where(unsent, EmailSent).Group("state").Find(&rows).Error
		if err != nil {
			return Backlog{}, err
		}
		for _, r := range rows {
			out.Emails[r.State] = r.N
		}
	}
	return out, nil
}

// jobKinds lists the kinds of jobs that are in the database, one step through
// the index for each, and those that this process works on.
func (s *Store) jobKinds(ctx context.Context) ([]string, error) {
	kinds := s.wake.kinds()
	for kind := ""; len(kinds) < maxKinds; {
		var next *string
		if err := Read(ctx).Model(&job{}).Where("kind > ?", kind).Select("MIN(kind)").Row().Scan(&next); err != nil {
			return nil, err
		}
		if next == nil {
			break
		}
		kind = *next
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds), nil
}

func jobBacklog(ctx context.Context, kind string, now time.Time) (JobBacklog, error) {
	b := JobBacklog{Kind: kind, States: map[string]int64{jobReady: 0, jobTaken: 0, jobFailed: 0}}
	for state := range b.States {
		var n int64
		if err := Read(ctx).Model(&job{}).Where("kind = ? AND state = ?", kind, state).Count(&n).Error; err != nil {
			return b, err
		}
		b.States[state] = n
	}
	// One that is taken is due again when its lease is over.
	for _, state := range []string{jobReady, jobTaken} {
		var due []job
		err := Read(ctx).Select("run_at").Where("kind = ? AND state = ? AND run_at <= ?", kind, state, now).Order("run_at").Limit(1).Find(&due).Error
		if err != nil {
			return b, err
		}
		if len(due) > 0 {
			b.Oldest = max(b.Oldest, now.Sub(due[0].RunAt))
		}
	}
	return b, nil
}
