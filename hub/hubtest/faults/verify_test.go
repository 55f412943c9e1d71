package faults

import (
	"slices"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
)

// kept is a history in which every promise was kept: two tabs of a visitor write
// and ring, once over a lost connection.
func kept() History {
	visitor := hub.Author{Kind: hub.Visitor, ID: "v"}
	log := []Event{
		{Seq: 1, Type: hub.EventMessage, Author: visitor, Text: "one", At: "t1", ClientID: "a.1"},
		{Seq: 2, Type: hub.EventMessage, Author: visitor, Text: "two", At: "t2", ClientID: "b.1"},
		{Seq: 3, Type: hub.EventEscalation, Author: visitor, Text: "help", At: "t3", ClientID: "a.2", Data: `{"escalation":"e","state":"queued"}`},
		{Seq: 4, Type: hub.EventNotice, Author: hub.SystemAuthor, At: "t4", ClientID: "notified:e", Data: `{"escalation":"e","state":"notified"}`},
		{Seq: 5, Type: hub.EventEscalation, Author: visitor, Text: "please", At: "t5", ClientID: "b.2", Data: `{"escalation":"e","state":"notified","again":true}`},
		{Seq: 6, Type: hub.EventMessage, Author: visitor, Text: "three", At: "t6", ClientID: "a.3"},
	}
	shown := func() []Event {
		view := slices.Clone(log)
		for i := range view {
			view[i].ClientID = ""
		}
		view[3].Data = `{"state":"notified", "escalation":"e"}` // the same, written otherwise
		return view
	}
	return History{Recipients: 2, Rooms: []Room{{
		ID: "r", Log: log,
		Calls: []Call{{ID: "e", Reasons: []string{"please", "help"}, Emails: []Email{
			{ID: "m1", Recipient: "ana@shop.example", Jobs: 1}, {ID: "m2", Recipient: "ben@shop.example", Jobs: 1},
		}}},
		Members: []Member{
			{
				Name: "tab a", Author: visitor, Views: [][]Event{shown()},
				Sends: []*Send{
					{ID: "a.1", Type: "message", Text: "one", Sent: 1, Acks: []Ack{{Seq: 1, At: "t1"}}},
					{ID: "a.2", Type: "contact-admin", Text: "help", Sent: 2, Lost: 1, Acks: []Ack{{Seq: 3, Escalation: "e", State: "queued"}, {Seq: 3, Escalation: "e", State: "queued"}}},
					{ID: "a.3", Type: "message", Text: "three", Sent: 1, Acks: []Ack{{Seq: 6, At: "t6"}}},
				},
				Connections: []Connection{
					{After: -1, Live: []int64{1, 2}},
					{After: 2, Welcome: []int64{3}, More: true, Live: []int64{5, 6}},
				},
				Trace: []Entry{{What: "sent", ID: "a.2"}, {What: "lost"}, {What: "ack", ID: "a.2", Seq: 3}},
			},
			{
				Name: "tab b", Author: visitor, Views: [][]Event{shown()[1:3], shown()},
				Sends: []*Send{
					{ID: "b.1", Type: "message", Text: "two", Sent: 1, Acks: []Ack{{Seq: 2, At: "t2"}}},
					{ID: "b.2", Type: "contact-admin", Text: "please", Sent: 1, Acks: []Ack{{Seq: 5, Escalation: "e", State: "queued"}}},
				},
				Connections: []Connection{{After: -1, Welcome: []int64{2, 3}, More: true}, {After: 0, Welcome: []int64{1, 2, 3, 4}, Live: []int64{5, 6}}},
			},
		},
	}}}
}

func TestVerifyAcceptsWhatWasKept(t *testing.T) {
	if wrong := Verify(kept()); len(wrong) > 0 {
		t.Errorf("%s", strings.Join(wrong, "\n"))
	}
}

// A checker that finds nothing proves nothing: each broken promise is found.
func TestVerifyFindsWhatIsBroken(t *testing.T) {
	cut := func(r *Room, i int) { r.Log = slices.Delete(r.Log, i, i+1) }
	for _, tt := range []struct {
		name   string
		breaks func(r *Room, a, b *Member)
		want   string
	}{
		{"the last message is lost", func(r *Room, _, _ *Member) { cut(r, 5) }, "acknowledged as event 6 and is lost"},
		{"a row is lost", func(r *Room, _, _ *Member) { cut(r, 1) }, "row 2 of the log has the number 3"},
		{"a message is lost, and its number given to another", func(r *Room, _, _ *Member) {
			r.Log[1].ClientID, r.Log[1].Text = "b.9", "else"
		}, "message b.1 was acknowledged as event 2 and is lost"},
		{"a message is doubled", func(r *Room, _, _ *Member) {
			e := r.Log[5]
			e.Seq = 7
			r.Log = append(r.Log, e)
		}, `client id "a.3" is in the log twice: 6 and 7`},
		{"a message is doubled without its id", func(r *Room, _, _ *Member) {
			e := r.Log[5]
			e.Seq, e.ClientID = 7, ""
			r.Log = append(r.Log, e)
		}, "event 7 was sent by nobody"},
		{"two messages change places", func(r *Room, a, _ *Member) {
			r.Log[0].ClientID, r.Log[5].ClientID = "a.3", "a.1"
			r.Log[0].Text, r.Log[5].Text = "three", "one"
			a.Sends[0].Acks[0], a.Sends[2].Acks[0] = Ack{Seq: 6}, Ack{Seq: 1}
		}, "before what its sender had sent earlier"},
		{"another place than acknowledged", func(_ *Room, a, _ *Member) { a.Sends[0].Acks[0].Seq = 2 }, "acknowledged as event 2 at t1 and is event 1"},
		{"another time than acknowledged", func(_ *Room, a, _ *Member) { a.Sends[0].Acks[0].At = "t0" }, "acknowledged as event 1 at t0"},
		{"two acknowledgements differ", func(_ *Room, a, _ *Member) { a.Sends[1].Acks[1].Seq = 4 }, "was acknowledged as"},
		{"words are altered in the log", func(r *Room, _, _ *Member) { r.Log[0].Text = "onE" }, `was stored as message with "onE"`},
		{"words are altered on the screen", func(_ *Room, _, b *Member) { b.Views[1][0].Text = "onE" }, "was shown another event 1"},
		{"an author is altered on the screen", func(_ *Room, _, b *Member) { b.Views[1][0].Author.ID = "w" }, "was shown another event 1"},
		{"data are altered on the screen", func(_ *Room, _, b *Member) { b.Views[1][3].Data = `{"state":"joined"}` }, "was shown another event 4"},
		{"never acknowledged", func(_ *Room, a, _ *Member) { a.Sends[0].Acks = nil }, "message a.1 was never acknowledged"},
		{"refused for good", func(_ *Room, a, _ *Member) { a.Sends[0].Final = "gone" }, "refused for good: gone"},
		{"an event is not shown", func(_ *Room, a, _ *Member) { a.Views[0] = slices.Delete(a.Views[0], 3, 4) }, "was shown event 5 where 4 belongs"},
		{"the first event is not shown", func(_ *Room, a, _ *Member) { a.Views[0] = a.Views[0][1:] }, "was shown event 2 where 1 belongs"},
		{"the last event is not shown", func(_ *Room, a, _ *Member) { a.Views[0] = a.Views[0][:5] }, "was shown 5 events of 6"},
		{"an event is shown twice", func(_ *Room, a, _ *Member) { a.Views[0] = slices.Insert(a.Views[0], 2, a.Views[0][1]) }, "was shown event 2 where 3 belongs"},
		{"events are shown in another order", func(_ *Room, a, _ *Member) { a.Views[0][1], a.Views[0][2] = a.Views[0][2], a.Views[0][1] }, "was shown event 3 where 2 belongs"},
		{"an event is shown that is not stored", func(_ *Room, a, _ *Member) {
			a.Views[0] = append(a.Views[0], Event{Seq: 7, Text: "ghost"})
		}, "was shown an event that is not in the log"},
		{"an earlier view had a gap", func(_ *Room, _, b *Member) { b.Views[0][1].Seq = 4 }, "was shown event 4 where 3 belongs (view 1)"},
		{"nothing is shown", func(_ *Room, a, _ *Member) { a.Views = nil }, "was shown nothing"},
		{"an event is sent twice", func(_ *Room, a, _ *Member) { a.Connections[0].Live = []int64{1, 1, 2} }, "was sent event 1 after 1"},
		{"an event is left out", func(_ *Room, a, _ *Member) { a.Connections[1].Live = []int64{6, 8} }, "was sent event 8 after 6"},
		{"the welcome leaves out an event", func(_ *Room, a, _ *Member) { a.Connections[1].Welcome = []int64{4} }, "was sent event 4 after 2"},
		{"an event comes that the member had", func(_ *Room, a, _ *Member) { a.Connections[1].Live = []int64{3, 4} }, "was sent event 3 after 3"},
		{"an event is left out behind the welcome", func(_ *Room, _, b *Member) { b.Connections[1].Live = []int64{6} }, "was sent event 6 after 4"},
		{"a bell is acknowledged for another call", func(_ *Room, a, _ *Member) {
			a.Sends[1].Acks = []Ack{{Seq: 3, Escalation: "f", State: "queued"}}
		}, `acknowledged with escalation "f"`},
		{"a bell is said to reach nobody", func(_ *Room, a, _ *Member) {
			a.Sends[1].Acks = []Ack{{Seq: 3, Escalation: "e", State: "logged"}}
		}, "acknowledged as logged"},
		{"a bell opens what is open", func(r *Room, _, _ *Member) { r.Log[4].Data = `{"escalation":"e","state":"notified"}` }, "is open: true, and the event says false"},
		{"a bell joins what is not open", func(r *Room, _, _ *Member) {
			r.Log[2].Data = `{"escalation":"e","state":"queued","again":true}`
		}, "is open: false, and the event says true"},
		{"a bell without a call", func(r *Room, _, _ *Member) { r.Log[2].Data = "" }, "names no escalation"},
		{"a call is lost", func(r *Room, _, _ *Member) { r.Calls = nil }, "escalation e is in the log, and not in the database"},
		{"a call is made twice", func(r *Room, _, _ *Member) { r.Calls = append(r.Calls, Call{ID: "f"}) }, "escalation f is in the database, and not in the log"},
		{"a reason is lost", func(r *Room, _, _ *Member) { r.Calls[0].Reasons = []string{"help"} }, "has the reasons"},
		{"an email is lost", func(r *Room, _, _ *Member) { r.Calls[0].Emails = r.Calls[0].Emails[:1] }, "escalation e has 1 emails, want 2"},
		{"an email is made twice", func(r *Room, _, _ *Member) { r.Calls[0].Emails[1].Recipient = "ana@shop.example" }, "two emails to ana@shop.example"},
		{"an email has no job", func(r *Room, _, _ *Member) { r.Calls[0].Emails[0].Jobs = 0 }, "has 0 jobs"},
		{"an email has two jobs", func(r *Room, _, _ *Member) { r.Calls[0].Emails[0].Jobs = 2 }, "has 2 jobs"},
		{"somebody is emailed beyond the limit", func(r *Room, _, _ *Member) { r.Calls[0].Limited = true }, "has 2 emails, want 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := kept()
			r := &h.Rooms[0]
			tt.breaks(r, &r.Members[0], &r.Members[1])
			if all := strings.Join(Verify(h), "\n"); !strings.Contains(all, tt.want) {
				t.Errorf("want %q in:\n%s", tt.want, all)
			}
		})
	}
}

// What was refused may be overtaken by what was not.
func TestVerifyKnowsWhatMayBeOvertaken(t *testing.T) {
	swap := func(refused, lost int, failed bool) int {
		h := kept()
		h.DatabaseFailed = failed
		r := &h.Rooms[0]
		a := r.Members[0].Sends
		a[0], a[1], a[2] = a[2], a[0], a[1] // the third message was sent first
		a[0].Refused, a[0].Lost = refused, lost
		return len(Verify(h))
	}
	if swap(0, 0, false) == 0 || swap(0, 1, false) == 0 {
		t.Error("a message was overtaken for no reason, and nobody minds")
	}
	if swap(1, 0, false) != 0 || swap(0, 1, true) != 0 {
		t.Error("a message that was refused may not be overtaken")
	}
}

// A fault is told with what happened around it.
func TestVerifyTellsWhatHappened(t *testing.T) {
	h := kept()
	h.Rooms[0].Members[0].Sends[1].Acks[1].Seq = 4
	got := strings.Join(Verify(h), "\n")
	for _, want := range []string{"room r, tab a: contact-admin a.2", `log 3: escalation by visitor "help"`, "sent a.2", "lost", "ack a.2 (event 3)"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in:\n%s", want, got)
		}
	}
}
