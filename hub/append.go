package hub

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"
)

// append adds to a room's log and shows it to the room: at once or, within a
// frame's handler, once the frame's sender has been acknowledged.
func (h *Hub) append(ctx context.Context, a Append) (Appended, error) {
	out, err := h.commit(ctx, a)
	if err != nil || out.Again && h.shown(out) {
		return out, err
	}
	if d, ok := ctx.Value(deferredKey{}).(*deferred); ok && d.add(func() { h.announce(out) }) {
		return out, nil
	}
	h.announce(out)
	return out, nil
}

// shown tells whether what was stored before has been announced, as far as this
// node sees. It was not where nobody learnt that its commit had succeeded.
func (h *Hub) shown(out Appended) bool {
	r := h.liveRoom(out.Event.Room)
	if r == nil {
		return false
	}
	room, ok := r.now()
	return ok && room.Seq >= out.Event.Seq
}

// announce tells the members, and the hooks, what was committed.
func (h *Hub) announce(out Appended) {
	out.Room.Seq = out.Event.Seq // it has moved on since, where it was stored before
	h.publish(Signal{Room: out.Event.Room, Event: &Stored{out.Event, out.Room}})
	h.hooks.EventStored.fire(EventStored{out.Event, out.Room})
}

// commit adds to a room's log: hooks, store, fence.
func (h *Hub) commit(ctx context.Context, a Append) (out Appended, err error) {
	defer func(began time.Time) { h.opts.Observer.Appended(outcome(out, err), time.Since(began)) }(time.Now())
	// A hook may act on what an admin sends (take the room over), so a retry
	// must be known for one before the hooks see it.
	if a.ClientID != "" && a.Author.Kind == Admin {
		if again, err := h.known(ctx, a); err != nil || again.Again {
			return again, err
		}
	}
	out, err = h.appendHooked(ctx, a, h.room)
	for try := 0; errors.Is(err, ErrStaleEpoch) && a.Epoch == 0 && try < staleTries; try++ {
		// A hook decided by a room that has changed hands since: ask again, by
		// the room as it is.
		out, err = h.appendHooked(ctx, a, h.currentRoom)
	}
	if err != nil {
		return out, err
	}
	// From here on nothing of a growing answer of an older epoch is taken up for
	// sending on this node, even before the event itself is.
	if r := h.liveRoom(a.Room); r != nil {
		r.fence(out.Room.Epoch)
	}
	return out, nil
}

// staleTries bounds how often a room may change hands under an append.
const staleTries = 3

// appendHooked asks the hooks about an append and stores what they make of it.
func (h *Hub) appendHooked(ctx context.Context, a Append, read func(context.Context, string) (Room, error)) (Appended, error) {
	room, err := read(ctx, a.Room)
	if err != nil {
		return Appended{}, err
	}
	e, err := h.hooks.EventAppending.run(ctx, EventAppending{
		Room: room, Epoch: a.Epoch, Jobs: a.Jobs, ClientID: a.ClientID, Lang: cmp.Or(a.Lang, DefaultLang),
		Event: Event{Room: a.Room, Type: a.Type, Author: a.Author, Text: a.Text, Data: a.Data},
	})
	if err != nil {
		// What was stored once stays acknowledged, whatever hooks say now.
		if again, e := h.known(ctx, a); e != nil || again.Again {
			return again, e
		}
		return Appended{}, err
	}
	a.Epoch, a.Jobs = e.Epoch, e.Jobs
	if a.Type == EventMessage {
		a.Text, a.Data = e.Event.Text, e.Event.Data
	}
	return h.opts.Store.Append(ctx, a)
}

var errNotKnown = errors.New("hub: the client id is new")

// known tells whether a's client id is in the log already. The store looks it
// up before it runs Within, which then ends the transaction.
func (h *Hub) known(ctx context.Context, a Append) (Appended, error) {
	if a.ClientID == "" {
		return Appended{}, nil
	}
	a.Within = func(context.Context, *Append) error { return errNotKnown }
	out, err := h.opts.Store.Append(ctx, a)
	if errors.Is(err, errNotKnown) {
		return Appended{}, nil
	}
	return out, err
}

// room is a room as this node knows it: from memory where it has members here,
// else from the store.
func (h *Hub) room(ctx context.Context, id string) (Room, error) {
	if r := h.liveRoom(id); r != nil {
		if room, ok := r.now(); ok {
			return room, nil
		}
	}
	return h.currentRoom(ctx, id)
}

// currentRoom is a room as the store has it.
func (h *Hub) currentRoom(ctx context.Context, id string) (Room, error) {
	ctx, cancel := context.WithTimeout(ctx, frameTimeout)
	defer cancel()
	return h.opts.Store.Room(ctx, id)
}

type deferredKey struct{}

// deferred holds back the events that a frame's handler appends until its
// sender has been acknowledged. It belongs to the frame's goroutine; what a
// handler appends after it has returned is not held back.
type deferred struct {
	fns  []func()
	done bool
	mu   sync.Mutex
}

func (d *deferred) add(fn func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done {
		return false
	}
	d.fns = append(d.fns, fn)
	return true
}

func (d *deferred) release() {
	d.mu.Lock()
	d.done = true
	fns := d.fns
	d.mu.Unlock()
	for _, fn := range fns {
		fn()
	}
}
