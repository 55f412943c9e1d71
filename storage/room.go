package storage

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/bellhub/bellhub/hub"
)

// room is a row of rooms: what the room's log adds up to.
type room struct {
	ID              string
	DomainID        string
	Ref             string
	VisitorID       string
	Open            *bool `gorm:"column:is_open"` // true or NULL, so that a unique index allows one open room a visitor
	Mode            string
	HolderID        string
	HolderName      string
	Epoch           int64
	Seq             int64
	EscalationID    string
	EscalationState string
	LastText        string
	LastKind        string
	LastAt          *time.Time // NULL until a person said something: such rooms are unlisted
	CreatedAt       time.Time
}

func (r room) hub() hub.Room {
	out := hub.Room{
		ID: r.ID, Domain: r.DomainID, Visitor: r.VisitorID, Ref: r.Ref,
		Mode: hub.Mode(r.Mode), Epoch: r.Epoch, Seq: r.Seq, CreatedAt: r.CreatedAt,
		Escalation: hub.Progress{Escalation: r.EscalationID, State: r.EscalationState},
		Last:       hub.Last{Text: r.LastText, Kind: hub.Kind(r.LastKind)},
	}
	if r.HolderID != "" {
		out.Holder = hub.Author{Kind: hub.Admin, ID: r.HolderID, Name: r.HolderName}
	}
	if r.LastAt != nil {
		out.Last.At = *r.LastAt
	}
	return out
}

// set takes over what an event changed.
func (r *room) set(n hub.Room) {
	r.Mode, r.HolderID, r.HolderName = string(n.Mode), n.Holder.ID, n.Holder.Name
	r.Epoch, r.Seq = n.Epoch, n.Seq
	r.EscalationID, r.EscalationState = n.Escalation.Escalation, n.Escalation.State
	r.LastText, r.LastKind = n.Last.Text, string(n.Last.Kind)
	if !n.Last.At.IsZero() {
		r.LastAt = &n.Last.At
	}
}

// refTries bounds the search for a free reference: 2^40 of them a domain make
// a second try already rare.
const refTries = 5

// openRoom makes a visitor's open room, inside the caller's transaction.
func openRoom(ctx context.Context, d hub.Domain, visitorID string) (hub.Room, error) {
	open := true
	row := room{
		ID: NewID(), DomainID: d.ID, VisitorID: visitorID, Open: &open,
		Mode: string(firstMode(d)), Epoch: 1, CreatedAt: hub.Now(),
	}
	for try := 0; ; try++ {
		row.Ref = newRef()
		var taken int64
		err := DB(ctx).Model(&room{}).Where("domain_id = ? AND ref = ?", d.ID, row.Ref).Count(&taken).Error
		if err != nil {
			return hub.Room{}, err
		}
		if taken == 0 || try == refTries {
			break
		}
	}
	return row.hub(), DB(ctx).Create(&row).Error
}

// lockRoom reads a room's row and holds it until the transaction ends. SQLite
// has one writer, which is lock enough.
func lockRoom(ctx context.Context, id string, row *room) error {
	err := DB(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Take(row, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return hub.ErrNotFound
	}
	return err
}

// Room implements [hub.Store].
func (s *Store) Room(ctx context.Context, id string) (hub.Room, error) {
	var row room
	err := Read(With(ctx, s)).Take(&row, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return hub.Room{}, hub.ErrNotFound
	}
	return row.hub(), err
}

// RoomFilter narrows a domain's list of conversations.
type RoomFilter struct {
	Escalated bool   // only those whose visitor rang and waits for a person
	After     Cursor // of the last one seen: its newest message and its id
	Limit     int
}

// waiting are the states of an escalation that a person has not yet answered.
var waiting = []string{hub.StateQueued, hub.StateLogged, hub.StateNotified, hub.StateCaptured, hub.StateUnreachable}

// Waiting tells whether an escalation in this state still waits for a person.
func Waiting(state string) bool {
	for _, s := range waiting {
		if s == state {
			return true
		}
	}
	return false
}

// Rooms lists a domain's conversations by their newest message, the newest
// first. Rooms in which no person has said anything are not listed.
func Rooms(ctx context.Context, domain string, f RoomFilter) ([]hub.Room, error) {
	q := Read(ctx).Where("domain_id = ? AND last_at IS NOT NULL", domain)
	if f.Escalated {
		q = q.Where("escalation_state IN ?", waiting)
	}
	q = f.After.After(q, "last_at")
	var rows []room
	if err := q.Order("last_at DESC, id DESC").Limit(f.Limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make([]hub.Room, len(rows))
	for i, r := range rows {
		out[i] = r.hub()
	}
	return out, nil
}

// RoomIn reads a room of a domain; hub.ErrNotFound where it is another's.
func RoomIn(ctx context.Context, domain, id string) (hub.Room, error) {
	r, err := From(ctx).Room(ctx, id)
	if err == nil && r.Domain != domain {
		return hub.Room{}, hub.ErrNotFound
	}
	return r, err
}

// unlistedLife is how long a room in which no person has said anything is kept.
const unlistedLife = 24 * time.Hour

// purgeBatch bounds one delete, so that the writer is soon free again.
const purgeBatch = 500

// purgeRooms deletes rooms that stayed unlisted and whose visitor has not come
// back for as long, with what an AI may have said there unasked.
func purgeRooms(ctx context.Context) error {
	now := hub.Now()
	// The token's expiry moves at most daily, so a fresh one may look a day old.
	away := Read(ctx).Model(&visitor{}).Select("id").Where("expires_at < ?", now.Add(VisitorIdle-unlistedLife-visitorRenew))
	for {
		var ids []string
		err := Read(ctx).Model(&room{}).Where("last_at IS NULL AND created_at < ? AND visitor_id IN (?)", now.Add(-unlistedLife), away).
			Limit(purgeBatch).Pluck("id", &ids).Error
		if err != nil || len(ids) == 0 {
			return err
		}
		err = Tx(ctx, func(ctx context.Context) error {
			// last_at again: somebody may have spoken since.
			if err := DB(ctx).Where("id IN ? AND last_at IS NULL", ids).Delete(&room{}).Error; err != nil {
				return err
			}
			kept := DB(ctx).Model(&room{}).Select("id").Where("id IN ?", ids)
			return DB(ctx).Where("room_id IN ? AND room_id NOT IN (?)", ids, kept).Delete(&event{}).Error
		})
		if err != nil {
			return err
		}
	}
}
