package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"
)

// Migration is one step of a schema. ID is "<owner>/0001" and is never used
// twice. MySQL commits each DDL statement by itself, so a migration makes one
// change and can run again after it half happened; [CreateTable] is such.
// The structs it names are frozen copies: a model that changes later must not
// change what an old migration did.
type Migration struct {
	ID string
	Up func(*gorm.DB) error
}

// CreateTable is the migration that makes the table of a frozen model.
func CreateTable(id string, model any) Migration {
	return Migration{ID: id, Up: func(db *gorm.DB) error { return db.AutoMigrate(model) }}
}

// migrateWait is how long a node waits for another one that migrates.
const migrateWait = 2 * time.Minute

// Migrate brings the schema up to date: this package's steps, then those given,
// in their order. Nodes that start together take turns.
func (s *Store) Migrate(ctx context.Context, more ...Migration) error {
	ctx, cancel := context.WithTimeout(ctx, migrateWait)
	defer cancel()
	// One connection throughout: a MySQL lock belongs to it.
	return s.write.WithContext(ctx).Connection(func(db *gorm.DB) error {
		if s.mysql {
			db = db.Set("gorm:table_options", "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin")
			var got int
			err := db.Raw("SELECT COALESCE(GET_LOCK(CONCAT(DATABASE(), '.migrate'), ?), 0)", int(migrateWait.Seconds())).Scan(&got).Error
			if err != nil {
				return fmt.Errorf("storage: migrate: %w", err)
			}
			if got != 1 {
				return fmt.Errorf("storage: migrate: another node has been at it for %s", migrateWait)
			}
			defer db.Exec("DO RELEASE_LOCK(CONCAT(DATABASE(), '.migrate'))")
		}
		var steps []*gormigrate.Migration
		for _, m := range append(migrations(), more...) {
			steps = append(steps, &gormigrate.Migration{ID: m.ID, Migrate: m.Up})
		}
		if err := gormigrate.New(db, gormigrate.DefaultOptions, steps).Migrate(); err != nil {
			return fmt.Errorf("storage: migrate: %w", err)
		}
		return nil
	})
}
