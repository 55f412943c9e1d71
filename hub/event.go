package hub

import (
	"encoding/json"
	"slices"
	"time"
)

// Kind says what sort of party an author or a session is.
type Kind string

// The four parties of a conversation.
const (
	Visitor Kind = "visitor" // who came to the website
	AI      Kind = "ai"      // the domain's responder
	Admin   Kind = "admin"   // a person of the domain's team
	System  Kind = "system"  // Bellhub itself: notices
)

// Author is who an event is from. Name is what the other side reads: never an
// address, and empty for a visitor who gave none.
type Author struct {
	Kind Kind   `json:"kind"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// SystemAuthor signs the notices that no person wrote.
var SystemAuthor = Author{Kind: System}

// EventType names what happened in a room.
type EventType string

// The types of a room's log. Everything that a member must still see after a
// reload is one of them; everything else is an ephemeral frame.
const (
	EventMessage    EventType = "message"    // somebody said something
	EventEscalation EventType = "escalation" // the visitor rang the bell
	EventTakeover   EventType = "takeover"   // a person answers from here on
	EventHandback   EventType = "handback"   // the AI answers again
	EventNotice     EventType = "notice"     // how something earlier went on
)

// Event is one entry of a room's log. Seq grows by one from 1 in each room.
// Data holds what the type or a plugin adds, as a JSON object, or is nil.
type Event struct {
	Room   string
	Seq    int64
	Type   EventType
	Author Author
	Text   string
	Data   json.RawMessage
	At     time.Time // UTC, whole milliseconds
}

// Clone returns a copy that shares no memory with e.
func (e Event) Clone() Event {
	e.Data = slices.Clone(e.Data)
	return e
}

// Progress is the Data of an escalation and of the notices that follow it: how
// far the visitor's call for a person has got.
type Progress struct {
	Escalation string `json:"escalation,omitempty"`
	State      string `json:"state"`
	Name       string `json:"name,omitempty"`    // who joined
	Again      bool   `json:"again,omitempty"`   // joined an escalation that was open
	Limited    bool   `json:"limited,omitempty"` // over the limit: recorded, nobody alerted
	Message    string `json:"message,omitempty"` // a plugin's wording, in place of the standard one
}

// The states of an escalation. The first two are given with the visitor's
// acknowledgement, the others follow as notices.
const (
	StateQueued      = "queued"      // emails wait to leave
	StateLogged      = "logged"      // recorded; there is nobody to email
	StateNotified    = "notified"    // a mail provider accepted an email
	StateCaptured    = "captured"    // development: the email is in the mailbox
	StateUnreachable = "unreachable" // every email failed for good
	StateJoined      = "joined"      // a person took the conversation over
	StateAnswered    = "answered"    // and handed it back
)

// StateAIFailed is the State of the notice that stands in place of an answer
// that the AI could not give. It belongs to no escalation.
const StateAIFailed = "ai_failed"

// MarshalData encodes an event's Data. It panics on what JSON cannot hold,
// which is a programmer's error.
func MarshalData(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("hub: event data: " + err.Error())
	}
	return b
}

// progress reads the Data of an escalation or a notice; ok is false where it
// speaks of no escalation.
func (e Event) progress() (p Progress, ok bool) {
	if e.Type != EventEscalation && e.Type != EventNotice || len(e.Data) == 0 {
		return p, false
	}
	return p, json.Unmarshal(e.Data, &p) == nil && p.Escalation != ""
}

// Now is the present time as the log keeps it: UTC, whole milliseconds.
func Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Stamp writes a time as it stands on the wire: RFC 3339 in UTC with three
// decimals.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
