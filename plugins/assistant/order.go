package assistant

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/bellhub/bellhub/storage"
)

// rooms lets one turn a room run at a time, the earliest question first. A
// room stands in the map while a turn of it runs or waits.
type rooms struct {
	mu    sync.Mutex
	queue map[string]*queue
}

type queue struct {
	busy    bool
	waiting []int64       // the questions' sequence numbers
	changed chan struct{} // closed, and made anew, at every change
}

func newRooms() *rooms { return &rooms{queue: map[string]*queue{}} }

// enter waits until it is the question's turn. The caller calls leave when it
// is over.
func (r *rooms) enter(ctx context.Context, room string, seq int64) (leave func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.queue[room]
	if q == nil {
		q = &queue{changed: make(chan struct{})}
		r.queue[room] = q
	}
	q.waiting = append(q.waiting, seq)
	for q.busy || slices.Min(q.waiting) != seq {
		changed := q.changed
		r.mu.Unlock()
		select {
		case <-changed:
			r.mu.Lock()
		case <-ctx.Done():
			r.mu.Lock()
			q.remove(seq)
			r.change(room, q)
			return nil, ctx.Err()
		}
	}
	q.remove(seq)
	q.busy = true
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		q.busy = false
		r.change(room, q)
	}, nil
}

// crowded tells whether further questions of the room wait.
func (r *rooms) crowded(room string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.queue[room]
	return q != nil && len(q.waiting) > 0
}

// change wakes who waits in a room, or forgets the room.
func (r *rooms) change(room string, q *queue) {
	close(q.changed)
	q.changed = make(chan struct{})
	if !q.busy && len(q.waiting) == 0 {
		delete(r.queue, room)
	}
}

func (q *queue) remove(seq int64) {
	i := slices.Index(q.waiting, seq)
	q.waiting = slices.Delete(q.waiting, i, i+1)
}

const (
	// orderWait is how long a question waits for an earlier one that another
	// node has, or had when it died.
	orderWait = 5 * time.Second
	// orderPoll is how often it looks.
	orderPoll = 25 * time.Millisecond
)

// await waits until no earlier question of the room is to be answered: those of
// this process queue up in rooms, those that another node works on, or that no
// worker has taken yet, are seen in the table of jobs.
func (p *Plugin) await(ctx context.Context, t storage.Task) (leave func(), err error) {
	until := time.Now().Add(orderWait)
	for {
		leave, err := p.rooms.enter(ctx, t.Room, t.Seq)
		if err != nil {
			return nil, err
		}
		earlier, err := storage.Pending(ctx, Kind, t.Room, t.Seq)
		if err != nil {
			leave()
			return nil, err
		}
		if !earlier || time.Now().After(until) {
			return leave, nil
		}
		leave() // so that the earlier one can enter
		if err := pause(ctx, orderPoll); err != nil {
			return nil, err
		}
	}
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
