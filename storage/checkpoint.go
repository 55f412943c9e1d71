package storage

import (
	"context"
	"database/sql"
	"time"
)

const (
	// checkpointEvery is how often the log is copied into the database beside
	// the writer. More often costs more flushes than it saves; less often, more
	// is left for a commit to do.
	checkpointEvery = 500 * time.Millisecond
	// maxLogPages bounds SQLite's write-ahead log, to 64 MB: a commit that
	// passes it copies what is left, and the log begins anew. That has to be a
	// commit's work, since only between commits is nothing added.
	maxLogPages = 16000
)

// checkpoint copies SQLite's write-ahead log into the database now and then,
// until the store is closed. Left to SQLite, every thousandth page is paid for by
// whoever commits then: some 10 ms that all who wait behind can feel.
// db is the readers' pool: the statement is no query of anybody's.
func (s *Store) checkpoint(db *sql.DB) {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.quit:
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), txTimeout)
		if _, err := db.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
			s.log.Warn("storage: checkpoint", "err", err)
		}
		cancel()
	}
}
