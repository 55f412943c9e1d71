package faults

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// page is the most events that a member asks for at a time.
const page = 200

// frame is what the server sends.
type frame struct {
	Type string          `json:"type"`
	ID   string          `json:"id"`
	Data json.RawMessage `json:"data"`
}

// wireEvent is an event as it comes over the wire.
type wireEvent struct {
	Seq    int64           `json:"seq"`
	Type   hub.EventType   `json:"type"`
	Author hub.Author      `json:"author"`
	Text   string          `json:"text"`
	Data   json.RawMessage `json:"data"`
	At     string          `json:"at"`
}

func (e wireEvent) event() Event {
	return Event{Seq: e.Seq, Type: e.Type, Author: e.Author, Text: e.Text, Data: string(e.Data), At: e.At}
}

// answer is the data of everything else: the fields that the type has.
type answer struct {
	Room struct {
		ID  string `json:"id"`
		Seq int64  `json:"seq"`
	} `json:"room"`
	Token      string      `json:"token"`
	You        hub.Author  `json:"you"`
	Events     []wireEvent `json:"events"`
	More       bool        `json:"more"`
	Seq        int64       `json:"seq"`
	At         string      `json:"at"`
	Escalation string      `json:"escalation"`
	State      string      `json:"state"`
	Code       hub.Code    `json:"code"`
	Message    string      `json:"message"`
	Retryable  bool        `json:"retryable"`
	RetryAfter int         `json:"retry_after"`
}

// Reasons to let a connection go and come back.
var (
	errAgain  = errors.New("the server asked to come back")
	errResync = errors.New("the server asked to load the room again")
)

// receive takes a frame. An error ends the connection. It takes mu.
func (m *member) receive(b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silence.Reset(answerTimeout)
	var f frame
	if err := json.Unmarshal(b, &f); err != nil {
		m.w.problem("%s: received %.200q: %v", m.rec.Name, b, err)
		return err
	}
	switch f.Type {
	case "event":
		var e wireEvent
		if err := json.Unmarshal(f.Data, &e); err != nil {
			return err
		}
		m.conn.Live = append(m.conn.Live, e.Seq)
		m.trace("shown", "", e.Seq)
		m.offer(e)
		if len(m.held) > 0 {
			m.ask()
		}
		return nil
	case "welcome", "ack", "history", "error":
	default: // typing, presence and the like
		return nil
	}
	var a answer
	if err := json.Unmarshal(f.Data, &a); err != nil {
		m.w.problem("%s: received %.200q: %v", m.rec.Name, b, err)
		return err
	}
	switch f.Type {
	case "welcome":
		m.welcome(a)
	case "ack":
		m.acked(f.ID, a)
	case "history":
		m.page(f.ID, a)
	case "error":
		return m.refused(f.ID, a)
	}
	return nil
}

// welcome takes what was missed, sends again what was not acknowledged, and
// goes on.
func (m *member) welcome(a answer) {
	m.welcomed, m.attempt, m.rec.Author = true, 0, a.You
	m.conn.More = a.More
	for _, e := range a.Events {
		m.conn.Welcome = append(m.conn.Welcome, e.Seq)
	}
	m.trace(fmt.Sprintf("welcome with %d events, more %v", len(a.Events), a.More), "", 0)
	if m.first == 0 {
		// Without events the log was empty, whatever number the room has reached
		// since: what made it grow is still to come.
		m.first, m.whole = 1, !a.More
		if len(a.Events) > 0 {
			m.first = a.Events[0].Seq
		}
	}
	for _, e := range a.Events {
		m.offer(e)
	}
	if m.more = a.More && m.conn.After >= 0; m.more || !m.whole {
		m.ask()
	}
	for _, s := range m.waiting {
		m.transmit(s)
	}
	m.topUp()
}

// offer puts an event on the screen, once those before it are there.
func (m *member) offer(e wireEvent) {
	if e.Seq <= m.last() {
		return
	}
	m.held[e.Seq] = e.event()
	for {
		next, ok := m.held[m.last()+1]
		if !ok {
			break
		}
		delete(m.held, next.Seq)
		m.view = append(m.view, next)
	}
	m.notify()
}

func (m *member) notify() {
	select {
	case m.grew <- struct{}{}:
	default:
	}
}

// ask fetches what is missing: newer events first, then those above.
func (m *member) ask() {
	if m.asking {
		return
	}
	m.asking = true
	m.asked++
	if m.missing() {
		m.write("history", fmt.Sprint("after.", m.asked), map[string]any{"after": m.last(), "limit": page})
		return
	}
	m.write("history", fmt.Sprint("before.", m.asked), map[string]any{"before": m.first, "limit": page})
}

// missing tells whether newer events are to be fetched.
func (m *member) missing() bool { return m.more || len(m.held) > 0 }

// page takes a page that was asked for. Those of a greedy member are not: it
// asked for more than it needs.
func (m *member) page(id string, a answer) {
	if id == "greedy" {
		return
	}
	m.asking = false
	if strings.HasPrefix(id, "before.") {
		var older []Event
		for _, e := range a.Events {
			older = append(older, e.event())
		}
		m.view = append(older, m.view...)
		m.first -= int64(len(older))
		m.whole = !a.More
		m.notify()
	} else {
		for _, e := range a.Events {
			m.offer(e)
		}
		m.more = a.More
	}
	if m.missing() || !m.whole {
		m.ask()
	}
}

// acked notes an acknowledgement.
func (m *member) acked(id string, a answer) {
	s := m.ids[id]
	if s == nil {
		m.w.problem("%s: %q was acknowledged and never sent", m.rec.Name, id)
		return
	}
	m.trace("ack", id, a.Seq)
	if s.Sent == 1 && a.Seq <= m.last() {
		m.w.count("shown before its acknowledgement")
	}
	s.Acks = append(s.Acks, Ack{Seq: a.Seq, At: a.At, Escalation: a.Escalation, State: a.State})
	if len(s.Acks) == 1 {
		m.settled(s)
	}
}

// settled goes on after a frame that has its answer for good.
func (m *member) settled(s *Send) {
	m.waiting = slices.DeleteFunc(m.waiting, func(o *Send) bool { return o == s })
	m.w.progress.step()
	m.topUp()
}

// refused takes an error frame: it asks for another try, or says why there is
// none.
func (m *member) refused(id string, a answer) error {
	if a.Retryable {
		m.w.refused.step()
	}
	s := m.ids[id]
	about := id
	if s != nil {
		about = s.Type
	}
	m.trace("error "+string(a.Code), id, 0)
	m.w.count("error " + string(a.Code) + " to " + strings.TrimRight(about, ".0123456789"))
	switch {
	case a.Code == hub.CodeResync:
		m.reloads = true
		return errResync
	case s == nil && a.Retryable: // of hello or history: the widget comes back too
		return errAgain
	case s == nil:
		m.w.problem("%s: %s was refused for good: %s %s", m.rec.Name, id, a.Code, a.Message)
		return errAgain
	case len(s.Acks) > 0:
		m.w.problem("%s: %s was refused after its acknowledgement: %s", m.rec.Name, id, a.Code)
		return nil
	case !a.Retryable:
		s.Final = string(a.Code) + " " + a.Message
		m.settled(s)
		return nil
	}
	s.Refused++
	sock := m.sock
	time.AfterFunc(max(again, time.Duration(a.RetryAfter)*time.Second), func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.sock == sock && len(s.Acks) == 0 {
			m.transmit(s)
		}
	})
	return nil
}

// reached waits until everything up to seq is on the screen.
func (m *member) reached(seq int64, patience time.Duration) bool {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		m.mu.Lock()
		done := m.whole && m.last() >= seq
		m.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-m.grew:
		case <-late.C:
			return false
		}
	}
}
