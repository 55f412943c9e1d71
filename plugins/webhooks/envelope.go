package webhooks

import (
	"encoding/json"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// The types of what is sent. Those of events are the event's own type and
// ".created".
const (
	typePing    = "ping"
	typePending = "message.pending"
)

func createdType(t hub.EventType) string { return string(t) + ".created" }

// envelope is the body of every request, as Standard Webhooks lays it out.
type envelope struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"` // when it happened, not when it is sent
	Data      any    `json:"data"`
}

// created is the data of an event.
type created struct {
	Domain string    `json:"domain"` // the widget key
	Room   roomData  `json:"room"`
	Event  eventData `json:"event"`
}

type roomData struct {
	ID  string `json:"id"`
	Ref string `json:"ref"` // the short reference people read
}

// eventData is an event as the WebSocket protocol has it.
type eventData struct {
	Seq    int64           `json:"seq"`
	Type   hub.EventType   `json:"type"`
	Author hub.Author      `json:"author"`
	Text   string          `json:"text"`
	Data   json.RawMessage `json:"data,omitempty"`
	At     string          `json:"at"`
}

// pending is the data of a question.
type pending struct {
	Domain  string      `json:"domain"`
	Room    roomData    `json:"room"`
	Message messageData `json:"message"`
}

type messageData struct {
	Author hub.Author `json:"author"`
	Text   string     `json:"text"`
	Lang   string     `json:"lang"` // what the visitor reads, for the words of a veto
}

// ping is the data of a test.
type ping struct {
	Domain string `json:"domain"`
}

// eventBody is what an endpoint gets of an event.
func eventBody(domain string, room hub.Room, e hub.Event) []byte {
	return hub.MarshalData(envelope{createdType(e.Type), hub.Stamp(e.At), created{
		Domain: domain, Room: roomData{room.ID, room.Ref},
		Event: eventData{Seq: e.Seq, Type: e.Type, Author: e.Author, Text: e.Text, Data: e.Data, At: hub.Stamp(e.At)},
	}})
}

// pendingBody is what a decision endpoint is asked.
func pendingBody(domain string, e hub.EventAppending, at time.Time) []byte {
	return hub.MarshalData(envelope{typePending, hub.Stamp(at), pending{
		Domain: domain, Room: roomData{e.Room.ID, e.Room.Ref}, Message: messageData{e.Event.Author, e.Event.Text, e.Lang},
	}})
}

func pingBody(domain string, at time.Time) []byte {
	return hub.MarshalData(envelope{typePing, hub.Stamp(at), ping{domain}})
}
