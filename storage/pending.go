package storage

import "context"

// Pending tells whether a job of a kind that an earlier event of a room caused
// is under way or due: what a worker that keeps a room's order waits for. A job
// that waits for another attempt is not pending.
func Pending(ctx context.Context, kind, roomID string, before int64) (bool, error) {
	now, err := From(ctx).databaseTime(ctx)
	if err != nil {
		return false, err
	}
	var n int64
	err = Read(ctx).Model(&job{}).
		Where("kind = ? AND state IN ? AND room_id = ? AND seq < ?", kind, []string{jobReady, jobTaken}, roomID, before).
		Where("state = ? OR run_at <= ?", jobTaken, now).
		Limit(1).Count(&n).Error
	return n > 0, err
}
