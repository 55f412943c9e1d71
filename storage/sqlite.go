package storage

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

// sqliteReaders is how many read-only connections stand beside the writer.
const sqliteReaders = 4

// openSQLite opens a file twice: one connection that writes, so that writers
// queue in Go rather than fail with SQLITE_BUSY, and a few that only read. With
// WAL the two do not wait for each other; synchronous=FULL makes a commit
// durable before it is acknowledged.
func (s *Store) openSQLite(path string) error {
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
	if s.write, err = gorm.Open(sqlite.Open(sqliteDSN(path, "_txlock=immediate&_pragma=temp_store(2)&_pragma=cache_size(-16000)&_pragma=wal_autocheckpoint(8000)")), s.config()); err != nil {
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
