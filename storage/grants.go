package storage

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub"
)

// HasGrant tells whether a session has been let in by this very link. A room
// may have other links too, each under a recipient of its own.
func HasGrant(ctx context.Context, sessionID string, l Link) (bool, error) {
	if sessionID == "" || l.State() != LinkValid {
		return false, nil
	}
	var n int64
	err := Read(ctx).Model(&grant{}).Joins("JOIN sessions s ON s.id = grants.session_id").
		Where("grants.session_id = ? AND grants.link_id = ? AND s.expires_at > ?", sessionID, l.ID, hub.Now()).Count(&n).Error
	return n > 0, err
}

// SessionUntil is when a session ends: its cookie lasts as long. hub.ErrNotFound.
func SessionUntil(ctx context.Context, id string) (time.Time, error) {
	var row session
	err := DB(ctx).Select("expires_at").Take(&row, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = hub.ErrNotFound
	}
	return row.ExpiresAt, err
}
