package storage

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/glebarez/go-sqlite"
	driver "github.com/go-sql-driver/mysql"

	"github.com/bellhub/bellhub/hub"
)

const (
	// maxBatch bounds the appends that share a transaction. At 256 the share of
	// each in the disk's flush is a fraction of what its rows cost.
	maxBatch = 256
	// maxBatchBytes bounds what they say, far below the 16 MB that MySQL takes in
	// one statement as it is set up.
	maxBatchBytes = 1 << 20
	// maxWaiting bounds the appends that wait for the committer. What comes
	// beyond waits at the door.
	maxWaiting = 4096
	// patience is how long an append waits for its turn. One that is not taken
	// by then has certainly not been stored.
	patience = 10 * time.Second
)

// committer is the group commit of the rooms' logs: one goroutine that takes
// whatever waits, commits it in one transaction, and tells each append what it
// came to. There is no timer: an append that is alone is committed at once, and
// those that come meanwhile are the next batch.
//
// It never waits for a room: appends to one that another transaction holds, an
// append's own (Within) or another process's, are set aside, and committed by a
// goroutine of that room once it is free.
type committer struct {
	store   *Store
	queue   chan *entry
	stop    chan struct{}
	stopped chan struct{}
	busy    atomic.Bool // a batch is being committed

	// wary is above 0 while client ids come that were stored before, as they do
	// after a restart: batches then look all of them up, instead of being
	// rolled back for the first one.
	wary int

	mu    sync.Mutex
	aside map[string]batch // by room; a key has a goroutine in waits
	waits sync.WaitGroup
}

// waryBatches is for how many batches the committer looks client ids up after
// it has met a known one.
const waryBatches = 64

// entry is an append on its way through the committer.
type entry struct {
	hub.Append
	ctx   context.Context // of who waits
	since time.Time
	out   hub.Appended
	err   error
	done  chan struct{}
}

// size is about how many bytes the append brings to a statement.
func (e *entry) size() int { return len(e.Text) + len(e.Data) }

// stale tells whether nobody waits for the append any more, or too long already.
func (e *entry) stale() bool { return e.ctx.Err() != nil || time.Since(e.since) > patience }

func newCommitter(s *Store) *committer {
	c := &committer{
		store: s, queue: make(chan *entry, maxWaiting),
		stop: make(chan struct{}), stopped: make(chan struct{}), aside: map[string]batch{},
	}
	go c.run()
	return c
}

// close ends the goroutines, after the batches they are at.
func (c *committer) close() {
	close(c.stop)
	<-c.stopped
}

var (
	errClosed = errors.New("storage: closed")
	errBusy   = errors.New("storage: the database does not keep up")
)

// append hands a to the committer and waits for what it came to, which takes at
// most its patience, the batch under way, and its own. Where ctx ends first that
// is not known: whoever asks again with the same client id is told.
func (c *committer) append(ctx context.Context, a hub.Append) (hub.Appended, error) {
	e := &entry{Append: a, ctx: ctx, since: time.Now(), done: make(chan struct{})}
	select {
	case c.queue <- e:
	default:
		if err := c.door(e); err != nil {
			return hub.Appended{}, err
		}
	}
	select {
	case <-e.done:
		return e.out, e.err
	case <-ctx.Done():
		return hub.Appended{}, ctx.Err()
	case <-c.stopped:
	}
	select {
	case <-e.done: // by the last batch
		return e.out, e.err
	default:
		return hub.Appended{}, errClosed
	}
}

// door waits until there is a place in the queue.
func (c *committer) door(e *entry) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case c.queue <- e:
		return nil
	case <-late.C:
		return errBusy
	case <-e.ctx.Done():
		return e.ctx.Err()
	case <-c.stop:
		return errClosed
	}
}

func (c *committer) run() {
	defer close(c.stopped)
	defer c.waits.Wait()
	waiting := make(batch, 0, maxBatch)
	for {
		if waiting = c.take(waiting[:0]); len(waiting) == 0 {
			return
		}
		c.busy.Store(true)
		if ready := slices.DeleteFunc(waiting, func(e *entry) bool { return c.refuses(e) || c.joins(e) }); len(ready) > 0 {
			wary := c.wary > 0
			if c.wary = max(c.wary-1, 0); c.commit(ready, manner{wary: wary, skip: c.store.mysql}) {
				c.wary = waryBatches
			}
			c.finish(ready)
		}
		c.busy.Store(false)
		clear(waiting[:cap(waiting)])
	}
}

// take waits for an append, and takes what else waits; nothing is the end.
func (c *committer) take(into batch) batch {
	select {
	case <-c.stop:
		return nil
	case e := <-c.queue:
		into = append(into, e)
	}
	for size := into[0].size(); len(into) < maxBatch && size < maxBatchBytes; {
		select {
		case e := <-c.queue:
			into = append(into, e)
			size += e.size()
		default:
			return into
		}
	}
	return into
}

// refuses answers for an append that has waited too long.
func (c *committer) refuses(e *entry) bool {
	if !e.stale() {
		return false
	}
	e.err = errBusy
	close(e.done)
	return true
}

// finish tells each append what it came to, or sets it aside.
func (c *committer) finish(all batch) {
	for _, e := range all {
		if errors.Is(e.err, errHeld) {
			c.setAside(e)
		} else {
			close(e.done)
		}
	}
}

// joins takes an append to a room whose others are waiting already.
func (c *committer) joins(e *entry) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	others, ok := c.aside[e.Room]
	if ok {
		c.aside[e.Room] = append(others, e)
	}
	return ok
}

func (c *committer) setAside(e *entry) {
	if !c.joins(e) {
		c.mu.Lock()
		c.aside[e.Room] = batch{e}
		c.mu.Unlock()
		c.waits.Go(func() { c.wait(e.Room) })
	}
}

// wait commits what was set aside of a room, until there is no more of it.
func (c *committer) wait(room string) {
	for {
		c.mu.Lock()
		all := c.aside[room]
		if c.aside[room] = nil; len(all) == 0 {
			delete(c.aside, room)
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		all = slices.DeleteFunc(all, c.refuses)
		for part := range slices.Chunk(all, maxBatch) {
			c.commit(part, manner{wary: true})
			c.finish(part)
		}
	}
}

// commit commits a batch, and tells whether there were client ids that are known
// already. Where it fails over what one append holds, each is tried alone, so
// that it fails alone.
func (c *committer) commit(all batch, how manner) (known bool) {
	ctx := With(context.Background(), c.store)
	err := c.try(ctx, all, how)
	if known = unique(err); known || errors.Is(err, errLookUp) {
		how.wary = true
		err = c.try(ctx, all, how)
	}
	if err != nil && len(all) > 1 && rowsFault(err) {
		how.wary = true
		for len(all) > 0 {
			if err = c.try(ctx, all[:1], how); err != nil && !rowsFault(err) {
				break // the database is gone: nobody else need find that out
			}
			all[0].fail(err)
			all = all[1:]
		}
	}
	for _, e := range all {
		e.fail(err)
	}
	return known
}

// try is one transaction for all. A panic ends it like an error.
func (c *committer) try(ctx context.Context, all batch, how manner) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("storage: commit panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return all.commit(ctx, how)
}

// fail is nothing where err is nil.
func (e *entry) fail(err error) {
	if err != nil {
		e.out, e.err = hub.Appended{}, err
	}
}

// rowsFault tells whether the database refused what it was given, and has
// certainly kept none of it. Anything else, a lost connection above all, may have
// happened after the commit, or will happen again to the next.
func rowsFault(err error) bool {
	var my *driver.MySQLError
	var lite *sqlite.Error
	switch {
	case unique(err):
		return true
	case errors.As(err, &my):
		// Data exceptions, broken constraints, and text that is none.
		class := string(my.SQLState[:2])
		return class == "22" || class == "23" || my.Number == mysqlBadText
	case errors.As(err, &lite):
		code := lite.Code() & 0xFF // of an extended code, the primary
		return code == sqliteTooBig || code == sqliteConstraint || code == sqliteMismatch
	}
	return false
}
