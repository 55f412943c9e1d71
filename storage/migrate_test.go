package storage_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

type notes0001 struct {
	ID   string `gorm:"type:char(36);primaryKey"`
	Text string `gorm:"size:100;not null;index"`
}

func (notes0001) TableName() string { return "example_notes" }

// Nodes that start together take turns, and each step runs once.
func TestMigrateTogether(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			address := b.address(t)
			var runs atomic.Int32
			steps := []storage.Migration{
				storage.CreateTable("example/0001", &notes0001{}),
				{ID: "example/0002", Up: func(db *gorm.DB) error {
					runs.Add(1)
					return db.Exec("INSERT INTO example_notes (id, text) VALUES ('1', 'once')").Error
				}},
			}
			nodes := []*storage.Store{open(t, address), open(t, address), open(t, address)}
			done := make(chan error)
			for _, s := range nodes {
				go func() { done <- s.Migrate(t.Context(), steps...) }()
			}
			for range nodes {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			ok(t, nodes[0].Migrate(t.Context(), steps...)) // and later again
			if runs.Load() != 1 || count(t, storage.With(t.Context(), nodes[1]), "example_notes") != 1 {
				t.Errorf("a step ran %d times", runs.Load())
			}
		})
	}
}

// A step that fails is no step done, and keeps nobody out.
func TestMigrateFails(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			address := b.address(t)
			broken := errors.New("broken")
			failing := storage.Migration{ID: "example/0001", Up: func(*gorm.DB) error { return broken }}
			if err := open(t, address).Migrate(t.Context(), failing); !errors.Is(err, broken) {
				t.Errorf("Migrate: %v", err)
			}
			s := open(t, address)
			ok(t, s.Migrate(t.Context(), storage.CreateTable("example/0001", &notes0001{})))
			if n := count(t, storage.With(t.Context(), s), "example_notes"); n != 0 {
				t.Errorf("%d notes", n)
			}
		})
	}
}

// MySQL cannot roll DDL back: a step that was cut off runs again over what it
// left, and over rows.
func TestMigrationsRepeat(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		enter(t, ctx)
		exec(t, ctx, "DELETE FROM migrations")
		ok(t, storage.From(ctx).Migrate(ctx))
		if n := count(t, ctx, "migrations"); int(n) != len(storage.Migrations()) {
			t.Errorf("%d steps done, want %d", n, len(storage.Migrations()))
		}
		if n := count(t, ctx, "rooms"); n != 1 {
			t.Errorf("%d rooms, want 1", n)
		}
	})
}

func TestMigrationIDs(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range storage.Migrations() {
		if !strings.HasPrefix(m.ID, "storage/") || seen[m.ID] {
			t.Errorf("migration id %q", m.ID)
		}
		seen[m.ID] = true
	}
}

// Every text of ours is compared by its code points, in every character there
// is, whatever the server's default.
func TestMySQLTables(t *testing.T) {
	s := open(t, hubtest.MariaDB(t))
	ok(t, s.Migrate(t.Context(), storage.CreateTable("example/0001", &notes0001{})))
	var columns []struct{ Place, Collation, Type string }
	ok(t, storage.Read(storage.With(t.Context(), s)).Raw(`
		SELECT CONCAT(table_name, '.', column_name) AS place, COALESCE(collation_name, '') AS collation, column_type AS type
		FROM information_schema.columns WHERE table_schema = DATABASE()`).Scan(&columns).Error)
	if len(columns) < 50 {
		t.Errorf("only %d columns", len(columns))
	}
	for _, c := range columns {
		if c.Collation != "" && c.Collation != "utf8mb4_bin" {
			t.Errorf("%s is %s", c.Place, c.Collation)
		}
		if strings.HasPrefix(c.Type, "datetime") && c.Type != "datetime(3)" {
			t.Errorf("%s is %s", c.Place, c.Type)
		}
	}
}
