package storage

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

const (
	// sqliteReaders is how many read-only connections stand beside the writer.
	sqliteReaders = 4
	// writerCache is the writer's page cache in KiB: the pages at the ends of
	// some thousand rooms' logs. SQLite's own default of 2 MB reads them anew
	// for every message.
	writerCache = 16000
)

// The results by which SQLite refuses what a row holds (sqlite.org/rescode.html).
const (
	sqliteTooBig     = 18
	sqliteConstraint = 19
	sqliteMismatch   = 20
)

// openSQLite opens a file twice: one connection that writes, so that writers
// queue in Go rather than fail with SQLITE_BUSY, and a few that only read. With
// WAL the two do not wait for each other; synchronous=FULL makes a commit
// durable before it is acknowledged.
func (s *Store) openSQLite(path string) error {
	s.path = path
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("storage: %w", err)
	}
	// SQLite would make it readable to everybody: people's words are in it. Its
	// companions (-wal, -shm) take over the file's mode.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("storage: %w", err)
	}
	_ = f.Close()
	writer := fmt.Sprintf("_txlock=immediate&_pragma=temp_store(MEMORY)&_pragma=cache_size(%d)&_pragma=wal_autocheckpoint(%d)", -writerCache, maxLogPages)
	if s.write, err = gorm.Open(sqlite.Open(sqliteDSN(path, writer)), s.config()); err != nil {
		return fmt.Errorf("storage: open %s: %w", path, err)
	}
	if err := limitPool(s.write, 1); err != nil {
		return err
	}
	if s.read, err = gorm.Open(sqlite.Open(sqliteDSN(path, "_pragma=query_only(1)")), s.config()); err != nil {
		return fmt.Errorf("storage: open %s: %w", path, err)
	}
	return limitPool(s.read, sqliteReaders)
}

func sqliteDSN(path, extra string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	return u.String() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&" + extra
}

func limitPool(g *gorm.DB, n int) error {
	db, err := g.DB()
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return nil
}
