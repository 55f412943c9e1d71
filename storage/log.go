package storage

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

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

// Append implements [hub.Store]: the room's row is locked, the client id looked
// up, Within run, the log's rule applied, and event, jobs and the room's new
// state are written, all in one transaction.
func (s *Store) Append(ctx context.Context, a hub.Append) (hub.Appended, error) {
	var out hub.Appended
	err := Tx(With(ctx, s), func(ctx context.Context) (err error) {
		out, err = appendTo(ctx, a)
		return err
	})
	var public *hub.Error
	if err != nil && !errors.As(err, &public) {
		err = hub.Wrap(err, hub.CodeUnavailable, hub.ErrUnavailable.Message)
	}
	return out, err
}

func appendTo(ctx context.Context, a hub.Append) (hub.Appended, error) {
	var row room
	if err := lockRoom(ctx, a.Room, &row); err != nil {
		return hub.Appended{}, err
	}
	if a.ClientID != "" {
		again, found, err := appendedBefore(ctx, a)
		if err != nil || found {
			return hub.Appended{Event: again, Room: row.hub(), Again: found}, err
		}
	}
	if row.Open == nil {
		return hub.Appended{}, hub.ErrGone
	}
	a.Jobs = slices.Clone(a.Jobs)
	if a.Within != nil {
		if err := a.Within(ctx, &a); err != nil {
			return hub.Appended{}, err
		}
	}
	next, e, err := row.hub().Next(a, hub.Now())
	if err != nil {
		return hub.Appended{}, err
	}
	stored := newEvent(e, a)
	if err := DB(ctx).Create(&stored).Error; err != nil {
		return hub.Appended{}, err
	}
	if err := enqueue(ctx, a.Jobs, e.Room, e.Seq); err != nil {
		return hub.Appended{}, err
	}
	row.set(next)
	if err := DB(ctx).Select("*").Omit("created_at").Updates(&row).Error; err != nil {
		return hub.Appended{}, err
	}
	return hub.Appended{Event: e, Room: next}, nil
}

// appendedBefore finds the event that a's client id made already.
func appendedBefore(ctx context.Context, a hub.Append) (hub.Event, bool, error) {
	var row event
	err := DB(ctx).Take(&row, "room_id = ? AND author_kind = ? AND author_id = ? AND client_id = ?",
		a.Room, string(a.Author.Kind), a.Author.ID, a.ClientID).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return hub.Event{}, false, nil
	case err != nil:
		return hub.Event{}, false, err
	case row.BodyHash != a.Hash:
		return hub.Event{}, false, hub.ErrMismatch
	}
	return row.hub(), true, nil
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
