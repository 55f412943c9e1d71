package hub

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// Observer is told what happens in a hub, so that it can be measured: the
// server counts it for Prometheus. It is called on the paths that every message
// takes, some of them under the hub's locks: its methods return at once, wait
// for nothing, allocate nothing, and do not call the hub.
//
// What is named to it comes from a set that it was told of before, so it can
// have a counter ready for each. The one exception is a client's word, in
// FrameIn.
type Observer interface {
	// Expect tells every word that will be used. It is called once, at the end
	// of [Hub.Init], before anything else but Hook and Counter.
	Expect(w Words)
	// Hook returns who is told of a plugin's hook. It is called once a binding,
	// and may be called again for the same hook.
	Hook(plugin, hook string) HookObserver
	// Counter makes a plugin's own counter: see [Host.Counter].
	Counter(plugin, name, help, label string, values []string) (count func(value string))

	// FrameIn is a frame that a client sent. A typ that is not among
	// Words.FramesIn is what a client made up: it is counted, not repeated.
	FrameIn(typ string)
	// FramesOut is a frame that was handed to n connections.
	FramesOut(typ string, n int)
	// Appended is the end of an append, hooks and commit included.
	Appended(outcome string, took time.Duration)
	// GapFilled is a room that read the log since a signal did not come.
	GapFilled()
	// Closed is the end of a connection. The code is 0 where it broke without a
	// close frame.
	Closed(code CloseCode)
}

// Words are the values that an [Observer] hears.
type Words struct {
	FramesIn  []string // types of the frames that clients may send
	FramesOut []string // types of the frames that clients are sent
	// Outcomes of an append: [OutcomeStored], [OutcomeAgain], [OutcomeMoot], or
	// an error's [Code].
	Outcomes []string
	// Closes are the codes that this server closes with. A client may choose
	// another.
	Closes []CloseCode
}

// The outcomes of an append that is no error.
const (
	OutcomeStored = "stored" // a new event
	OutcomeAgain  = "again"  // acknowledged before, and now again
	OutcomeMoot   = "moot"   // given up with [ErrMoot]
)

// HookObserver is told of one plugin's hook. [Observer]'s rules hold.
type HookObserver interface {
	// Ran is the end of a call. One that overstays its time ends then, whatever
	// it does later.
	Ran(result HookResult, took time.Duration)
	// Dropped is an event that an After hook misses, since it is too slow.
	Dropped()
}

// HookResult is how a call of a hook ended.
type HookResult int

// The results of a hook.
const (
	HookOK        HookResult = iota
	HookVetoed               // it refused, by an [Error]
	HookFailed               // any other error, or a panic
	HookOverdue              // no answer in time
	HookCancelled            // nobody waited for it any more
	HookSkipped              // not called: the plugin's breaker is open

	HookResults // the number of results
)

// String is the result in a word, for a label.
func (r HookResult) String() string {
	return [HookResults]string{"ok", "vetoed", "failed", "overdue", "cancelled", "skipped"}[r]
}

// framesOut are the types that the server sends.
var framesOut = []string{"ack", "error", "event", "history", "presence", "room", "stream", "typing", "welcome"}

// words collects what an Observer has to expect of this hub.
func (h *Hub) words() Words {
	w := Words{FramesOut: framesOut, Outcomes: []string{OutcomeStored, OutcomeAgain, OutcomeMoot}, Closes: closeCodes}
	for name := range h.frames {
		w.FramesIn = append(w.FramesIn, name)
	}
	w.FramesOut = slices.AppendSeq(slices.Clone(w.FramesOut), maps.Keys(h.pushes))
	for _, c := range codes {
		w.Outcomes = append(w.Outcomes, string(c))
	}
	return w
}

// outcome is what an append came to, in a word.
func outcome(out Appended, err error) string {
	switch {
	case errors.Is(err, ErrMoot):
		return OutcomeMoot
	case err != nil:
		return string(public(err).Code)
	case out.Again:
		return OutcomeAgain
	}
	return OutcomeStored
}

// over tells that the session's connection has ended, and how.
func (s *session) over() {
	code := s.conn.Closed()
	s.hub.opts.Observer.Closed(code)
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.logger().Debug("connection closed", "code", int(code), "lasted", time.Since(s.born))
	}
}

// logger names the connection and, once they are known, the room and the kind
// of member. It is made when there is something to say: most connections never
// have, and hold no memory for it.
func (s *session) logger() *slog.Logger {
	switch {
	case s.room != nil:
		return s.log.With("room", s.room.id, "kind", string(s.kind))
	case s.watch != "":
		return s.log.With("watch", s.watch, "kind", string(s.kind))
	}
	return s.log
}

// unobserved is the Observer of a hub that has none.
type unobserved struct{}

func (unobserved) Expect(Words)                    {}
func (u unobserved) Hook(_, _ string) HookObserver { return u }
func (unobserved) FrameIn(string)                  {}
func (unobserved) FramesOut(string, int)           {}
func (unobserved) Appended(string, time.Duration)  {}
func (unobserved) GapFilled()                      {}
func (unobserved) Closed(CloseCode)                {}
func (unobserved) Ran(HookResult, time.Duration)   {}
func (unobserved) Dropped()                        {}
func (unobserved) Counter(_, _, _, _ string, _ []string) func(string) {
	return func(string) {}
}
