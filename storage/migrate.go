package storage

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// Migration is one step of a schema. ID is "<owner>/0001" and is never used
// twice. MySQL commits each DDL statement by itself, so a migration makes one
// change and can run again after it half happened; [CreateTable] is such.
// The structs it names are frozen copies: a model that changes later must not
// change what an old migration did.
type Migration struct {
	ID string
	Up func(*gorm.DB) error

	table string // that it makes, if that is known
}

// CreateTable is the migration that makes the table of a frozen model.
func CreateTable(id string, model any) Migration {
	m := Migration{ID: id, Up: func(db *gorm.DB) error { return db.AutoMigrate(model) }}
	if s, err := schema.Parse(model, &sync.Map{}, schema.NamingStrategy{}); err == nil { // else Up says what is wrong
		m.table = s.Table
	}
	return m
}

// bytewise is the type, in a migration's model, of a text of which every byte
// counts: MySQL's utf8mb4_bin takes no heed of spaces at the end.
type bytewise string

// GormDBDataType names the column's type.
func (bytewise) GormDBDataType(db *gorm.DB, f *schema.Field) string {
	if db.Name() == "mysql" {
		return fmt.Sprintf("varbinary(%d)", f.Size)
	}
	return "text"
}

// migrateWait is how long a node waits for another one that migrates.
const migrateWait = 2 * time.Minute

// Migrate brings the schema up to date: this package's steps, then those given,
// in their order. Nodes that start together take turns. The error names the step.
func (s *Store) Migrate(ctx context.Context, more ...Migration) error {
	ctx, cancel := context.WithTimeout(ctx, migrateWait)
	defer cancel()
	steps := append(migrations(), more...)
	err := checkSteps(steps)
	if err != nil {
		return fmt.Errorf("storage: migrate: %w", err)
	}
	if s.mysql {
		err = s.migrateMySQL(ctx, steps)
	} else {
		// SQLite's DDL rolls back, and a transaction of its writer keeps other
		// processes out.
		err = s.write.WithContext(ctx).Transaction(func(db *gorm.DB) error { return migrate(db, steps) })
	}
	if err != nil {
		return fmt.Errorf("storage: migrate: %w", err)
	}
	return nil
}

func migrate(db *gorm.DB, steps []Migration) error {
	var all []*gormigrate.Migration
	for _, m := range steps {
		all = append(all, &gormigrate.Migration{ID: m.ID, Migrate: func(db *gorm.DB) error {
			if err := m.Up(db); err != nil {
				return fmt.Errorf("%s: %w", m.ID, err)
			}
			return nil
		}})
	}
	return gormigrate.New(db, gormigrate.DefaultOptions, all).Migrate()
}

// migrateLock names the lock for the connection's database: a server may hold
// several. MySQL allows 64 characters.
const migrateLock = "CONCAT('bellhub.', MD5(DATABASE()))"

// lockTry is how many seconds one statement waits for the lock: less than the
// connection's read timeout.
const lockTry = 10

// migrateMySQL holds a lock meanwhile. The lock is its connection's, so
// everything runs on that one.
func (s *Store) migrateMySQL(ctx context.Context, steps []Migration) error {
	return s.write.WithContext(ctx).Connection(func(db *gorm.DB) error {
		// Connection hands over a DB whose statements add up; a session of it
		// starts each one afresh.
		db = db.Set("gorm:table_options", "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin").Session(&gorm.Session{})
		for got := 0; got != 1; {
			if err := db.Raw("SELECT COALESCE(GET_LOCK("+migrateLock+", ?), 0)", lockTry).Scan(&got).Error; err != nil {
				return fmt.Errorf("waiting for another node: %w", err)
			}
		}
		// Also when ctx has ended: the connection goes back to the pool.
		defer db.WithContext(context.WithoutCancel(ctx)).Exec("DO RELEASE_LOCK(" + migrateLock + ")")
		return migrate(db, steps)
	})
}
