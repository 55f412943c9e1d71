package hub

import (
	"context"
	"encoding/json"
	"time"
	"unicode/utf8"
)

// Mode says who answers in a room.
type Mode string

// The modes of a room. A room of a domain whose AI is off is live and has no
// holder.
const (
	ModeAI   Mode = "ai"   // the domain's AI answers
	ModeLive Mode = "live" // a person answers
)

// Room is what a room's log adds up to so far. It changes by [Room.Next] alone,
// so that every store, and every reader of the log, agrees.
type Room struct {
	ID      string
	Domain  string // the domain's id
	Visitor string // the visitor's id
	Ref     string // the short reference people read, as in K7QM-2XAB

	Mode   Mode
	Holder Author // who answers in ModeLive; the zero Author when nobody does
	Epoch  int64  // raised by every takeover and hand-back; starts at 1
	Seq    int64  // of the newest event; 0 in an empty room

	Escalation Progress // the newest escalation's id and state, or zero
	Last       Last     // the newest event that people would read; zero until a person said something
	CreatedAt  time.Time
}

// Last is what a list of conversations shows of a room.
type Last struct {
	Text string // the first PreviewLength characters
	Kind Kind
	At   time.Time
}

// PreviewLength bounds Last.Text, in characters.
const PreviewLength = 140

// Append is what is to be added to a room's log, as data: a store may commit
// several together, and may try one more than once.
type Append struct {
	Room   string
	Type   EventType
	Author Author
	Text   string
	Data   json.RawMessage

	// ClientID makes the append idempotent: a second one with the same
	// (Room, Author, ClientID), compared bytewise, gives the first one's event
	// again if Hash is the same, and ErrMismatch otherwise. Empty: no check.
	ClientID string
	// Hash stands for the request's body as received.
	Hash string

	// Lang is what the author reads, for what hooks say to it; empty: DefaultLang.
	Lang string

	// Epoch, unless 0, must be the room's at commit, else ErrStaleEpoch.
	// Takeover, hand-back and what the AI says always carry it. A takeover or
	// hand-back by the system is the domain's AI being switched off or on: the
	// room is then live with no holder, or the AI's again.
	Epoch int64

	// Jobs are enqueued in the same transaction.
	Jobs []Job

	// Within makes further writes in the same transaction, and may fill in the
	// Data and the Jobs that only the transaction can know. It may run more
	// than once, each time on a fresh copy, so it must be repeatable: no
	// network call, no send, nothing kept outside a. It does not run when
	// ClientID is known already.
	Within func(ctx context.Context, a *Append) error
}

// HandOver is the Data of takeovers and hand-backs: the epoch that began.
type HandOver struct {
	Epoch int64 `json:"epoch"`
}

// Appended is what an append came to.
type Appended struct {
	Event Event
	Room  Room // as of the event
	Again bool // the client id was known: nothing was written
}

// Next is the log's one rule: what event a becomes in r, and what r is after
// it. The event's number and the fence between AI and people are decided here;
// a store calls it while it holds the room's lock.
func (r Room) Next(a Append, at time.Time) (Room, Event, error) {
	if a.Epoch != 0 && a.Epoch != r.Epoch {
		return r, Event{}, ErrStaleEpoch
	}
	e := Event{Room: r.ID, Seq: r.Seq + 1, Type: a.Type, Author: a.Author, Text: a.Text, Data: a.Data, At: at}
	switch a.Type {
	case EventMessage:
		// The AI never writes unfenced, nor where a person answers.
		if a.Author.Kind == AI && (a.Epoch == 0 || r.Mode != ModeAI) {
			return r, Event{}, ErrStaleEpoch
		}
		if a.Author.Kind == Admin && r.Escalation.Escalation != "" { // a call heard by who answers already
			r.Escalation.State = StateJoined
		}
	case EventTakeover, EventHandback:
		if a.Epoch == 0 {
			return r, Event{}, ErrStaleEpoch
		}
		r.Epoch++
		if e.Data == nil {
			e.Data = MarshalData(HandOver{r.Epoch})
		}
		state := StateJoined
		shutOut := a.Author.Kind == System && r.Holder.ID != ""
		if a.Type == EventTakeover {
			r.Mode, r.Holder = ModeLive, a.Author
		} else {
			r.Mode, r.Holder, state = ModeAI, Author{}, StateAnswered
		}
		switch {
		case a.Author.Kind == System: // the domain's AI was switched off, or on
			r.Holder = Author{}
			if shutOut && r.Escalation.Escalation != "" { // who heard the call is gone, and nobody knows
				r.Escalation.State = StateLogged
			}
		case r.Escalation.Escalation != "": // somebody heard the call
			r.Escalation.State = state
		}
	case EventEscalation, EventNotice:
		if p, ok := e.progress(); ok && r.follows(a.Type, p) {
			r.Escalation = Progress{Escalation: p.Escalation, State: p.State}
		}
	default:
		return r, Event{}, Errorf(CodeInternal, "unknown event type %q", a.Type)
	}
	r.Seq = e.Seq
	// An AI that speaks first speaks to nobody yet: that lists no room.
	unasked := a.Author.Kind == AI && r.Last.At.IsZero()
	if (a.Type == EventMessage || a.Type == EventEscalation) && !unasked {
		r.Last = Last{Text: preview(a.Text), Kind: a.Author.Kind, At: at}
	}
	return r, e, nil
}

// follows tells whether p moves the room's escalation on. A notice about an
// email may come after somebody has joined, and no longer matters then.
func (r Room) follows(t EventType, p Progress) bool {
	if t == EventEscalation {
		return true
	}
	s := r.Escalation.State
	return p.Escalation == r.Escalation.Escalation && s != StateJoined && s != StateAnswered
}

// preview cuts s to PreviewLength characters, whole ones.
func preview(s string) string {
	n := 0
	for i := range s {
		if n == PreviewLength {
			return s[:i]
		}
		n++
	}
	if !utf8.ValidString(s) {
		return ""
	}
	return s
}

// Held tells whether a person other than who answers in the room.
func (r Room) Held(who Author) bool {
	return r.Mode == ModeLive && r.Holder.ID != "" && r.Holder.ID != who.ID
}
