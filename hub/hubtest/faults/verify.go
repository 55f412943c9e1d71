package faults

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/bellhub/bellhub/hub"
)

// Verify returns what is wrong with a history: nothing, if every promise was
// kept. Each line names the room, who saw it, and what happened around it.
func Verify(h History) []string {
	var all []string
	for _, r := range h.Rooms {
		v := verifier{h: h, room: r, rows: map[key]Event{}, senders: map[key]sender{}}
		v.log()
		for i := range r.Members {
			v.sends(&r.Members[i])
			v.shown(&r.Members[i])
			v.wire(&r.Members[i])
		}
		v.unsent()
		v.calls()
		all = append(all, v.wrong...)
	}
	return all
}

// verifier looks at one room.
type verifier struct {
	h       History
	room    Room
	rows    map[key]Event
	senders map[key]sender
	wrong   []string
}

// key is what a client id is unique in.
type key struct {
	kind   hub.Kind
	author string
	id     string
}

func keyOf(a hub.Author, id string) key { return key{a.Kind, a.ID, id} }

// sender is who sent a frame.
type sender struct {
	member *Member
	send   *Send
}

func (v *verifier) fault(m *Member, id string, seq int64, format string, args ...any) {
	var b strings.Builder
	fmt.Fprintf(&b, "room %s", v.room.ID)
	if m != nil {
		fmt.Fprintf(&b, ", %s", m.Name)
	}
	fmt.Fprintf(&b, ": "+format, args...)
	if seq != 0 {
		for _, e := range v.room.Log {
			if e.Seq >= seq-2 && e.Seq <= seq+2 {
				fmt.Fprintf(&b, "\n    log %s", e)
			}
		}
	}
	if m != nil {
		for _, line := range around(m.Trace, id, seq) {
			fmt.Fprintf(&b, "\n    %s", line)
		}
	}
	v.wrong = append(v.wrong, b.String())
}

func (e Event) String() string {
	return fmt.Sprintf("%d: %s by %s %q id %q data %s at %s", e.Seq, e.Type, e.Author.Kind, e.Text, e.ClientID, e.Data, e.At)
}

// mostLines bounds what is told of one fault.
const mostLines = 40

// around picks the lines of a trace that concern a frame or an event, with what
// became of the connection meanwhile.
func around(trace []Entry, id string, seq int64) []string {
	concerns := func(e Entry) bool {
		return id != "" && e.ID == id || seq != 0 && e.Seq != 0 && e.Seq >= seq-1 && e.Seq <= seq+1
	}
	first := slices.IndexFunc(trace, concerns)
	if first < 0 {
		return nil
	}
	last := first
	for i, e := range trace {
		if concerns(e) {
			last = i
		}
	}
	var lines []string
	for i, e := range trace {
		general := e.ID == "" && e.Seq == 0 // of the connection
		if concerns(e) || general && i >= first-10 && i <= last+10 {
			lines = append(lines, e.String())
		}
	}
	if len(lines) > mostLines {
		lines = append(lines[:mostLines/2], slices.Concat([]string{"…"}, lines[len(lines)-mostLines/2:])...)
	}
	return lines
}

// log checks the rows by themselves: numbered from 1 without a gap, and no
// client id twice.
func (v *verifier) log() {
	for i, e := range v.room.Log {
		if e.Seq != int64(i+1) {
			v.fault(nil, "", e.Seq, "row %d of the log has the number %d", i+1, e.Seq)
			return // all that follow are off as well
		}
		if e.ClientID == "" {
			continue
		}
		k := keyOf(e.Author, e.ClientID)
		if first, twice := v.rows[k]; twice {
			v.fault(nil, "", e.Seq, "client id %q is in the log twice: %d and %d", e.ClientID, first.Seq, e.Seq)
			continue
		}
		v.rows[k] = e
	}
}

// sends checks that everything the member sent was acknowledged and is in the
// log as it was sent, where the acknowledgement said, and in the order sent.
func (v *verifier) sends(m *Member) {
	last := int64(0)
	for _, s := range m.Sends {
		k := keyOf(m.Author, s.ID)
		v.senders[k] = sender{m, s}
		if s.Final != "" {
			v.fault(m, s.ID, 0, "%s %s was refused for good: %s", s.Type, s.ID, s.Final)
			continue
		}
		if len(s.Acks) == 0 {
			v.fault(m, s.ID, 0, "%s %s was never acknowledged", s.Type, s.ID)
			continue
		}
		ack := s.Acks[0]
		for _, other := range s.Acks[1:] {
			if other.Seq != ack.Seq || other.At != ack.At || other.Escalation != ack.Escalation {
				v.fault(m, s.ID, ack.Seq, "%s %s was acknowledged as %+v and as %+v", s.Type, s.ID, ack, other)
			}
		}
		e, ok := v.rows[k]
		if !ok {
			v.fault(m, s.ID, ack.Seq, "%s %s was acknowledged as event %d and is lost", s.Type, s.ID, ack.Seq)
			continue
		}
		if e.Seq != ack.Seq || ack.At != "" && e.At != ack.At {
			v.fault(m, s.ID, ack.Seq, "%s %s was acknowledged as event %d at %s and is event %d at %s", s.Type, s.ID, ack.Seq, ack.At, e.Seq, e.At)
		}
		if e.Text != s.Text || e.Type != becomes[s.Type] {
			v.fault(m, s.ID, ack.Seq, "%s %s with %q was stored as %s with %q", s.Type, s.ID, s.Text, e.Type, e.Text)
		}
		overtaken := s.Refused > 0 || v.h.DatabaseFailed && s.Lost > 0
		if e.Seq < last && !overtaken {
			v.fault(m, s.ID, e.Seq, "%s %s is event %d, before what its sender had sent earlier (%d)", s.Type, s.ID, e.Seq, last)
		}
		if !overtaken {
			last = max(last, e.Seq)
		}
	}
}

// becomes is the type of the event that a frame becomes.
var becomes = map[string]hub.EventType{"message": hub.EventMessage, "contact-admin": hub.EventEscalation}

// shown checks what was on the member's screen: each view is a part of the log
// without a gap, and the last one is all of it.
func (v *verifier) shown(m *Member) {
	if len(m.Views) == 0 {
		v.fault(m, "", 0, "was shown nothing")
		return
	}
	for n, view := range m.Views {
		at := int64(0)
		if n < len(m.Views)-1 && len(view) > 0 {
			at = view[0].Seq - 1 // it was left before the first page had been loaded
		}
		for _, e := range view {
			at++
			if e.Seq != at {
				v.fault(m, "", at, "was shown event %d where %d belongs (view %d)", e.Seq, at, n+1)
				break
			}
			if at < 1 || at > int64(len(v.room.Log)) {
				v.fault(m, "", at, "was shown an event that is not in the log: %s", e)
				break
			}
			if !same(e, v.room.Log[at-1]) {
				v.fault(m, "", at, "was shown another event %d: %s", at, e)
			}
		}
	}
	if n := len(m.Views[len(m.Views)-1]); n < len(v.room.Log) {
		v.fault(m, "", int64(n), "was shown %d events of %d", n, len(v.room.Log))
	}
}

// same tells whether a member was shown a row as it is.
func same(shown, row Event) bool {
	shown.ClientID = row.ClientID
	if shown.Data != row.Data && sameJSON(shown.Data, row.Data) {
		shown.Data = row.Data
	}
	return shown == row
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// wire checks each connection by itself: every event once, in order, and none
// left out but what the welcome said.
func (v *verifier) wire(m *Member) {
	for n, c := range m.Connections {
		at, open := c.After, c.After < 0 // open: any number may come next
		for i, seq := range slices.Concat(c.Welcome, c.Live) {
			if i == len(c.Welcome) && c.More && c.After >= 0 && seq > at {
				open = true
			}
			if !open && seq != at+1 {
				v.fault(m, "", seq, "was sent event %d after %d, on connection %d", seq, at, n+1)
				break
			}
			at, open = seq, false
		}
	}
}

// unsent looks for what people are said to have said and did not.
func (v *verifier) unsent() {
	for _, e := range v.room.Log {
		people := e.Author.Kind == hub.Visitor || e.Author.Kind == hub.Admin
		words := e.Type == hub.EventMessage || e.Type == hub.EventEscalation
		if _, known := v.senders[keyOf(e.Author, e.ClientID)]; people && words && !known {
			v.fault(nil, "", e.Seq, "event %d was sent by nobody", e.Seq)
		}
	}
}

// calls checks the bells: each is acknowledged with the escalation that its
// event names; that was opened by one of them, the others joined it; and its
// emails, with a job each, are there once for each recipient.
func (v *verifier) calls() {
	opened := map[string][]string{} // the reasons of each escalation, in the log's order
	for _, e := range v.room.Log {
		if e.Type != hub.EventEscalation {
			continue
		}
		var p hub.Progress
		if err := json.Unmarshal([]byte(e.Data), &p); err != nil || p.Escalation == "" {
			v.fault(nil, "", e.Seq, "escalation event %d names no escalation", e.Seq)
			continue
		}
		if joined := len(opened[p.Escalation]) > 0; joined != p.Again {
			v.fault(nil, "", e.Seq, "event %d: escalation %s is open: %v, and the event says %v", e.Seq, p.Escalation, joined, p.Again)
		}
		opened[p.Escalation] = append(opened[p.Escalation], e.Text)
		v.receipt(e, p)
	}
	for _, c := range v.room.Calls {
		reasons, ok := opened[c.ID]
		if !ok {
			v.fault(nil, "", 0, "escalation %s is in the database, and not in the log", c.ID)
			continue
		}
		delete(opened, c.ID)
		slices.Sort(reasons)
		if !slices.Equal(reasons, slices.Sorted(slices.Values(c.Reasons))) {
			v.fault(nil, "", 0, "escalation %s has the reasons %q, and in the log %q", c.ID, c.Reasons, reasons)
		}
		to := map[string]bool{}
		for _, e := range c.Emails {
			if to[e.Recipient] {
				v.fault(nil, "", 0, "escalation %s has two emails to %s", c.ID, e.Recipient)
			}
			to[e.Recipient] = true
			if e.Jobs != 1 {
				v.fault(nil, "", 0, "email %s of escalation %s has %d jobs", e.ID, c.ID, e.Jobs)
			}
		}
		want := v.h.Recipients
		if c.Limited {
			want = 0
		}
		if len(c.Emails) != want {
			v.fault(nil, "", 0, "escalation %s has %d emails, want %d", c.ID, len(c.Emails), want)
		}
	}
	for id := range opened {
		v.fault(nil, "", 0, "escalation %s is in the log, and not in the database", id)
	}
}

// receipt checks what a bell's sender was told of its escalation.
func (v *verifier) receipt(e Event, p hub.Progress) {
	from, ok := v.senders[keyOf(e.Author, e.ClientID)]
	if !ok {
		return // unsent has said so
	}
	for _, ack := range from.send.Acks {
		if ack.Escalation != p.Escalation {
			v.fault(from.member, e.ClientID, e.Seq, "bell %s was acknowledged with escalation %q, the event has %q", e.ClientID, ack.Escalation, p.Escalation)
		}
		if (ack.State == hub.StateLogged) != (p.State == hub.StateLogged) {
			v.fault(from.member, e.ClientID, e.Seq, "bell %s was acknowledged as %s, the event says %s", e.ClientID, ack.State, p.State)
		}
	}
}
