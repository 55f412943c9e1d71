package storage

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/bellhub/bellhub/hub"
)

// Link is what an emailed link opens: one room, for one recipient, until it
// expires or is revoked. Only its token's hash is stored.
type Link struct {
	ID        string
	TokenHash string
	DomainID  string
	RoomID    string
	RuleID    string
	EmailID   string
	Recipient string // the address the link was sent to: what is done through it is recorded under it
	Label     string
	ExpiresAt time.Time
	RevokedAt *time.Time
	CreatedAt time.Time
}

// LinkState says what a link is good for.
type LinkState int

// The states of a link.
const (
	LinkUnknown LinkState = iota
	LinkValid
	LinkExpired
	LinkRevoked
)

// State tells what the link is good for now.
func (l Link) State() LinkState {
	switch {
	case l.ID == "":
		return LinkUnknown
	case l.RevokedAt != nil:
		return LinkRevoked
	case !hub.Now().Before(l.ExpiresAt):
		return LinkExpired
	}
	return LinkValid
}

// grant lets a session into the room of a link.
type grant struct {
	SessionID string `gorm:"primaryKey"`
	LinkID    string `gorm:"primaryKey"`
	RoomID    string
	Name      string
	CreatedAt time.Time
}

// Grant is a session's right to a room.
type Grant struct {
	LinkID    string
	RuleID    string
	Name      string // as the visitor sees it
	Recipient string
	ExpiresAt time.Time
}

// MintLink makes a link of l's domain, room, rule, recipient and expiry, and
// returns it with its token.
func MintLink(ctx context.Context, l Link) (Link, string, error) {
	token, hash := NewToken()
	l.ID, l.TokenHash, l.CreatedAt, l.ExpiresAt = NewID(), hash, hub.Now(), utc(l.ExpiresAt)
	return l, token, DB(ctx).Create(&l).Error
}

// LinkByToken finds a link; the zero Link (LinkUnknown) where there is none.
func LinkByToken(ctx context.Context, token string) (Link, error) {
	var l Link
	err := Read(ctx).Take(&l, "token_hash = ?", HashToken(token)).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Link{}, nil
	}
	return l, err
}

// AddGrant lets a session into the link's room under a name. A second one by
// the same session changes the name. The session then lasts as long as the
// link, at least. hub.ErrNotFound where the link is no longer valid.
func AddGrant(ctx context.Context, sessionID string, l Link, name string) error {
	return Tx(ctx, func(ctx context.Context) error {
		var now Link // its revocation may be a moment old
		err := DB(ctx).Clauses(clause.Locking{Strength: "SHARE"}).Take(&now, "id = ?", l.ID).Error
		if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && now.State() != LinkValid {
			return hub.ErrNotFound
		}
		if err != nil {
			return err
		}
		g := grant{SessionID: sessionID, LinkID: l.ID, RoomID: l.RoomID, Name: name, CreatedAt: hub.Now()}
		err = DB(ctx).Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "session_id"}, {Name: "link_id"}},
			DoUpdates: clause.AssignmentColumns([]string{"name"}),
		}).Create(&g).Error
		if err != nil {
			return err
		}
		return DB(ctx).Model(&session{}).Where("id = ? AND expires_at < ?", sessionID, l.ExpiresAt).
			Update("expires_at", l.ExpiresAt).Error
	})
}

// GrantFor finds a session's right to a room, by the link that lasts longest;
// hub.ErrNotFound where it has none.
func GrantFor(ctx context.Context, sessionID, roomID string) (Grant, error) {
	var g Grant
	now := hub.Now()
	err := Read(ctx).Model(&grant{}).Select("grants.link_id, l.rule_id, grants.name, l.recipient, l.expires_at").
		Joins("JOIN links l ON l.id = grants.link_id AND l.room_id = grants.room_id").
		Joins("JOIN sessions s ON s.id = grants.session_id").
		Where("grants.session_id = ? AND grants.room_id = ? AND s.expires_at > ? AND l.revoked_at IS NULL AND l.expires_at > ?",
			sessionID, roomID, now, now).
		Order("l.expires_at DESC").Take(&g).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = hub.ErrNotFound
	}
	return g, err
}

// RevokeLink ends a link of a domain; hub.ErrNotFound.
func RevokeLink(ctx context.Context, domain, id string) error {
	return Tx(ctx, func(ctx context.Context) error {
		var l Link
		err := DB(ctx).Take(&l, "id = ? AND domain_id = ? AND revoked_at IS NULL", id, domain).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return hub.ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := DB(ctx).Model(&l).Update("revoked_at", hub.Now()).Error; err != nil {
			return err
		}
		return enqueueRelease(ctx, l.RuleID)
	})
}

// LinksOf lists the valid links into a room of a domain, the newest first.
func LinksOf(ctx context.Context, domain, roomID string) ([]Link, error) {
	var all []Link
	return all, Read(ctx).Where("domain_id = ? AND room_id = ? AND revoked_at IS NULL AND expires_at > ?", domain, roomID, hub.Now()).
		Order("created_at DESC").Limit(100).Find(&all).Error
}

// revokeLinksOf ends every link that a rule's emails brought.
func revokeLinksOf(ctx context.Context, domain, rule string) error {
	err := DB(ctx).Model(&Link{}).Where("rule_id = ? AND domain_id = ? AND revoked_at IS NULL", rule, domain).
		Update("revoked_at", hub.Now()).Error
	if err != nil {
		return err
	}
	return enqueueRelease(ctx, rule)
}

// JobRelease is the kind of the jobs that look after the rooms of a holder whose
// access was withdrawn; the payload is the holder's id.
const JobRelease = "takeover.release"

// releaseWait lets the holder's connections end first: a reply on one of them
// would take the room again.
const releaseWait = time.Second

// enqueueRelease has the rooms that holder holds looked after, once its access
// is gone: nobody must wait for a person who cannot come back.
func enqueueRelease(ctx context.Context, holder string) error {
	return Enqueue(ctx, hub.Job{Kind: JobRelease, Key: NewID(), Payload: hub.MarshalData(holder), RunAt: hub.Now().Add(releaseWait)})
}

// StrandedRooms lists the rooms held by a CC rule's recipient that no valid link
// of the rule leads into any more.
func StrandedRooms(ctx context.Context, rule string) ([]hub.Room, error) {
	now := hub.Now()
	reachable := Read(ctx).Model(&Link{}).Select("room_id").Where("rule_id = ? AND revoked_at IS NULL AND expires_at > ?", rule, now)
	var rows []room
	err := Read(ctx).Where("holder_id = ? AND mode = ? AND id NOT IN (?)", rule, string(hub.ModeLive), reachable).Find(&rows).Error
	out := make([]hub.Room, len(rows))
	for i, r := range rows {
		out[i] = r.hub()
	}
	return out, err
}
