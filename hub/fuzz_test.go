package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// fuzzed runs a hub without limits for a fuzz target.
func fuzzed(f *testing.F) *hubtest.Kit {
	return hubtest.Start(f, hubtest.Options{Limits: &hub.Limits{MaxText: 4000}})
}

// codes are those of error frames that a client's own fault may bring:
// internal and unavailable are not among them.
var codes = []hub.Code{
	hub.CodeBadJSON, hub.CodeTooDeep, hub.CodeUnknownType, hub.CodeBadField, hub.CodeBadText, hub.CodeForbidden,
	hub.CodeNotFound, hub.CodeResync,
}

// fault checks an error frame.
func fault(t *testing.T, f hubtest.Frame) {
	t.Helper()
	var e struct {
		Code      hub.Code `json:"code"`
		Message   string   `json:"message"`
		Retryable bool     `json:"retryable"`
	}
	if err := json.Unmarshal(f.Data, &e); err != nil || !slices.Contains(codes, e.Code) || e.Message == "" || e.Retryable {
		t.Errorf("error %s, %v", f.Data, err)
	}
}

// FuzzHello says anything at all first. The answer is one frame, a welcome or an
// error that keeps the connection, or a close that permits no way back.
func FuzzHello(f *testing.F) {
	k := fuzzed(f)
	known := k.Visitor(f, "shop")
	for _, seed := range []string{
		`{"type":"hello","id":"1","data":{"domain":"shop"}}`,
		`{"type":"hello","id":"1","data":{"domain":"shop","token":"` + known.Token + `","room":"` + known.Room + `","after":0}}`,
		`{"type":"hello","id":"1","data":{"domain":"shop","token":"` + known.Token + `","after":9223372036854775807}}`,
		`{"type":"hello","id":"1","data":{"domain":"shop","token":"` + known.Token + `","room":"room-1","after":-1}}`,
		`{"type":"hello","data":{"room":"` + known.Room + `"}}`, `{"type":"hello","data":{"watch":"domain-1"}}`,
		`{"type":"hello","data":{"domain":"nope"}}`, `{"type":"hello","data":null}`, `{"type":"message"}`, `{`, "", "\xff", `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		c := k.Dial(t, hub.Handshake{})
		c.SendRaw(string(frame))
		answer, ok := c.Next()
		switch {
		case !ok && c.Closed() != hub.CloseUnknown:
			t.Errorf("closed with %d", c.Closed())
		case ok && answer.Type == "error":
			fault(t, answer)
		case ok && (answer.Type != "welcome" || answer.Get("room.id") == nil || answer.Get("frames") == nil):
			t.Errorf("answer %+v", answer)
		}
	})
}

// FuzzMessage says anything at all once welcomed. What is acknowledged is
// stored; everything but signs of life has one answer.
func FuzzMessage(f *testing.F) {
	k := fuzzed(f)
	for _, seed := range []string{
		`{"type":"message","id":"c-1","data":{"text":"Do you ship to Oslo?"}}`,
		`{"type":"message","id":"c-1","data":{"text":"  \r\n🔔\r "}}`,
		`{"type":"message","id":"c-1","data":{"text":"\u0000"}}`, `{"type":"message","id":"c-1","data":{"text":"\ud800"}}`,
		`{"type":"message","id":"c-1","data":{"text":"x","author":{"kind":"admin"}}}`, `{"type":"message","id":"","data":{"text":"x"}}`,
		`{"type":"typing","data":{"on":true}}`, `{"type":"presence","data":{"state":"away"}}`, `{"type":"hello","id":"x"}`,
		`{"type":"history","id":"h","data":{"after":0}}`, `{"Type":"message","ID":"a","DATA":{"TEXT":"x"}}`, `[]`, `{}`, `{"type":"message"}{}`,
	} {
		f.Add([]byte(seed))
	}
	const last = "the-last-frame-of-the-target"
	f.Fuzz(func(t *testing.T, frame []byte) {
		c := k.Visitor(t, "shop")
		c.SendRaw(string(frame))
		c.Send("history", last, map[string]any{"after": 0, "limit": 1})
		var answers []hubtest.Frame
		for {
			got, ok := c.Next()
			if !ok {
				if c.Closed() != hub.ClosePolicy || len(answers) > 0 { // a second hello
					t.Errorf("closed with %d after %+v", c.Closed(), answers)
				}
				return
			}
			if got.ID == last {
				break
			}
			switch got.Type {
			case "ack", "error", "history":
				answers = append(answers, got)
			case "event", "presence":
			default:
				t.Errorf("a frame of type %q", got.Type)
			}
		}
		var said struct {
			Type, ID string
			Data     struct{ Text string }
		}
		_ = json.Unmarshal(frame, &said)
		if n := len(answers); n != 1 && (n > 1 || said.Type != "typing" && said.Type != "presence") {
			t.Fatalf("%d answers to %q: %+v", n, frame, answers)
		}
		log, _, err := k.Memory.Events(context.Background(), c.Room, hub.Range{})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case len(answers) == 1 && answers[0].Type == "ack":
			text, err := hub.CleanText(said.Data.Text, 0, hub.CodeBadText)
			if len(log) != 1 || err != nil || log[0].Text != text || answers[0].ID != said.ID || answers[0].Get("seq") != 1.0 {
				t.Errorf("%q was acknowledged with %+v; stored is %+v", frame, answers[0], log)
			}
		case len(log) != 0:
			t.Errorf("%q was not acknowledged; stored is %+v", frame, log)
		case len(answers) == 1 && answers[0].Type == "error":
			fault(t, answers[0])
		}
	})
}

// FuzzCursor asks for any part of a log of more than two pages, by hello and by
// history. A page has neither gap nor double, ends where it says, and a cursor
// from the future is told to begin anew.
func FuzzCursor(f *testing.F) {
	const size = 650
	k := fuzzed(f)
	domain, err := k.Memory.DomainByKey(context.Background(), "shop")
	if err != nil {
		f.Fatal(err)
	}
	v, err := k.Memory.EnterVisitor(context.Background(), domain, "", "")
	if err != nil {
		f.Fatal(err)
	}
	for i := range size {
		_, err := k.Memory.Append(context.Background(), hub.Append{
			Room: v.Room.ID, Type: hub.EventMessage, Author: v.Visitor, Text: fmt.Sprint(i),
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	for _, at := range []int64{-1 << 63, -1, 0, 1, 349, 350, 351, size - 1, size, size + 1, 1<<63 - 1} {
		f.Add(at, int64(0), false)
		f.Add(at, int64(1), true)
		f.Add(at, int64(1000), true)
		f.Add(int64(5), at, false)
	}
	f.Fuzz(func(t *testing.T, at, limit int64, before bool) {
		data := func(f hubtest.Frame) (seqs []int64, more bool) {
			var page struct {
				Events []struct{ Seq int64 }
				More   bool
			}
			if err := json.Unmarshal(f.Data, &page); err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Events {
				seqs = append(seqs, e.Seq)
			}
			return seqs, page.More
		}
		check := func(f hubtest.Frame, from, to int64, more bool) {
			t.Helper()
			seqs, got := data(f)
			var want []int64
			for n := from; n <= to; n++ {
				want = append(want, n)
			}
			if !slices.Equal(seqs, want) || got != more {
				t.Errorf("%s of %d, limit %d, before %v: %v more %v, want %d to %d more %v", f.Type, at, limit, before, seqs, got, from, to, more)
			}
		}
		refused := func(f hubtest.Frame, code hub.Code) {
			t.Helper()
			if f.Type != "error" || f.Get("code") != string(code) {
				t.Errorf("at %d, limit %d, before %v: %+v, want %s", at, limit, before, f, code)
			}
		}

		c := k.Dial(t, hub.Handshake{})
		hello := map[string]any{"domain": "shop", "token": v.Token, "room": v.Room.ID}
		c.Send("hello", "1", map[string]any{"domain": "shop", "token": v.Token, "room": v.Room.ID, "after": at})
		switch answer := c.Want("welcome", "error"); {
		case at < 0:
			refused(answer, hub.CodeBadField)
			c.Send("hello", "2", hello)
			c.Want("welcome")
		case at > size:
			refused(answer, hub.CodeResync)
			c.Send("hello", "2", hello)
			c.Want("welcome")
		default:
			check(answer, at+1, min(at+hub.MaxPage, size), at+hub.MaxPage < size)
		}

		field := "after"
		if before {
			field = "before"
		}
		c.Send("history", "3", map[string]any{field: at, "limit": limit})
		answer := c.Want("history", "error")
		most := limit
		if most == 0 || most > hub.MaxPage {
			most = hub.MaxPage
		}
		switch {
		case limit < 0, at < 0, before && at < 1:
			refused(answer, hub.CodeBadField)
		case !before && at > size:
			refused(answer, hub.CodeResync)
		case before:
			to := min(at-1, size)
			from := max(to-most+1, 1)
			check(answer, from, to, from > 1)
		default:
			check(answer, at+1, min(at+most, size), at+most < size)
		}
	})
}
