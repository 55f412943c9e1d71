package storage

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub"
)

// The console session's bounds (OWASP ASVS 3.3): absolute and idle. A grant
// from a link is bounded by the link instead.
const (
	AdminSession     = 8 * time.Hour
	AdminIdle        = 30 * time.Minute
	adminTouch       = time.Minute // how old AdminActiveAt must be to be worth a write
	SignInLife       = 15 * time.Minute
	sessionUnclaimed = 24 * time.Hour // a session holds nothing for longer than its grants or sign-in
)

// session is a browser's: a signed-in account, grants, or both.
type session struct {
	ID            string
	TokenHash     string
	AdminID       *string
	AdminUntil    *time.Time
	AdminActiveAt *time.Time
	ExpiresAt     time.Time
	CreatedAt     time.Time
}

// signIn is a link that signs an admin in once.
type signIn struct {
	TokenHash string `gorm:"primaryKey"`
	AdminID   string
	ExpiresAt time.Time
	UsedAt    *time.Time
}

func (a AdminAccount) identity(session string) hub.Identity {
	return hub.Identity{Kind: hub.Admin, ID: a.ID, Name: a.Name, Session: session, Email: a.Email, Operator: a.Operator}
}

// StartSession makes a browser session that holds nothing yet, and the token
// for its cookie.
func StartSession(ctx context.Context) (id, token string, err error) {
	token, hash := NewToken()
	now := hub.Now()
	row := session{ID: NewID(), TokenHash: hash, CreatedAt: now, ExpiresAt: now.Add(sessionUnclaimed)}
	return row.ID, token, DB(ctx).Create(&row).Error
}

// IdentityByToken finds who a session cookie stands for: nobody where it is not
// valid. A signed-in admin's idle time starts anew.
func IdentityByToken(ctx context.Context, token string) (hub.Identity, error) {
	if token == "" {
		return hub.Identity{}, nil
	}
	var row session
	err := Read(ctx).Take(&row, "token_hash = ? AND expires_at > ?", HashToken(token), hub.Now()).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return hub.Identity{}, nil
	}
	if err != nil {
		return hub.Identity{}, err
	}
	account, err := signedIn(ctx, row.ID)
	if errors.Is(err, hub.ErrNotFound) {
		return hub.Identity{Kind: hub.Admin, Session: row.ID}, nil
	}
	if err != nil {
		return hub.Identity{}, err
	}
	return account.identity(row.ID), TouchSession(ctx, row.ID)
}

// TouchSession starts a signed-in admin's idle time anew, unless it has run out
// already. The write happens at most once a minute.
func TouchSession(ctx context.Context, id string) error {
	now := hub.Now()
	return DB(ctx).Model(&session{}).
		Where("id = ? AND admin_active_at > ? AND admin_active_at < ?", id, now.Add(-AdminIdle), now.Add(-adminTouch)).
		Update("admin_active_at", now).Error
}

// Touch implements [hub.Store].
func (s *Store) Touch(ctx context.Context, session string) error {
	return TouchSession(With(ctx, s), session)
}

// signedIn reads the account that a session is signed in to; hub.ErrNotFound
// where there is none, or none any more.
func signedIn(ctx context.Context, sessionID string) (AdminAccount, error) {
	now := hub.Now()
	var a AdminAccount
	err := Read(ctx).Joins("JOIN sessions s ON s.admin_id = admins.id").
		Where("s.id = ? AND s.expires_at > ? AND s.admin_until > ? AND s.admin_active_at > ?", sessionID, now, now, now.Add(-AdminIdle)).
		Take(&a).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = hub.ErrNotFound
	}
	return a, err
}

// NewSignIn makes a token that signs an admin in once, within SignInLife.
func NewSignIn(ctx context.Context, adminID string) (token string, err error) {
	token, hash := NewToken()
	return token, DB(ctx).Create(&signIn{TokenHash: hash, AdminID: adminID, ExpiresAt: hub.Now().Add(SignInLife)}).Error
}

// PeekSignIn reads whom a sign-in token is for, without using it;
// hub.ErrNotFound where it is unknown, used or expired.
func PeekSignIn(ctx context.Context, token string) (AdminAccount, error) {
	var a AdminAccount
	err := Read(ctx).Joins("JOIN sign_ins s ON s.admin_id = admins.id").
		Where("s.token_hash = ? AND s.used_at IS NULL AND s.expires_at > ?", HashToken(token), hub.Now()).Take(&a).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = hub.ErrNotFound
	}
	return a, err
}

// SignIn uses a sign-in token: it makes a new session, which takes over what
// the old one (or "") was granted, so that a cookie set before signing in is
// worth nothing after it. hub.ErrNotFound as for [PeekSignIn].
func SignIn(ctx context.Context, token, oldSession string) (cookie string, a AdminAccount, err error) {
	err = Tx(ctx, func(ctx context.Context) error {
		if a, err = PeekSignIn(ctx, token); err != nil {
			return err
		}
		now := hub.Now()
		used := DB(ctx).Model(&signIn{}).Where("token_hash = ? AND used_at IS NULL", HashToken(token)).Update("used_at", now)
		if used.Error != nil {
			return used.Error
		}
		if used.RowsAffected == 0 {
			return hub.ErrNotFound
		}
		var id string
		if id, cookie, err = StartSession(ctx); err != nil {
			return err
		}
		until, expires := now.Add(AdminSession), now.Add(sessionUnclaimed)
		if oldSession != "" { // what it was granted may last longer
			var old session
			err := DB(ctx).Take(&old, "id = ?", oldSession).Error
			if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
				return err
			}
			if old.ExpiresAt.After(expires) {
				expires = old.ExpiresAt
			}
		}
		err = DB(ctx).Model(&session{}).Where("id = ?", id).Updates(map[string]any{
			"admin_id": a.ID, "admin_until": until, "admin_active_at": now, "expires_at": expires,
		}).Error
		if err != nil || oldSession == "" {
			return err
		}
		if err := DB(ctx).Model(&grant{}).Where("session_id = ?", oldSession).Update("session_id", id).Error; err != nil {
			return err
		}
		return DB(ctx).Where("id = ?", oldSession).Delete(&session{}).Error
	})
	return cookie, a, err
}

// SignOut ends a session with everything it was granted.
func SignOut(ctx context.Context, id string) error {
	return Tx(ctx, func(ctx context.Context) error {
		if err := DB(ctx).Where("session_id = ?", id).Delete(&grant{}).Error; err != nil {
			return err
		}
		return DB(ctx).Where("id = ?", id).Delete(&session{}).Error
	})
}
