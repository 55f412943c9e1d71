package hub

import (
	"errors"
	"log/slog"
	"sync"
	"time"
)

// What one plugin may do in one room within a second. A person reads some ten
// frames a second and writes no message in less than one, so this is far from
// what any feature needs and far from what a loop between two plugins makes: a
// hook that answers each event with an event is stopped after the first second,
// and its breaker opens.
const (
	maxShows   = 200 // ephemeral frames: stream, typing, its own
	maxAppends = 50
)

var errFlood = errors.New("the plugin floods the room")

// allowance bounds what a plugin does in a room. The zero value allows nothing:
// see newAllowance.
type allowance struct {
	max     int
	log     *slog.Logger
	what    string
	flooded func() // told of each act too many

	mu      sync.Mutex
	since   time.Time
	done    map[string]int // by room, within this second
	refused int64
}

func newAllowance(max int, what string, log *slog.Logger, flooded func()) *allowance {
	return &allowance{max: max, what: what, log: log, flooded: flooded, done: map[string]int{}}
}

// allow counts one more, and tells whether it was not one too many.
func (a *allowance) allow(room string) bool {
	a.mu.Lock()
	if now := time.Now(); now.Sub(a.since) >= time.Second {
		a.since = now
		clear(a.done)
	}
	a.done[room]++
	ok := a.done[room] <= a.max
	if !ok {
		a.refused++
	}
	n := a.refused
	a.mu.Unlock()
	if ok {
		return true
	}
	if n&(n-1) == 0 { // 1, 2, 4, 8 …
		a.log.Error("the plugin floods a room: refused", "what", a.what, "room", room, "refused", n)
	}
	a.flooded()
	return false
}
