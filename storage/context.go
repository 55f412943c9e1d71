package storage

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"
)

type storeKey struct{}

type txKey struct{}

// tx is a transaction under way and what is to happen once it has committed.
type tx struct {
	db    *gorm.DB
	after []func()
}

// With returns a context that carries s: what [DB], [Read], [Tx] and every
// query of this package work on.
func With(ctx context.Context, s *Store) context.Context {
	return context.WithValue(ctx, storeKey{}, s)
}

// From returns the store that ctx carries. It panics where there is none: a
// context that was not made from the program's own is a programmer's error.
func From(ctx context.Context) *Store {
	s, ok := ctx.Value(storeKey{}).(*Store)
	if !ok {
		panic("storage: the context carries no store")
	}
	return s
}

// DB returns the handle to write with: the transaction if ctx carries one, else
// the writer.
func DB(ctx context.Context) *gorm.DB {
	if t, ok := ctx.Value(txKey{}).(*tx); ok {
		return t.db.WithContext(ctx)
	}
	return From(ctx).write.WithContext(ctx)
}

// Read returns the handle to read with: the transaction if ctx carries one,
// else the readers.
func Read(ctx context.Context) *gorm.DB {
	if t, ok := ctx.Value(txKey{}).(*tx); ok {
		return t.db.WithContext(ctx)
	}
	return From(ctx).read.WithContext(ctx)
}

// inTx tells whether ctx carries a transaction.
func inTx(ctx context.Context) bool {
	_, ok := ctx.Value(txKey{}).(*tx)
	return ok
}

// txRetries is how often a transaction that lost a deadlock or waited too long
// for a lock is tried again.
const txRetries = 3

// txTimeout bounds one transaction, waiting for its connection included.
const txTimeout = 10 * time.Second

// Tx runs fn in a transaction that the context handed to fn carries; within one
// already, fn joins it. Deadlocks and lock timeouts roll back and run fn again,
// so fn must be repeatable: nothing in it may reach beyond the database.
func Tx(ctx context.Context, fn func(context.Context) error) error {
	if inTx(ctx) {
		return fn(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	s := From(ctx)
	var opts *sql.TxOptions
	if s.mysql {
		// Readers of a row that others lock see the last commit; no gap locks.
		opts = &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	for try := 0; ; try++ {
		t := &tx{}
		err := s.write.WithContext(ctx).Transaction(func(db *gorm.DB) error {
			t.db = db
			return fn(context.WithValue(ctx, txKey{}, t))
		}, opts)
		if err == nil {
			for _, f := range t.after {
				f()
			}
			return nil
		}
		if !conflict(err) || try == txRetries {
			return err
		}
		pause := time.Duration(1+rand.IntN(10<<try)) * time.Millisecond
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// afterCommit runs f once the transaction that ctx carries has committed, or at
// once where there is none.
func afterCommit(ctx context.Context, f func()) {
	if t, ok := ctx.Value(txKey{}).(*tx); ok {
		t.after = append(t.after, f)
		return
	}
	f()
}
