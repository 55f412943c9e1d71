package storage_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

// batches notes how many appends each transaction stored.
type batches struct {
	mu    sync.Mutex
	sizes []int
}

func (b *batches) Committed(appends int, _ time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sizes = append(b.sizes, appends)
}

func (*batches) JobRan(string, string, time.Duration) {}

func (b *batches) take() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	sizes := b.sizes
	b.sizes = nil
	return sizes
}

// eachObserved is each, for a store whose transactions are counted.
func eachObserved(t *testing.T, test func(t *testing.T, ctx context.Context, b *batches)) {
	for _, db := range backends {
		t.Run(db.name, func(t *testing.T) {
			b := &batches{}
			s, err := storage.Open(t.Context(), storage.Options{URL: db.address(t), Observer: b})
			ok(t, err)
			t.Cleanup(func() { ok(t, s.Close()) })
			ok(t, s.Migrate(t.Context()))
			test(t, storage.With(t.Context(), s), b)
		})
	}
}

// outcome is what an append came to.
type outcome struct {
	hub.Appended
	err error
}

// together appends all so that they wait at the same time: one more append,
// whose number somebody else is about to take, keeps the committer until all have
// come.
func together(t *testing.T, ctx context.Context, appends ...hub.Append) []outcome {
	t.Helper()
	s := storage.From(ctx)
	_, e := enter(t, ctx)
	held, release := make(chan struct{}), make(chan struct{})
	outcomes := make([]outcome, len(appends))
	var all sync.WaitGroup
	all.Go(func() {
		err := storage.Tx(ctx, func(ctx context.Context) error {
			ok(t, storage.DB(ctx).Exec("INSERT INTO events (room_id, seq, type, author_kind, author_id, author_name, body_hash, text, data, at)"+
				" VALUES (?, 1, '', '', '', '', '', '', '', ?)", e.Room.ID, hub.Now()).Error)
			close(held)
			<-release
			return errChanged
		})
		if !errors.Is(err, errChanged) {
			t.Error(err)
		}
	})
	<-held
	all.Go(func() {
		_, err := s.Append(ctx, hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "first"})
		ok(t, err)
	})
	until(func() bool { return s.Committing() && s.Waiting() == 0 })
	for i, a := range appends {
		all.Go(func() { outcomes[i].Appended, outcomes[i].err = s.Append(ctx, a) })
		until(func() bool { return s.Waiting() == i+1 })
	}
	close(release)
	all.Wait()
	return outcomes
}

var errChanged = errors.New("somebody changed their mind")

// until waits for what other goroutines are about to do.
func until(done func() bool) {
	for !done() {
		runtime.Gosched()
	}
}

func message(e hub.Entry, id, text string) hub.Append {
	return hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: text, ClientID: id, Hash: text}
}

func TestAppendsThatWaitShareATransaction(t *testing.T) {
	eachObserved(t, func(t *testing.T, ctx context.Context, b *batches) {
		s := storage.From(ctx)
		_, one := enter(t, ctx)
		_, other := enter(t, ctx)
		var appends []hub.Append
		for i := range 100 {
			e := one
			if i%4 == 3 {
				e = other
			}
			appends = append(appends, message(e, fmt.Sprint(i), fmt.Sprint("text ", i)))
		}
		appends[7].Jobs = []hub.Job{{Kind: "k", Key: "a"}, {Kind: "k", Key: "b"}}
		appends[8].Jobs = []hub.Job{{Kind: "k", Key: "a"}}
		seqs := map[string]int64{}
		for i, out := range together(t, ctx, appends...) {
			ok(t, out.err)
			room := appends[i].Room
			if seqs[room]++; out.Event.Seq != seqs[room] || out.Room.Seq != seqs[room] || out.Event.Text != appends[i].Text {
				t.Errorf("append %d became %d %q of a room at %d", i, out.Event.Seq, out.Event.Text, out.Room.Seq)
			}
		}
		if got := b.take(); !slices.Equal(got, []int{1, 100}) {
			t.Errorf("transactions of %v appends, want 1 and 100", got)
		}
		for _, e := range []hub.Entry{one, other} {
			r, err := s.Room(ctx, e.Room.ID)
			ok(t, err)
			log, _, err := s.Events(ctx, e.Room.ID, hub.Range{})
			ok(t, err)
			newest := log[len(log)-1]
			if r.Seq != seqs[r.ID] || int64(len(log)) != r.Seq || r.Last.Text != newest.Text || !r.Last.At.Equal(newest.At) {
				t.Errorf("the room %+v does not go with its log of %d, which ends with %+v", r, len(log), newest)
			}
		}
		if n := count(t, ctx, "jobs"); n != 2 {
			t.Errorf("%d jobs, want 2", n)
		}
	})
}

// An append that is refused, or that the database does not take, fails alone.
func TestABadAppendFailsAlone(t *testing.T) {
	eachObserved(t, func(t *testing.T, ctx context.Context, b *batches) {
		s := storage.From(ctx)
		_, e := enter(t, ctx)
		_, gone := enter(t, ctx)
		before, err := s.Append(ctx, message(e, "before", "before"))
		ok(t, err)
		ok(t, second(s.Append(ctx, message(gone, "last", "last"))))
		exec(t, ctx, "UPDATE rooms SET is_open = NULL WHERE id = ?", gone.Room.ID)
		if s.MySQL() {
			ok(t, storage.DB(ctx).Exec("CREATE TRIGGER poison BEFORE INSERT ON events FOR EACH ROW IF NEW.text = 'poison' THEN SIGNAL SQLSTATE '22000'; END IF").Error)
		} else {
			ok(t, storage.DB(ctx).Exec("CREATE TRIGGER poison BEFORE INSERT ON events WHEN NEW.text = 'poison' BEGIN SELECT RAISE(ABORT, 'poison'); END").Error)
		}
		stale := message(e, "stale", "stale")
		stale.Epoch = 7
		for _, tt := range []struct {
			name string
			bad  hub.Append
			want error
		}{
			{"a stale epoch", stale, hub.ErrStaleEpoch},
			{"an unknown room", hub.Append{Room: "nowhere", Type: hub.EventMessage, Author: e.Visitor, Text: "x"}, hub.ErrNotFound},
			{"a closed room", message(gone, "x", "x"), hub.ErrGone},
			{"a client id that was used with another body", message(e, "before", "after"), hub.ErrMismatch},
			{"a row that the database refuses", message(e, "poison", "poison"), hub.ErrUnavailable},
		} {
			r, err := s.Room(ctx, e.Room.ID)
			ok(t, err)
			out := together(t, ctx,
				message(e, tt.name+"1", "good"), tt.bad, message(e, tt.name+"2", "good"), message(e, tt.name+"1", "good"))
			if !errors.Is(out[1].err, tt.want) {
				t.Errorf("%s: %v", tt.name, out[1].err)
			}
			for i, seq := range map[int]int64{0: 1, 2: 2, 3: 1} {
				if out[i].err != nil || out[i].Event.Seq != r.Seq+seq || out[i].Again != (i == 3) {
					t.Errorf("%s: append %d came to %+v, %v", tt.name, i, out[i].Appended, out[i].err)
				}
			}
		}
		// Those who say again what was stored are answered with it, even where
		// the room has ended.
		out := together(t, ctx, message(e, "before", "before"), message(gone, "last", "last"))
		if out[0].err != nil || !out[0].Again || out[0].Event.Seq != before.Event.Seq || out[1].err != nil || !out[1].Again {
			t.Errorf("said again: %+v", out)
		}
		if got := slices.Max(b.take()); got < 2 {
			t.Errorf("no transaction held more than %d appends", got)
		}
	})
}

func second[A any](_ A, err error) error { return err }

// An append with writes of its own keeps nobody waiting but its own room.
func TestWithinStandsApart(t *testing.T) {
	s := open(t, hubtest.MariaDB(t)) // SQLite has one writer: there, all wait
	ok(t, s.Migrate(t.Context()))
	ctx := storage.With(t.Context(), s)
	_, e := enter(t, ctx)
	_, other := enter(t, ctx)
	held, release := make(chan struct{}), make(chan struct{})
	bell := message(e, "bell", "bell")
	bell.Within = func(context.Context, *hub.Append) error {
		close(held)
		<-release
		return nil
	}
	rung := make(chan error, 1)
	go func() { rung <- second(s.Append(ctx, bell)) }()
	<-held
	behind := make(chan outcome, 3)
	for i := range cap(behind) { // of the held room: they wait, and nobody for them
		go func() {
			out, err := s.Append(ctx, message(e, fmt.Sprint(i), "behind"))
			behind <- outcome{out, err}
		}()
		until(func() bool { return s.SetAside(e.Room.ID) })
		if out, err := s.Append(ctx, message(other, fmt.Sprint(i), "a")); err != nil || out.Event.Seq != int64(i+1) {
			t.Errorf("another room: %+v, %v", out, err)
		}
	}
	if len(behind) > 0 {
		t.Error("an append went past the one that holds its room")
	}
	close(release)
	ok(t, <-rung)
	for range cap(behind) {
		if out := <-behind; out.err != nil || out.Event.Seq < 2 {
			t.Errorf("behind the bell: %+v", out)
		}
	}
}

// Nobody waits for a room of another's, however few there are: to write a handful
// of rows an optimizer may read, and lock, the whole table.
func TestABatchLocksItsRoomsAlone(t *testing.T) {
	s := open(t, hubtest.MariaDB(t))
	ok(t, s.Migrate(t.Context()))
	ctx := storage.With(t.Context(), s)
	_, held := enter(t, ctx)
	var others []hub.Entry
	for range 39 {
		_, e := enter(t, ctx)
		others = append(others, e)
	}
	err := storage.Tx(ctx, func(tx context.Context) error {
		ok(t, storage.DB(tx).Exec("UPDATE rooms SET holder_name = 'x' WHERE id = ?", held.Room.ID).Error)
		soon, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		var all sync.WaitGroup
		for i := range 3 * len(others) {
			all.Go(func() {
				if _, err := s.Append(soon, message(others[i%len(others)], fmt.Sprint(i), "a")); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		return nil
	})
	ok(t, err)
}

// Texts that are too long for one statement together are not one batch.
func TestLongTextsShareNoStatement(t *testing.T) {
	eachObserved(t, func(t *testing.T, ctx context.Context, b *batches) {
		_, e := enter(t, ctx)
		var appends []hub.Append
		for i := range 256 { // 20 MB; MariaDB takes 16
			appends = append(appends, message(e, fmt.Sprint(i), strings.Repeat("x", 80_000)))
			appends[i].Hash = ""
		}
		for _, out := range together(t, ctx, appends...) {
			ok(t, out.err)
		}
		if sizes := b.take(); slices.Max(sizes) > 20 || len(sizes) < 15 {
			t.Errorf("transactions of %v appends", sizes)
		}
	})
}

// Several processes append to the same rooms of one database: each number is
// given once, and each client id.
func TestSeveralProcessesOnOneDatabase(t *testing.T) {
	address := hubtest.MariaDB(t)
	var stores []*storage.Store
	for range 3 {
		stores = append(stores, open(t, address))
	}
	ok(t, stores[0].Migrate(t.Context()))
	ctx := storage.With(t.Context(), stores[0])
	var rooms []hub.Entry
	for range 4 {
		_, e := enter(t, ctx)
		rooms = append(rooms, e)
	}
	const each = 40 // appends of a process to a room
	var mu sync.Mutex
	acked := map[string]map[int64]string{}
	for _, e := range rooms {
		acked[e.Room.ID] = map[int64]string{}
	}
	var all sync.WaitGroup
	for p, s := range stores {
		for i := range each {
			for _, e := range rooms {
				id := fmt.Sprint(p, "-", i)
				if i%5 == 0 {
					id = fmt.Sprint("shared-", i) // all processes are told the same
				}
				all.Go(func() {
					out, err := s.Append(ctx, message(e, id, id))
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					if had, given := acked[e.Room.ID][out.Event.Seq]; given && had != id {
						t.Errorf("%q and %q were both given %d", had, id, out.Event.Seq)
					}
					acked[e.Room.ID][out.Event.Seq] = id
				})
			}
		}
	}
	all.Wait()
	for _, e := range rooms {
		log, more, err := stores[0].Events(ctx, e.Room.ID, hub.Range{Limit: hub.MaxPage})
		if want := 3*each - 2*each/5; err != nil || more || len(log) != want || len(acked[e.Room.ID]) != want {
			t.Fatalf("%d events, %d acknowledged, want %d; %v", len(log), len(acked[e.Room.ID]), want, err)
		}
		for i, event := range log {
			if event.Seq != int64(i+1) || acked[e.Room.ID][event.Seq] != event.Text {
				t.Errorf("event %d is %q, %q was acknowledged", event.Seq, event.Text, acked[e.Room.ID][event.Seq])
			}
		}
	}
}

func TestAppendAfterClose(t *testing.T) {
	s, err := storage.Open(t.Context(), storage.Options{URL: filepath.Join(t.TempDir(), "bellhub.db")})
	ok(t, err)
	ok(t, s.Migrate(t.Context()))
	ctx := storage.With(t.Context(), s)
	_, e := enter(t, ctx)
	ok(t, s.Close())
	if _, err := s.Append(ctx, message(e, "a", "a")); !errors.Is(err, hub.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
}
