package storage

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub"
)

// visitor is somebody who opened a domain's widget.
type visitor struct {
	ID        string
	DomainID  string
	TokenHash string
	Name      string
	ExpiresAt time.Time
	CreatedAt time.Time
	Room      *room // filled by findVisitor alone
}

const (
	// VisitorIdle is how long an unused visitor token stays valid.
	VisitorIdle = 30 * 24 * time.Hour
	// visitorRenew is how old an expiry must be to be worth a write.
	visitorRenew = 24 * time.Hour
)

// EnterVisitor implements [hub.Store].
func (s *Store) EnterVisitor(ctx context.Context, d hub.Domain, token, roomID string) (hub.Entry, error) {
	ctx = With(ctx, s)
	if token == "" {
		return newVisitor(ctx, d)
	}
	now := hub.Now()
	v, err := findVisitor(ctx, d, token, roomID)
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && !now.Before(v.ExpiresAt) {
		return hub.Entry{}, hub.ErrExpired
	}
	if err != nil {
		return hub.Entry{}, err
	}
	if until := now.Add(VisitorIdle); until.Sub(v.ExpiresAt) > visitorRenew {
		err := DB(ctx).Model(&visitor{}).Where("id = ? AND domain_id = ?", v.ID, d.ID).Update("expires_at", until).Error
		if err != nil {
			return hub.Entry{}, err
		}
	}
	r, err := visitorRoom(ctx, d, v, roomID)
	if err != nil {
		return hub.Entry{}, err
	}
	return hub.Entry{Visitor: hub.Author{Kind: hub.Visitor, ID: v.ID, Name: v.Name}, Room: r}, nil
}

// findVisitor finds a token's visitor and, in the same query, the room that is
// meant: the named one, or the open one. After a restart every widget asks this
// at once.
func findVisitor(ctx context.Context, d hub.Domain, token, roomID string) (v visitor, err error) {
	meant := Read(ctx).Where(map[string]any{"domain_id": d.ID, "is_open": true})
	if roomID != "" {
		meant = Read(ctx).Where(map[string]any{"domain_id": d.ID, "id": roomID})
	}
	err = Read(ctx).Joins("Room", meant).Take(&v, "visitors.token_hash = ? AND visitors.domain_id = ?", HashToken(token), d.ID).Error
	return v, err
}

func newVisitor(ctx context.Context, d hub.Domain) (hub.Entry, error) {
	token, hash := NewToken()
	now := hub.Now()
	v := visitor{ID: NewID(), DomainID: d.ID, TokenHash: hash, CreatedAt: now, ExpiresAt: now.Add(VisitorIdle)}
	var r hub.Room
	err := Tx(ctx, func(ctx context.Context) (err error) {
		if err = DB(ctx).Create(&v).Error; err != nil {
			return err
		}
		r, err = openRoom(ctx, d, v.ID)
		return err
	})
	if err != nil {
		return hub.Entry{}, err
	}
	return hub.Entry{Visitor: hub.Author{Kind: hub.Visitor, ID: v.ID}, Room: r, Token: token}, nil
}

// visitorRoom is the room that was found, made if need be.
func visitorRoom(ctx context.Context, d hub.Domain, v visitor, roomID string) (hub.Room, error) {
	row := v.Room
	switch {
	case row == nil && roomID == "":
		var r hub.Room
		err := Tx(ctx, func(ctx context.Context) (err error) {
			r, err = openRoom(ctx, d, v.ID)
			return err
		})
		if unique(err) { // another tab was first
			var open room
			if err = Read(ctx).Take(&open, "visitor_id = ? AND domain_id = ? AND is_open = ?", v.ID, d.ID, true).Error; errors.Is(err, gorm.ErrRecordNotFound) {
				err = hub.ErrGone // and closed by now
			}
			r = open.hub()
		}
		return r, err
	case row == nil:
		return hub.Room{}, hub.ErrNotFound
	case row.Open == nil:
		return hub.Room{}, hub.ErrGone
	}
	if row.HolderID == "" && (row.Mode == string(hub.ModeAI)) != d.AI {
		return alignMode(ctx, d, row.ID)
	}
	return row.hub(), nil
}

// alignMode brings a room that nobody holds in line with the domain's AI
// switch, which may have moved since the room was made.
func alignMode(ctx context.Context, d hub.Domain, roomID string) (hub.Room, error) {
	var row room
	err := Tx(ctx, func(ctx context.Context) error {
		if err := lockRoom(ctx, roomID, &row); err != nil || row.HolderID != "" || row.Mode == string(firstMode(d)) {
			return err // a person was faster, or another tab
		}
		row.Mode, row.Epoch = string(firstMode(d)), row.Epoch+1
		return DB(ctx).Model(&row).Select("mode", "epoch").Updates(&row).Error
	})
	return row.hub(), err
}

func firstMode(d hub.Domain) hub.Mode {
	if d.AI {
		return hub.ModeAI
	}
	return hub.ModeLive
}
