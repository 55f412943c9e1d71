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
	var v visitor
	err := Read(ctx).Take(&v, "token_hash = ? AND domain_id = ?", HashToken(token), d.ID).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && !now.Before(v.ExpiresAt) {
		return hub.Entry{}, hub.ErrExpired
	}
	if err != nil {
		return hub.Entry{}, err
	}
	if until := now.Add(VisitorIdle); until.Sub(v.ExpiresAt) > visitorRenew {
		if err := DB(ctx).Model(&v).Where("domain_id = ?", d.ID).Update("expires_at", until).Error; err != nil {
			return hub.Entry{}, err
		}
	}
	r, err := visitorRoom(ctx, d, v.ID, roomID)
	if err != nil {
		return hub.Entry{}, err
	}
	return hub.Entry{Visitor: hub.Author{Kind: hub.Visitor, ID: v.ID, Name: v.Name}, Room: r}, nil
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

// visitorRoom finds the room a visitor means: the named one, or the open one.
func visitorRoom(ctx context.Context, d hub.Domain, visitorID, roomID string) (hub.Room, error) {
	q := Read(ctx).Where("visitor_id = ? AND domain_id = ?", visitorID, d.ID)
	if roomID != "" {
		q = q.Where("id = ?", roomID)
	} else {
		q = q.Where("is_open = ?", true)
	}
	var row room
	err := q.Take(&row).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound) && roomID == "":
		var r hub.Room
		err := Tx(ctx, func(ctx context.Context) (err error) {
			r, err = openRoom(ctx, d, visitorID)
			return err
		})
		if unique(err) { // another tab was first
			return visitorRoom(ctx, d, visitorID, "")
		}
		return r, err
	case errors.Is(err, gorm.ErrRecordNotFound):
		return hub.Room{}, hub.ErrNotFound
	case err != nil:
		return hub.Room{}, err
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
