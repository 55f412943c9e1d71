package storage

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/glebarez/go-sqlite"
	driver "github.com/go-sql-driver/mysql"

	"github.com/bellhub/bellhub/hub"
)

const (
	// maxBatch bounds the appends that share a transaction. At 256 the share of
	// each in the disk's flush is a fraction of what its rows cost.
	maxBatch = 256
	// maxWaiting bounds the appends that wait for the committer. What comes
	// beyond waits at the door, within its own deadline.
	maxWaiting = 4096
)

// committer is the group commit of the rooms' logs: one goroutine that takes
// whatever waits, commits it in one transaction, and tells each append what it
// came to. There is no timer: an append that is alone is committed at once, and
// those that come meanwhile are the next batch.
type committer struct {
	store   *Store
	queue   chan *entry
	stop    chan struct{}
	stopped chan struct{}
	busy    atomic.Bool // a batch is being committed

	// wary is set while client ids come that were stored before, as they do
	// after a restart: batches then look all of them up, instead of being
	// rolled back for the first one.
	wary int
}

// waryBatches is for how many batches the committer looks client ids up after
// it has met a known one.
const waryBatches = 64

// entry is an append on its way through the committer.
type entry struct {
	hub.Append
	out  hub.Appended
	err  error
	done chan struct{}
}

func newCommitter(s *Store) *committer {
	c := &committer{
		store: s, queue: make(chan *entry, maxWaiting),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	go c.run()
	return c
}

// close ends the goroutine, after the batch it is at.
func (c *committer) close() {
	close(c.stop)
	<-c.stopped
}

var errClosed = errors.New("storage: closed")

// append hands a to the committer and waits for what it came to. Where ctx ends
// first that is not known: whoever asks again with the same client id is told.
func (c *committer) append(ctx context.Context, a hub.Append) (hub.Appended, error) {
	e := &entry{Append: a, done: make(chan struct{})}
	select {
	case c.queue <- e:
	case <-ctx.Done():
		return hub.Appended{}, ctx.Err()
	case <-c.stop:
		return hub.Appended{}, errClosed
	}
	select {
	case <-e.done:
		return e.out, e.err
	case <-ctx.Done():
		return hub.Appended{}, ctx.Err()
	case <-c.stopped:
		return hub.Appended{}, errClosed
	}
}

func (c *committer) run() {
	defer close(c.stopped)
	batch := make(batch, 0, maxBatch)
	for {
		select {
		case <-c.stop:
			return
		case e := <-c.queue:
			batch = append(batch[:0], e)
		}
		for more := true; more && len(batch) < maxBatch; {
			select {
			case e := <-c.queue:
				batch = append(batch, e)
			default:
				more = false
			}
		}
		c.busy.Store(true)
		c.commit(batch)
		c.busy.Store(false)
		for i, e := range batch {
			close(e.done)
			batch[i] = nil
		}
	}
}

// commit commits a batch. Where that fails over what one append holds, each is
// tried alone, so that it fails alone.
func (c *committer) commit(all batch) {
	ctx := With(context.Background(), c.store)
	err := c.try(ctx, all, c.wary > 0)
	c.wary = max(c.wary-1, 0)
	if unique(err) { // a client id that is known, in all likelihood
		c.wary = waryBatches
	}
	if unique(err) || errors.Is(err, errLookUp) {
		err = c.try(ctx, all, true)
	}
	if err != nil && len(all) > 1 && rowsFault(err) {
		for i := range all {
			if err = c.try(ctx, all[i:i+1], true); err != nil && !rowsFault(err) {
				all = all[i:]
				break // the database is gone: nobody else need find that out
			}
			all[i].fail(err)
		}
		if err == nil || rowsFault(err) {
			return
		}
	}
	if err != nil {
		for _, e := range all {
			e.fail(err)
		}
	}
}

// try is one transaction for all. A panic ends it like an error.
func (c *committer) try(ctx context.Context, all batch, wary bool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("storage: commit panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return all.commit(ctx, wary)
}

func (e *entry) fail(err error) {
	if err != nil {
		e.out, e.err = hub.Appended{}, err
	}
}

// rowsFault tells whether the database refused what it was given, and has
// certainly kept none of it. Anything else, a lost connection above all, may
// have happened after the commit.
func rowsFault(err error) bool {
	var my *driver.MySQLError
	var lite *sqlite.Error
	return unique(err) || errors.As(err, &my) || errors.As(err, &lite)
}
