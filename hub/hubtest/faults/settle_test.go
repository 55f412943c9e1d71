package faults

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// row is a row of events, with what the storage package keeps to itself.
type row struct {
	Seq                  int64
	Type                 hub.EventType
	AuthorKind           hub.Kind
	AuthorID, AuthorName string
	Text, Data           string
	At                   time.Time
	ClientID             *string
}

func (r row) event() Event {
	e := Event{
		Seq: r.Seq, Type: r.Type, Author: hub.Author{Kind: r.AuthorKind, ID: r.AuthorID, Name: r.AuthorName},
		Text: r.Text, Data: r.Data, At: hub.Stamp(r.At),
	}
	if r.ClientID != nil {
		e.ClientID = *r.ClientID
	}
	return e
}

// history waits until everybody has seen what is in the database, sends them
// home, and puts both together. Newcomers join first: what a room's log says to
// them is what it says to those who were there.
func (w *world) history(ctx context.Context, goHome context.CancelFunc) History {
	w.t.Helper()
	origin := http.Header{"Origin": {w.url}}
	for i, c := range w.rooms {
		m := w.newMember(fmt.Sprintf("room %d, newcomer", i+1), "n", origin, map[string]any{"domain": "shop", "token": c.token, "room": c.id})
		c.members = append(c.members, m)
		w.running.Go(func() { m.run(ctx) })
	}
	h := History{Recipients: len(recipients), DatabaseFailed: w.broken}
	for _, c := range w.rooms {
		r := w.read(c.id)
		for _, m := range c.members {
			if !m.reached(int64(len(r.Log)), patience/2) {
				w.problem("%s is not shown the whole room", m.rec.Name)
			}
		}
		h.Rooms = append(h.Rooms, r)
	}
	goHome()
	w.running.Wait()
	for i, c := range w.rooms {
		r := &h.Rooms[i]
		for _, m := range c.members {
			r.Members = append(r.Members, m.record(len(r.Log)))
		}
	}
	return h
}

// record is what the member wrote down, up to the event last: what came after
// the database was read is not compared.
func (m *member) record(last int) Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rec.Views = append(m.rec.Views, m.view)
	for i, v := range m.rec.Views {
		for len(v) > 0 && v[len(v)-1].Seq > int64(last) {
			v = v[:len(v)-1]
		}
		m.rec.Views[i] = v
	}
	return m.rec
}

// read reads a room from the database.
func (w *world) read(id string) Room {
	w.t.Helper()
	ctx := storage.With(context.Background(), w.store)
	r := Room{ID: id}
	var rows []row
	w.must(storage.Read(ctx).Table("events").Where("room_id = ?", id).Order("seq").Find(&rows).Error)
	for _, row := range rows {
		r.Log = append(r.Log, row.event())
	}
	var calls []struct {
		ID      string
		Limited bool
	}
	w.must(storage.Read(ctx).Table("escalation_escalations").Where("room_id = ?", id).Find(&calls).Error)
	for _, c := range calls {
		call := Call{ID: c.ID, Limited: c.Limited}
		w.must(storage.Read(ctx).Table("escalation_reasons").Where("escalation_id = ?", c.ID).Pluck("reason", &call.Reasons).Error)
		emails, err := storage.EmailsOfEscalation(ctx, w.domain.ID, c.ID)
		w.must(err)
		for _, e := range emails {
			var jobs int64
			w.must(storage.Read(ctx).Table("jobs").Where("kind = ? AND job_key = ?", storage.JobSendEmail, e.ID).Count(&jobs).Error)
			call.Emails = append(call.Emails, Email{ID: e.ID, Recipient: e.Recipient, Jobs: int(jobs)})
		}
		r.Calls = append(r.Calls, call)
	}
	return r
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// stuck says who waits for what.
func (w *world) stuck(when string) {
	var b strings.Builder
	for _, m := range w.members {
		m.mu.Lock()
		if len(m.waiting) > 0 || m.sock == nil || !m.welcomed {
			fmt.Fprintf(&b, "\n  %s: connected %v, welcomed %v, waits for %d answers", m.rec.Name, m.sock != nil, m.welcomed, len(m.waiting))
			for _, e := range m.rec.Trace[max(0, len(m.rec.Trace)-5):] {
				fmt.Fprintf(&b, "\n    %s", e)
			}
		}
		m.mu.Unlock()
	}
	w.problem("too long without an answer, %s:%s", when, b.String())
}
