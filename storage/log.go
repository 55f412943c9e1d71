package storage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// event is a row of a room's log.
type event struct {
	RoomID     string `gorm:"primaryKey"`
	Seq        int64  `gorm:"primaryKey;autoIncrement:false"`
	Type       string
	AuthorKind string
	AuthorID   string
	AuthorName string
	ClientID   *string // NULL where the append was not idempotent
	BodyHash   string
	Text       string
	Data       string // JSON, or empty
	At         time.Time
}

func newEvent(e hub.Event, a hub.Append) event {
	row := event{
		RoomID: e.Room, Seq: e.Seq, Type: string(e.Type), AuthorKind: string(e.Author.Kind),
		AuthorID: e.Author.ID, AuthorName: e.Author.Name, BodyHash: a.Hash, Text: e.Text, Data: string(e.Data), At: e.At,
	}
	if a.ClientID != "" {
		row.ClientID = &a.ClientID
	}
	return row
}

func (e event) hub() hub.Event {
	out := hub.Event{
		Room: e.RoomID, Seq: e.Seq, Type: hub.EventType(e.Type), Text: e.Text, At: e.At.UTC(),
		Author: hub.Author{Kind: hub.Kind(e.AuthorKind), ID: e.AuthorID, Name: e.AuthorName},
	}
	if e.Data != "" {
		out.Data = json.RawMessage(e.Data)
	}
	return out
}

// Append implements [hub.Store]. Appends that wait at the same time share a
// transaction. One with further writes of its own has one of its own, and so
// has one that is part of a transaction under way.
func (s *Store) Append(ctx context.Context, a hub.Append) (hub.Appended, error) {
	ctx = With(ctx, s)
	var out hub.Appended
	var err error
	if a.Within != nil || inTx(ctx) {
		e := &entry{Append: a, ctx: ctx}
		err = batch{e}.commit(ctx, manner{wary: true})
		out, err = e.out, cmp.Or(err, e.err)
	} else {
		out, err = s.commits.append(ctx, a)
	}
	var public *hub.Error
	if err != nil && !errors.As(err, &public) {
		err = hub.Wrap(err, hub.CodeUnavailable, hub.ErrUnavailable.Message)
	}
	return out, err
}

// Events implements [hub.Store].
func (s *Store) Events(ctx context.Context, roomID string, p hub.Range) ([]hub.Event, bool, error) {
	limit := p.Limit
	if limit <= 0 || limit > hub.MaxPage {
		limit = hub.MaxPage
	}
	q := Read(With(ctx, s)).Where("room_id = ?", roomID)
	down := p.Newest || p.Before > 0
	switch {
	case p.Before > 0:
		q = q.Where("seq < ?", p.Before)
	case !p.Newest:
		q = q.Where("seq > ?", p.After)
	}
	order := "seq"
	if down {
		order = "seq DESC"
	}
	var rows []event
	if err := q.Order(order).Limit(limit + 1).Find(&rows).Error; err != nil {
		return nil, false, err
	}
	more := len(rows) > limit
	if more {
		rows = rows[:limit]
	}
	if down {
		slices.Reverse(rows)
	}
	out := make([]hub.Event, len(rows))
	for i, r := range rows {
		out[i] = r.hub()
	}
	return out, more, nil
}
