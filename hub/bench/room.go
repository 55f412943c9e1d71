package bench

import (
	"context"
	"sync"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// room is one visitor's conversation.
type room struct {
	tally *tally

	// Set by the first connection, before there is another.
	id, token string
	mode      hub.Mode
	held      bool // by a person

	mu      sync.Mutex
	members []*client
	last    int             // the number of the newest message
	flights map[int]*flight // those that not everything is known of
	landed  chan struct{}   // closed when there is none, while settle waits
}

// flight is a message on its way.
type flight struct {
	by    *client
	due   time.Time
	acked bool
	left  int // members that have not been shown it
}

func (r *room) enter(c *client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = append(r.members, c)
}

// leave takes out a connection that the server ended, or the network.
func (r *room) leave(c *client, why error) {
	r.tally.lost(why)
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, m := range r.members {
		if m == c {
			r.members = append(r.members[:i], r.members[i+1:]...)
			break
		}
	}
	for n, f := range r.flights {
		if f.by == c && !f.acked { // nobody will ever know what became of it
			f.acked, f.left = true, 0
			r.tally.unanswered.Add(1)
		} else if n > c.shown { // it will not be shown any more
			f.left--
		}
		r.land(n, f)
	}
}

// talk sends a message whenever one is due, until ctx ends. connections is how
// long a message may still be underway.
func (r *room) talk(ctx, connections context.Context, due time.Time, every time.Duration) {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		c, n := r.next(due)
		if c == nil { // the last connection was lost
			return
		}
		if err := c.say(connections, n); err != nil {
			r.forget(n) // the connection is lost: its reader says why, and another member goes on
		} else {
			r.tally.sent.Add(1)
		}
		due = due.Add(every)
		timer.Reset(time.Until(due))
	}
}

// next is the message that comes now, and who says it.
func (r *room) next(due time.Time) (*client, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.members) == 0 {
		return nil, 0
	}
	r.last++
	by := r.members[0]
	r.flights[r.last] = &flight{by: by, due: due, left: len(r.members)}
	return by, r.last
}

func (r *room) acked(n int, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.flights[n]; f != nil && !f.acked {
		f.acked = true
		r.tally.ack(at.Sub(f.due))
		r.land(n, f)
	}
}

func (r *room) delivered(c *client, n int, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.shown = max(c.shown, n)
	if f := r.flights[n]; f != nil && f.left > 0 {
		f.left--
		r.tally.deliver(at.Sub(f.due))
		r.land(n, f)
	}
}

func (r *room) refused(n int, code hub.Code) {
	r.tally.refuse(&refusal{word: string(code)})
	r.forget(n)
}

func (r *room) forget(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.flights[n]; f != nil {
		f.acked, f.left = true, 0
		r.land(n, f)
	}
}

// land is called under mu.
func (r *room) land(n int, f *flight) {
	if f.acked && f.left <= 0 {
		delete(r.flights, n)
	}
	if len(r.flights) == 0 && r.landed != nil {
		close(r.landed)
		r.landed = nil
	}
}

// settle waits until every message was answered and shown, or ctx ends, and
// counts what was not.
func (r *room) settle(ctx context.Context) {
	r.mu.Lock()
	landed := make(chan struct{})
	if len(r.flights) == 0 {
		close(landed)
	} else {
		r.landed = landed
	}
	r.mu.Unlock()
	select {
	case <-landed:
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.landed = nil
	for _, f := range r.flights {
		if !f.acked {
			r.tally.unanswered.Add(1)
		}
		r.tally.unseen.Add(int64(max(f.left, 0)))
	}
}
