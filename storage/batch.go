package storage

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub"
)

// batch is appends that share a transaction.
type batch []*entry

// manner is how a batch is written.
type manner struct {
	// wary looks client ids up beforehand. Without, a known one breaks the
	// index and with it the whole batch, or is errLookUp.
	wary bool
	// skip gives appends to rooms that another transaction holds back, with
	// errHeld, instead of waiting for it. MySQL alone has such rooms.
	skip bool
}

var (
	errLookUp = errors.New("storage: client ids must be looked up")
	errHeld   = errors.New("storage: another transaction holds the room")
)

// commit runs the transaction, and tells the observer how many appends it stored.
func (b batch) commit(ctx context.Context, how manner) error {
	began := time.Now()
	err := Tx(ctx, func(ctx context.Context) error { return b.write(ctx, how) })
	stored := 0
	for _, e := range b {
		if e.err == nil && !e.out.Again {
			stored++
		}
	}
	if err == nil && stored > 0 {
		From(ctx).observer.Committed(stored, time.Since(began))
	}
	return err
}

// write is the transaction: the rooms' rows are locked, in order of their ids so
// that no two processes wait for each other in a ring; the log's rule is applied
// to each append in memory; events, jobs and the rooms' new states are written.
// It may run more than once.
//
// An append that is refused writes nothing and leaves the others alone, unless
// its Within may have written already.
func (b batch) write(ctx context.Context, how manner) error {
	rows, err := b.lock(ctx, how.skip)
	if err != nil {
		return err
	}
	var known map[clientKey]event
	if how.wary {
		if known, err = b.known(ctx); err != nil {
			return err
		}
	}
	now := hub.Now()
	var events []event
	var jobs []job
	changed := map[*room]bool{} // and whether more than its newest message did
	fresh := make(map[clientKey]*entry, len(b))
	for _, e := range b {
		e.out, e.err = hub.Appended{}, nil
		row := rows[e.Room]
		if row == nil {
			if e.err = hub.ErrNotFound; how.skip {
				e.err = errHeld // or so it may be
			}
			continue
		}
		key := keyOf(e.Append)
		if first, ok := fresh[key]; ok && key.client != "" {
			e.again(first.Hash, first.out.Event, row)
			continue
		}
		if first, ok := known[key]; ok && key.client != "" {
			e.again(first.BodyHash, first.hub(), row)
			continue
		}
		before := row.hub()
		a := e.Append
		a.Jobs = slices.Clone(a.Jobs)
		switch {
		case row.Open == nil:
			e.err = hub.ErrGone
		case a.Within != nil:
			if err := a.Within(ctx, &a); err != nil {
				return err
			}
			fallthrough
		default:
			e.out.Room, e.out.Event, e.err = before.Next(a, now)
		}
		if e.err != nil {
			e.out = hub.Appended{}
			switch {
			case a.Within != nil:
				return e.err
			case e.ClientID != "" && !how.wary:
				return errLookUp // what is refused now may have been stored before
			}
			continue
		}
		events = append(events, newEvent(e.out.Event, a))
		jobs = append(jobs, newJobs(a.Jobs, e.Room, e.out.Event.Seq)...)
		row.set(e.out.Room)
		changed[row] = changed[row] || !saidOnly(before, e.out.Room)
		fresh[key] = e
	}
	if err := insertEvents(ctx, events); err != nil {
		return err
	}
	if err := insertJobs(ctx, jobs); err != nil {
		return err
	}
	return updateRooms(ctx, changed)
}

// saidOnly tells whether nothing but a message came between two states of a room.
func saidOnly(before, after hub.Room) bool {
	before.Seq, before.Last = after.Seq, after.Last
	return before == after
}

// again answers for an append whose client id is known.
func (e *entry) again(hash string, first hub.Event, row *room) {
	if hash != e.Hash {
		e.err = hub.ErrMismatch
		return
	}
	e.out = hub.Appended{Event: first, Room: row.hub(), Again: true}
}

// lock reads the batch's rooms and holds them until the transaction ends.
// SQLite has one writer, which is lock enough.
func (b batch) lock(ctx context.Context, skip bool) (map[string]*room, error) {
	ids := make([]string, 0, len(b))
	for _, e := range b {
		ids = append(ids, e.Room)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	rows := make(map[string]*room, len(ids))
	for part := range slices.Chunk(ids, From(ctx).rowsAtOnce()) {
		if err := lockRooms(ctx, part, skip, rows); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func lockRooms(ctx context.Context, ids []string, skip bool, into map[string]*room) error {
	forUpdate := " FOR UPDATE"
	if skip {
		forUpdate += " SKIP LOCKED"
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	found, err := pool(ctx).QueryContext(ctx, "SELECT id, domain_id, ref, visitor_id, is_open, mode, holder_id, holder_name, epoch, seq,"+
		" escalation_id, escalation_state, last_text, last_kind, last_at, created_at FROM rooms WHERE id IN ("+
		tuples("?", len(ids))+") ORDER BY id"+From(ctx).dialect("", forUpdate), args...)
	if err != nil {
		return translate(ctx, err)
	}
	defer found.Close()
	for found.Next() {
		r := &room{}
		err := found.Scan(&r.ID, &r.DomainID, &r.Ref, &r.VisitorID, &r.Open, &r.Mode, &r.HolderID, &r.HolderName, &r.Epoch, &r.Seq,
			&r.EscalationID, &r.EscalationState, &r.LastText, &r.LastKind, &r.LastAt, &r.CreatedAt)
		if err != nil {
			return err
		}
		into[r.ID] = r
	}
	return translate(ctx, found.Err())
}

// clientKey is what a client id is unique in.
type clientKey struct {
	room   string
	kind   hub.Kind
	author string
	client string
}

func keyOf(a hub.Append) clientKey {
	return clientKey{a.Room, a.Author.Kind, a.Author.ID, a.ClientID}
}

// known finds the events that the batch's client ids made already.
func (b batch) known(ctx context.Context) (map[clientKey]event, error) {
	var keys [][]any
	for _, e := range b {
		if e.ClientID != "" {
			keys = append(keys, []any{e.Room, string(e.Author.Kind), e.Author.ID, e.ClientID})
		}
	}
	out := map[clientKey]event{}
	for part := range slices.Chunk(keys, From(ctx).rowsAtOnce()) {
		var found []event
		err := DB(ctx).Where("(room_id, author_kind, author_id, client_id) IN ?", part).Find(&found).Error
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			out[clientKey{e.RoomID, hub.Kind(e.AuthorKind), e.AuthorID, *e.ClientID}] = e
		}
	}
	return out, nil
}

// The statements of a batch are written out and go past GORM's reflection: this
// is the one place where the cost of a row is the cost of a message.

// pool is the connection that ctx's transaction is on.
func pool(ctx context.Context) gorm.ConnPool { return DB(ctx).Statement.ConnPool }

func exec(ctx context.Context, statement string, args ...any) error {
	_, err := pool(ctx).ExecContext(ctx, statement, args...)
	return translate(ctx, err)
}

// translate turns what the driver says into GORM's errors, where it has one.
func translate(ctx context.Context, err error) error {
	if t, ok := DB(ctx).Dialector.(gorm.ErrorTranslator); ok && err != nil {
		return t.Translate(err)
	}
	return err
}

// insertEvents writes events, several with each statement.
func insertEvents(ctx context.Context, events []event) error {
	s := From(ctx)
	for part := range slices.Chunk(events, s.rowsAtOnce()) {
		args := make([]any, 0, 11*len(part))
		for i := range part {
			e := &part[i]
			args = append(args, e.RoomID, e.Seq, e.Type, e.AuthorKind, e.AuthorID, e.AuthorName, e.ClientID, e.BodyHash, e.Text, e.Data, e.At)
		}
		// OR FAIL: the batch is rolled back as a whole, so SQLite need not
		// note how to undo the statement alone.
		err := exec(ctx, s.dialect("INSERT OR FAIL INTO", "INSERT INTO")+
			" events (room_id, seq, type, author_kind, author_id, author_name, client_id, body_hash, text, data, at) VALUES "+
			tuples("(?,?,?,?,?,?,?,?,?,?,?)", len(part)), args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// updateRooms writes the rooms' new states: of most only the number and the
// newest message, in few statements.
func updateRooms(ctx context.Context, changed map[*room]bool) error {
	rows := slices.SortedFunc(maps.Keys(changed), func(a, b *room) int { return strings.Compare(a.ID, b.ID) })
	var said []*room
	for _, r := range rows {
		if !changed[r] {
			said = append(said, r)
			continue
		}
		if err := DB(ctx).Select("*").Omit("created_at").Updates(r).Error; err != nil {
			return err
		}
	}
	s := From(ctx)
	for part := range slices.Chunk(said, s.rowsAtOnce()) {
		args := make([]any, 0, 5*len(part))
		for _, r := range part {
			args = append(args, r.ID, r.Seq, r.LastText, r.LastKind, r.LastAt)
		}
		values := "(SELECT ? AS id, ? AS seq, ? AS last_text, ? AS last_kind, ? AS last_at" +
			strings.Repeat(" UNION ALL SELECT ?,?,?,?,?", len(part)-1) + ") AS n"
		err := exec(ctx, s.dialect(
			"UPDATE OR FAIL rooms SET seq = n.seq, last_text = n.last_text, last_kind = n.last_kind, last_at = n.last_at FROM "+values+" WHERE rooms.id = n.id",
			// In this order, by this index: otherwise the optimizer may read, and
			// lock, every room of a small table.
			"UPDATE "+values+" STRAIGHT_JOIN rooms FORCE INDEX (PRIMARY) ON rooms.id = n.id SET rooms.seq = n.seq, rooms.last_text = n.last_text, rooms.last_kind = n.last_kind, rooms.last_at = n.last_at",
		), args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// tuples repeats a row's placeholders.
func tuples(row string, n int) string { return row + strings.Repeat(","+row, n-1) }

// dialect picks a statement.
func (s *Store) dialect(sqlite, mysql string) string {
	if s.mysql {
		return mysql
	}
	return sqlite
}

// rowsAtOnce is how many rows a statement takes. MySQL pays a round trip for
// each statement. The SQLite driver compiles each statement anew, and searches
// all its arguments for each of them: 32 rows are its cheapest (measured).
func (s *Store) rowsAtOnce() int {
	if s.mysql {
		return maxBatch
	}
	return 32
}
