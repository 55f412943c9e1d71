package storage

import (
	"context"
	"errors"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// purgeEvery is how often what nobody needs any more is deleted.
const purgeEvery = time.Hour

// Tidy deletes, now and then until ctx ends, what nobody needs any more: rooms
// that stayed empty, expired visitors without a room, sessions, sign-ins, and
// finished jobs.
func (s *Store) Tidy(ctx context.Context) {
	ctx = With(ctx, s)
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		if err := s.purge(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("storage: tidy", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Store) purge(ctx context.Context) error {
	now := hub.Now()
	return errors.Join(
		purgeRooms(ctx),
		purgeJobs(ctx),
		DB(ctx).Where("expires_at < ? AND id NOT IN (?)", now, DB(ctx).Model(&room{}).Select("visitor_id")).Delete(&visitor{}).Error,
		DB(ctx).Where("expires_at < ?", now).Delete(&signIn{}).Error,
		DB(ctx).Where("expires_at < ?", now).Delete(&session{}).Error,
		DB(ctx).Where("session_id NOT IN (?)", DB(ctx).Model(&session{}).Select("id")).Delete(&grant{}).Error,
	)
}
