package storage_test

import (
	"context"
	"errors"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

// The three handles inside a transaction are the transaction: on SQLite, whose
// writer is one connection, another would wait for ever.
func TestTxHandles(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		broken := errors.New("broken")
		err := storage.Tx(ctx, func(ctx context.Context) error {
			d, e := enter(t, ctx) // Tx within Tx
			if _, err := storage.DomainByID(ctx, d.ID); err != nil {
				t.Errorf("Read does not see what was written: %v", err)
			}
			if err := storage.SaveSettings(ctx, d.ID, "p", 1); err != nil {
				t.Error(err)
			}
			said, err := storage.From(ctx).Append(ctx, hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "x"})
			if err != nil || said.Event.Seq != 1 {
				t.Errorf("Append: %v", err)
			}
			return broken
		})
		if !errors.Is(err, broken) {
			t.Errorf("Tx: %v", err)
		}
		for _, table := range []string{"domains", "rooms", "events", "settings"} {
			if n := count(t, ctx, table); n != 0 {
				t.Errorf("%d rows of %s were rolled back", n, table)
			}
		}
	})
}

func TestTxPanics(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is lost")
				}
			}()
			_ = storage.Tx(ctx, func(ctx context.Context) error {
				_, _ = storage.AddDomain(ctx, storage.Domain{Name: "x"})
				panic("ouch")
			})
		}()
		enter(t, ctx) // the writer is free again
		if n := count(t, ctx, "domains"); n != 1 {
			t.Errorf("%d domains, want 1", n)
		}
	})
}

// Row 73: a real deadlock. Both transactions hold what the other one wants; one
// is rolled back, and runs again.
func TestTxDeadlock(t *testing.T) {
	s := open(t, hubtest.MariaDB(t))
	ok(t, s.Migrate(t.Context()))
	ctx := storage.With(t.Context(), s)
	a, _ := enter(t, ctx)
	b, _ := enter(t, ctx)
	barrier := make(chan struct{})
	tries := make(chan int, 2)
	cross := func(first, second storage.Domain) {
		n := 0
		err := storage.Tx(ctx, func(ctx context.Context) error {
			n++
			if err := storage.DB(ctx).Exec("UPDATE domains SET name = CONCAT(name, '+') WHERE id = ?", first.ID).Error; err != nil {
				return err
			}
			if n == 1 { // until both hold their first
				select {
				case barrier <- struct{}{}:
				case <-barrier:
				}
			}
			return storage.DB(ctx).Exec("UPDATE domains SET name = CONCAT(name, '+') WHERE id = ?", second.ID).Error
		})
		if err != nil {
			t.Errorf("after %d tries: %v", n, err)
		}
		tries <- n
	}
	go cross(a, b)
	cross(b, a)
	if n := <-tries + <-tries; n != 3 {
		t.Errorf("the two took %d tries, want 3", n)
	}
	for _, d := range []storage.Domain{a, b} {
		if got, err := storage.DomainByID(ctx, d.ID); err != nil || got.Name != d.Name+"++" {
			t.Errorf("%q, %v: want each to have been there once", got.Name, err)
		}
	}
}

// What an append does within is repeated with it, and its writes are not.
func TestAppendRetries(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		s := storage.From(ctx)
		d, e := enter(t, ctx)
		deadlock := &driver.MySQLError{Number: 1213, Message: "Deadlock found"}
		runs := 0
		a := hub.Append{
			Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "x", ClientID: "c", Hash: "h",
			Within: func(ctx context.Context, a *hub.Append) error {
				runs++
				a.Jobs = append(a.Jobs, hub.Job{Kind: "k", Key: "a"})
				if err := storage.AddKnowledge(ctx, d.ID, storage.Knowledge{Title: "x"}); err != nil {
					return err
				}
				if runs < 3 {
					return deadlock
				}
				if len(a.Jobs) != 1 {
					t.Errorf("run %d began with the jobs of another", runs)
				}
				return nil
			},
		}
		got, err := s.Append(ctx, a)
		if err != nil || got.Event.Seq != 1 || runs != 3 {
			t.Errorf("%+v, %v after %d runs", got, err, runs)
		}
		if n := count(t, ctx, "knowledge"); n != 1 {
			t.Errorf("%d rows within, want 1", n)
		}
		a.ClientID, a.Within = "d", func(context.Context, *hub.Append) error { runs++; return deadlock }
		runs = 0
		if _, err := s.Append(ctx, a); !errors.Is(err, hub.ErrUnavailable) || runs != 4 {
			t.Errorf("a deadlock that stays: %v after %d runs, want 4", err, runs)
		}
	})
}
