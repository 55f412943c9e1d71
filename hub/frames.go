package hub

import (
	"encoding/json"
)

// Subprotocol is the protocol's name in the WebSocket handshake.
const Subprotocol = "bellhub.v1"

// inbound is a frame as a client sends it.
type inbound struct {
	Type string          `json:"type"`
	ID   string          `json:"id"`
	Data json.RawMessage `json:"data"`
}

// outbound is a frame as the server sends it.
type outbound struct {
	Type string `json:"type"`
	ID   string `json:"id,omitempty"`
	Data any    `json:"data,omitempty"`
}

// helloData is the data of hello: a visitor names the domain, an admin the room
// or the domain to watch.
type helloData struct {
	Domain string `json:"domain"`
	Token  string `json:"token"`
	Room   string `json:"room"`
	After  *int64 `json:"after"`
	Watch  string `json:"watch"`
	Lang   string `json:"lang"` // a visitor's: BCP 47, or an ordered list as in Accept-Language
}

// welcomeData is the answer to hello.
type welcomeData struct {
	Room   *roomData   `json:"room,omitempty"`
	You    Author      `json:"you"`
	Domain *domainData `json:"domain,omitempty"`
	Watch  string      `json:"watch,omitempty"`
	Events []eventData `json:"events"`
	More   bool        `json:"more"`
	Token  string      `json:"token,omitempty"`
	Frames []string    `json:"frames"`
	// Scripts are the paths of modules that the widget loads: see Scripter.
	Scripts []string `json:"scripts,omitempty"`
}

type domainData struct {
	Name string `json:"name"`
}

// roomData is a room as its members see it.
type roomData struct {
	ID         string          `json:"id"`
	Ref        string          `json:"ref"`
	Mode       Mode            `json:"mode"`
	Holder     *Author         `json:"holder"`
	Epoch      int64           `json:"epoch"`
	Seq        int64           `json:"seq"`
	Escalation *escalationData `json:"escalation"`
}

type escalationData struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

func newRoomData(r Room) roomData {
	d := roomData{ID: r.ID, Ref: r.Ref, Mode: r.Mode, Epoch: r.Epoch, Seq: r.Seq}
	if r.Holder.ID != "" {
		d.Holder = &r.Holder
	}
	if r.Escalation.Escalation != "" {
		d.Escalation = &escalationData{r.Escalation.Escalation, r.Escalation.State}
	}
	return d
}

// summaryData is a room in the list that an admin watches.
type summaryData struct {
	roomData
	Last    lastData `json:"last"`
	Visitor string   `json:"visitor"` // online, away or offline
}

type lastData struct {
	Text string `json:"text"`
	Kind Kind   `json:"kind"`
	At   string `json:"at,omitempty"`
}

func newSummary(r Room, visitor string) summaryData {
	s := summaryData{roomData: newRoomData(r), Visitor: visitor, Last: lastData{Text: r.Last.Text, Kind: r.Last.Kind}}
	if !r.Last.At.IsZero() {
		s.Last.At = Stamp(r.Last.At)
	}
	return s
}

// eventData is an event as clients get it. HTML is made when it is encoded, for
// what an AI or an admin wrote, and never stored.
type eventData struct {
	Seq    int64           `json:"seq"`
	Type   EventType       `json:"type"`
	Author Author          `json:"author"`
	Text   string          `json:"text"`
	HTML   string          `json:"html,omitempty"`
	Data   json.RawMessage `json:"data,omitempty"`
	At     string          `json:"at"`
}

func (h *Hub) eventData(e Event) eventData {
	d := eventData{Seq: e.Seq, Type: e.Type, Author: e.Author, Text: e.Text, Data: e.Data, At: Stamp(e.At)}
	if e.Type == EventMessage && (e.Author.Kind == AI || e.Author.Kind == Admin) {
		d.HTML = h.opts.Render(e.Text)
	}
	return d
}

// maxPageBytes bounds the events of one frame. A connection's queue may hold
// more, so a page never closes the one that asked for it.
const maxPageBytes = 256 << 10

// pageOf encodes a page of the log, cut so that it fits one frame: from its far
// end, the older one where newest says that the page ends at its newest event.
func (h *Hub) pageOf(events []Event, more, newest bool) pageData {
	out := make([]eventData, len(events))
	size := 0
	for i := range events {
		at := i
		if newest {
			at = len(events) - 1 - i
		}
		out[at] = h.eventData(events[at])
		size += len(out[at].Text) + len(out[at].HTML) + len(out[at].Data) + 256
		if size > maxPageBytes && i > 0 {
			if newest {
				return pageData{out[at+1:], true}
			}
			return pageData{out[:at], true}
		}
	}
	return pageData{out, more}
}

// historyData asks for a page of the log, older or newer.
type historyData struct {
	Before *int64 `json:"before"`
	After  *int64 `json:"after"`
	Limit  int    `json:"limit"`
}

type pageData struct {
	Events []eventData `json:"events"`
	More   bool        `json:"more"`
}

// ackData is the acknowledgement of a stored event.
type ackData struct {
	Seq int64  `json:"seq"`
	At  string `json:"at"`
}

type typingIn struct {
	On bool `json:"on"`
}

type presenceIn struct {
	State string `json:"state"`
}

type errorData struct {
	Code       Code   `json:"code"`
	Message    string `json:"message"`
	Retryable  bool   `json:"retryable"`
	RetryAfter int    `json:"retry_after,omitempty"` // seconds
}

// packet encodes a frame for the transport. What clients are sent is made of
// the types above, so a failure is a programmer's error.
func (h *Hub) packet(typ, id string, data any) []byte {
	b, err := json.Marshal(outbound{typ, id, data})
	if err != nil {
		panic("hub: encode " + typ + ": " + err.Error())
	}
	return h.opts.Frame(b)
}
