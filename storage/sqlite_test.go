package storage_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// A path is a path, whatever its characters would mean in a URI.
func TestSQLitePath(t *testing.T) {
	for _, name := range []string{
		"plain.db", "with space.db", "what?.db", "100%.db", "%41.db", "a#b.db", "a&b=c.db", "file:x.db", "ünï😀.db", "'quote\".db", "a:b;c.db", "deep/er/x.db",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			s := open(t, path)
			ok(t, s.Migrate(t.Context()))
			enter(t, storage.With(t.Context(), s))
			if got, err := os.Stat(path); err != nil || got.Size() == 0 {
				t.Fatalf("nothing is there: %v", err)
			} else if got.Mode().Perm() != 0o600 {
				t.Errorf("its mode is %v: others may read it", got.Mode())
			}
			if all, err := os.ReadDir(filepath.Dir(path)); err != nil || len(all) > 3 {
				t.Errorf("beside it: %v, %v", all, err) // -wal and -shm
			}
		})
	}
}

func TestSQLiteRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{"data/bellhub.db", "./data/./other.db", "bellhub.db"} {
		s := open(t, path)
		ok(t, s.Migrate(t.Context()))
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestSQLiteRefuses(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "garbage")
	ok(t, os.WriteFile(garbage, []byte(strings.Repeat("this is no database ", 100)), 0o600))
	for _, path := range []string{garbage, t.TempDir(), "/dev/null/x.db", ""} {
		if s, err := storage.Open(t.Context(), storage.Options{URL: path}); err == nil {
			t.Errorf("%q was opened", path)
			_ = s.Close()
		}
	}
}

// Every connection of both pools is set up: durable commits, patience with
// other processes, and readers that cannot write.
func TestSQLitePragmas(t *testing.T) {
	s := open(t, sqliteFile(t))
	ok(t, s.Migrate(t.Context()))
	ctx := storage.With(t.Context(), s)
	check := func(name string, handle func(context.Context) *gorm.DB, n int, queryOnly string) {
		var held, all sync.WaitGroup
		held.Add(n)
		for range n {
			all.Go(func() {
				err := handle(ctx).Connection(func(db *gorm.DB) error {
					held.Done()
					held.Wait() // all of the pool's at once
					db = db.Session(&gorm.Session{NewDB: true})
					for pragma, want := range map[string]string{
						"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000", "foreign_keys": "1", "query_only": queryOnly,
					} {
						var got string
						if err := db.Raw("PRAGMA " + pragma).Scan(&got).Error; err != nil || got != want {
							t.Errorf("%s: %s is %q, %v; want %s", name, pragma, got, err, want)
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	check("writer", storage.DB, 1, "0")
	check("readers", storage.Read, 4, "1")
	if err := storage.Read(ctx).Exec("DELETE FROM domains").Error; err == nil {
		t.Error("a reader may write")
	}
}

// Row 72: a full disk is a fault that passes, and nothing is half written.
func TestSQLiteFull(t *testing.T) {
	s := open(t, sqliteFile(t))
	ok(t, s.Migrate(t.Context()))
	ctx := storage.With(t.Context(), s)
	_, e := enter(t, ctx)
	say := func() error {
		_, err := s.Append(ctx, hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: strings.Repeat("x", 16000)})
		return err
	}
	ok(t, say())
	var pages int
	ok(t, storage.DB(ctx).Raw("PRAGMA page_count").Scan(&pages).Error)
	ok(t, storage.DB(ctx).Exec("PRAGMA max_page_count = "+strconv.Itoa(pages+2)).Error)
	err := say()
	var public *hub.Error
	if !errors.As(err, &public) || public.Code != hub.CodeUnavailable || !public.Retryable() {
		t.Errorf("a full disk: %v", err)
	}
	if r, err := s.Room(ctx, e.Room.ID); err != nil || r.Seq != 1 {
		t.Errorf("the room is at %d, %v", r.Seq, err)
	}
	ok(t, storage.DB(ctx).Exec("PRAGMA max_page_count = 1000000").Error)
	ok(t, say())
}
