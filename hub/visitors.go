package hub

import (
	"slices"
	"time"

	"golang.org/x/time/rate"
)

// visitorState is what the connections of one visitor share on this node. It is
// guarded by Hub.mu, its limiters by themselves.
type visitorState struct {
	id       string
	sessions []*session // the oldest first
	burst    *rate.Limiter
	minute   *rate.Limiter
	expiry   *time.Timer // runs while there is no session
}

// visitorMemory is how long a visitor without a connection is remembered, so
// that reconnecting does not renew the burst.
const visitorMemory = 2 * time.Minute

// joinVisitor counts a visitor's session. One too many ends the oldest: the
// page used last is the one that is wanted.
func (h *Hub) joinVisitor(s *session) {
	h.mu.Lock()
	v := h.visitors[s.who.ID]
	if v == nil {
		l := h.opts.Limits
		v = &visitorState{id: s.who.ID, burst: limiter(l.MessageRate, l.MessageBurst), minute: limiter(float64(l.MessagesPerMinute)/60, l.MessagesPerMinute)}
		h.visitors[v.id] = v
	}
	if v.expiry != nil {
		v.expiry.Stop()
		v.expiry = nil
	}
	v.sessions = append(v.sessions, s)
	s.guest = v
	var oldest *session
	if n := h.opts.Limits.ConnectionsPerVisitor; n > 0 && len(v.sessions) > n {
		oldest, v.sessions = v.sessions[0], v.sessions[1:]
	}
	h.mu.Unlock()
	if oldest != nil {
		oldest.conn.Close(CloseSuperseded, "the chat is open elsewhere")
	}
}

// leave is called under Hub.mu.
func (v *visitorState) leave(h *Hub, s *session) {
	v.sessions = slices.DeleteFunc(v.sessions, func(o *session) bool { return o == s })
	if len(v.sessions) > 0 || v.expiry != nil || h.base.Err() != nil {
		return
	}
	v.expiry = time.AfterFunc(visitorMemory, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(v.sessions) == 0 && h.visitors[v.id] == v {
			delete(h.visitors, v.id)
		}
	})
}

// wait takes one message from the visitor's allowance, or says how long there
// is none.
func (v *visitorState) wait() time.Duration {
	now := time.Now()
	burst := v.burst.ReserveN(now, 1)
	if d := burst.DelayFrom(now); d > 0 {
		burst.CancelAt(now)
		return d
	}
	minute := v.minute.ReserveN(now, 1)
	if d := minute.DelayFrom(now); d > 0 {
		minute.CancelAt(now)
		burst.CancelAt(now)
		return d
	}
	return 0
}

// limiter allows n at once and r a second after that; 0 lifts the limit.
func limiter(r float64, n int) *rate.Limiter {
	if r <= 0 || n <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(r), n)
}
