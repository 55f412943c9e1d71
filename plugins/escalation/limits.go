package escalation

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A room may ring this often, opened or joined: an impatient finger stays
// below, a script does not.
const (
	roomBurst     = 30
	roomPerMinute = 20
)

// remembered bounds what the limits keep in memory; past it, what is oldest or
// idle is forgotten, which errs on the visitor's side.
const remembered = 10_000

// allowance limits the bells of each room.
type allowance struct {
	mu    sync.Mutex
	rooms map[string]*rate.Limiter
}

func newAllowance() *allowance { return &allowance{rooms: map[string]*rate.Limiter{}} }

// wait takes one bell of a room's allowance, or says how long there is none.
func (a *allowance) wait(room string) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.rooms[room]
	if l == nil {
		if len(a.rooms) >= remembered {
			a.forgetIdle()
		}
		l = rate.NewLimiter(rate.Limit(roomPerMinute)/60, roomBurst)
		a.rooms[room] = l
	}
	now := time.Now()
	r := l.ReserveN(now, 1)
	d := r.DelayFrom(now)
	if d > 0 {
		r.CancelAt(now)
	}
	return d
}

// forgetIdle drops rooms whose allowance is whole again, or else all.
func (a *allowance) forgetIdle() {
	for room, l := range a.rooms {
		if l.Tokens() >= roomBurst {
			delete(a.rooms, room)
		}
	}
	if len(a.rooms) >= remembered {
		clear(a.rooms)
	}
}

// hourly counts the new escalations of each address in the last hour.
type hourly struct {
	max int // 0: any number

	mu    sync.Mutex
	times map[string][]time.Time
}

func newHourly(n int) *hourly { return &hourly{max: n, times: map[string][]time.Time{}} }

// over tells whether an address has made as many as it may. One that is not
// known has no limit: it would be everybody's.
func (h *hourly) over(address string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.max > 0 && address != "" && len(h.recent(address)) >= h.max
}

func (h *hourly) note(address string) {
	if address == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.times) >= remembered {
		for other := range h.times {
			h.recent(other)
		}
		if len(h.times) >= remembered {
			clear(h.times)
		}
	}
	h.times[address] = append(h.recent(address), time.Now())
}

// recent drops what is older than an hour.
func (h *hourly) recent(address string) []time.Time {
	ts, since := h.times[address], time.Now().Add(-time.Hour)
	for len(ts) > 0 && ts[0].Before(since) {
		ts = ts[1:]
	}
	if len(ts) == 0 {
		delete(h.times, address)
		return nil
	}
	h.times[address] = ts
	return ts
}
