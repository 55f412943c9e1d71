package storage

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/bellhub/bellhub/hub"
)

// The states of a job.
const (
	jobReady  = "ready"  // waits for its time, or for a worker
	jobTaken  = "taken"  // a worker has it until run_at, its lease
	jobDone   = "done"   // kept for a while, so that its key stays taken
	jobFailed = "failed" // given up: kept for people to see
)

// job is a row of jobs. RunAt says when a worker may take it: its time, or,
// once taken, the end of the lease, so that one condition finds both the due
// and the abandoned.
type job struct {
	ID        string
	Kind      string
	Key       string `gorm:"column:job_key"`
	State     string
	RunAt     time.Time
	Priority  int
	Payload   string
	RoomID    string
	Seq       int64
	Attempts  int // raised by every claim: a worker that lost its lease can no longer finish the job
	LastError string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Enqueue adds jobs in the transaction that ctx carries, or in one of its own.
// One whose (Kind, Key) exists already is dropped.
func Enqueue(ctx context.Context, jobs ...hub.Job) error {
	rows := newJobs(jobs, "", 0)
	return Tx(ctx, func(ctx context.Context) error { return insertJobs(ctx, rows) })
}

// newJobs makes the rows of the jobs that event (roomID, seq) caused.
func newJobs(jobs []hub.Job, roomID string, seq int64) []job {
	now := hub.Now()
	rows := make([]job, len(jobs))
	for i, j := range jobs {
		rows[i] = job{
			ID: NewID(), Kind: j.Kind, Key: j.Key, State: jobReady, RunAt: utc(j.RunAt), Priority: j.Priority,
			Payload: string(j.Payload), RoomID: roomID, Seq: seq, CreatedAt: now, UpdatedAt: now,
		}
		if j.RunAt.IsZero() {
			rows[i].RunAt = now
		}
	}
	return rows
}

// insertJobs writes them, and wakes their workers once that is committed.
func insertJobs(ctx context.Context, rows []job) error {
	if len(rows) == 0 {
		return nil
	}
	s := From(ctx)
	for part := range slices.Chunk(rows, s.rowsAtOnce()) {
		if err := DB(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&part).Error; err != nil {
			return err
		}
	}
	kinds := map[string]bool{}
	for _, j := range rows {
		kinds[j.Kind] = true
	}
	afterCommit(ctx, func() {
		for kind := range kinds {
			s.wake.ring(kind)
		}
	})
	return nil
}

// Task is a job as its worker gets it.
type Task struct {
	ID      string
	Key     string
	Payload json.RawMessage
	Room    string // of the event that caused the job, or empty
	Seq     int64  // likewise
	Attempt int    // 1 for the first
	Last    bool   // no attempt follows a failure of this one
}

// Decode reads the payload into v.
func (t Task) Decode(v any) error { return json.Unmarshal(t.Payload, v) }

// claim takes up to n due jobs of a kind until their lease ends.
func (s *Store) claim(ctx context.Context, kind string, n int, lease time.Duration) ([]job, error) {
	var rows []job
	err := Tx(ctx, func(ctx context.Context) error {
		now, err := s.databaseTime(ctx)
		if err != nil {
			return err
		}
		q := DB(ctx).Where("kind = ? AND state IN ? AND run_at <= ?", kind, []string{jobReady, jobTaken}, now)
		if s.mysql {
			q = q.Clauses(clause.Locking{Strength: "UPDATE", Options: "SKIP LOCKED"})
		}
		if err := q.Order("priority DESC, run_at, id").Limit(n).Find(&rows).Error; err != nil || len(rows) == 0 {
			return err
		}
		ids := make([]string, len(rows))
		for i := range rows {
			rows[i].Attempts++
			ids[i] = rows[i].ID
		}
		return DB(ctx).Model(&job{}).Where("id IN ?", ids).Updates(map[string]any{
			"state": jobTaken, "run_at": now.Add(lease), "attempts": gorm.Expr("attempts + 1"),
		}).Error
	})
	return rows, err
}

// databaseTime is the clock that leases go by: the server's, which all nodes
// share, or with SQLite this machine's.
func (s *Store) databaseTime(ctx context.Context) (time.Time, error) {
	if !s.mysql {
		return hub.Now(), nil
	}
	var now time.Time
	err := DB(ctx).Raw("SELECT UTC_TIMESTAMP(3)").Row().Scan(&now)
	return now, err
}

// settle writes how a claimed job ended, unless another worker has it by now.
func (s *Store) settle(ctx context.Context, j job, state string, wait time.Duration, cause error) error {
	set := map[string]any{"state": state, "last_error": ""}
	if cause != nil {
		set["last_error"] = cut(strings.ToValidUTF8(cause.Error(), "\uFFFD"), 500)
	}
	return Tx(ctx, func(ctx context.Context) error {
		if state == jobReady {
			now, err := s.databaseTime(ctx)
			if err != nil {
				return err
			}
			set["run_at"] = now.Add(wait)
		}
		return DB(ctx).Model(&job{}).Where("id = ? AND attempts = ?", j.ID, j.Attempts).Updates(set).Error
	})
}

// cut bounds a text to n bytes, at a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

// doneLife is how long the key of a finished job stays taken.
const doneLife = 30 * 24 * time.Hour

func purgeJobs(ctx context.Context) error {
	return DB(ctx).Where("state = ? AND updated_at < ?", jobDone, hub.Now().Add(-doneLife)).Delete(&job{}).Error
}
