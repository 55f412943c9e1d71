package webhooks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// deliveryIn reads one of a domain's deliveries; hub.ErrNotFound.
func deliveryIn(ctx context.Context, domain, id string) (delivery, error) {
	var d delivery
	err := storage.Read(ctx).Take(&d, "id = ? AND domain_id = ?", id, domain).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && (d.ID != id || d.DomainID != domain) {
		return delivery{}, hub.ErrNotFound
	}
	return d, err
}

// record writes how an attempt ended; the first one makes the row.
func record(ctx context.Context, d delivery) error {
	d.UpdatedAt = hub.Now()
	return storage.DB(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "id"}},
		DoUpdates: clause.AssignmentColumns([]string{"state", "attempts", "status", "outcome", "detail", "took_ms", "next_at", "updated_at"}),
	}).Create(&d).Error
}

// overdueAfter is how long after its time an attempt may end, before the delivery
// is taken for one whose job is over: its node died in the last attempt, or could
// not write down how that went. An attempt whose node dies is claimed again within
// [sendTimeout], [paperwork] and what storage adds, less than a minute in all; the
// rest is for those that have to wait for their turn.
const overdueAfter = 5 * time.Minute

// overdue tells whether a delivery waits for an attempt that should have ended. If
// it is made after all, the event arrives once more.
func (d delivery) overdue() bool {
	return d.State == deliveryWaiting && d.NextAt != nil && d.NextAt.Before(hub.Now().Add(-overdueAfter))
}

// inState narrows a query to the deliveries in a state; those that are overdue are
// among the failed.
func inState(q *gorm.DB, state string) *gorm.DB {
	late := hub.Now().Add(-overdueAfter)
	switch state {
	case deliveryFailed:
		return q.Where("state IN ? AND (state = ? OR next_at < ?)", []string{deliveryFailed, deliveryWaiting}, deliveryFailed, late)
	case deliveryWaiting:
		return q.Where("state = ? AND next_at >= ?", deliveryWaiting, late)
	}
	return q.Where("state = ?", state)
}

// pageSize is how many deliveries the console shows at a time.
const pageSize = 50

// listDeliveries reads a page of a domain's deliveries, the newest first; state
// may be empty. more tells whether older ones exist.
func listDeliveries(ctx context.Context, domain, state string, after storage.Cursor) (all []delivery, more bool, err error) {
	q := storage.Read(ctx).Where("domain_id = ?", domain)
	if state != "" {
		q = inState(q, state)
	}
	err = after.After(q, "created_at").Order("created_at DESC, id DESC").Limit(pageSize + 1).Find(&all).Error
	if more = len(all) > pageSize; more {
		all = all[:pageSize]
	}
	return all, more, err
}

// countFailed counts a domain's events that failed for good; tests that did are
// nothing to replay.
func countFailed(ctx context.Context, domain string) (n int64, err error) {
	err = inState(storage.Read(ctx).Model(&delivery{}).Where("domain_id = ? AND room_id <> ''", domain), deliveryFailed).Count(&n).Error
	return n, err
}

// errNotNow is a delivery that cannot be replayed as it is: it is on its way, was
// a test, or its endpoint is off.
var errNotNow = errors.New("webhooks: the delivery cannot be replayed now")

// replayable tells whether a delivery can be sent once more, if its endpoint is on.
func (d delivery) replayable() bool {
	return d.RoomID != "" && (d.State != deliveryWaiting || d.overdue())
}

// replay sends a delivery once more, with its whole schedule before it; errNotNow,
// hub.ErrNotFound.
func replay(ctx context.Context, domain, id string) error {
	return storage.Tx(ctx, func(ctx context.Context) error {
		d, err := deliveryIn(ctx, domain, id)
		if err != nil {
			return err
		}
		e, err := endpointIn(ctx, domain, d.EndpointID)
		if err != nil && !errors.Is(err, hub.ErrNotFound) {
			return err
		}
		if err != nil || e.State != endpointActive || !d.replayable() {
			return errNotNow
		}
		return again(ctx, []delivery{d})
	})
}

const (
	// replayBatch is how many deliveries are replayed in one transaction,
	replayBatch = 200
	// replayMost how many at one press of the button.
	replayMost = 5000
)

// replayFailed replays a domain's deliveries that failed and whose endpoints are
// on, the oldest first, and tells how many they were.
func replayFailed(ctx context.Context, domain string) (n int, err error) {
	active := storage.Read(ctx).Model(&endpoint{}).Select("id").Where("domain_id = ? AND state = ?", domain, endpointActive)
	for n < replayMost {
		batch := 0
		err := storage.Tx(ctx, func(ctx context.Context) error {
			var all []delivery
			err := inState(storage.DB(ctx).Where("domain_id = ? AND room_id <> '' AND endpoint_id IN (?)", domain, active), deliveryFailed).
				Order("created_at, id").Limit(replayBatch).Find(&all).Error
			if batch = len(all); err != nil || batch == 0 {
				return err
			}
			return again(ctx, all)
		})
		if n += batch; err != nil || batch < replayBatch {
			return n, err
		}
	}
	return n, nil
}

// again makes deliveries wait for a new job each, in the transaction that ctx
// carries. Of two who do so at once, one finds the other's.
func again(ctx context.Context, all []delivery) error {
	jobs := make([]hub.Job, len(all))
	now := hub.Now()
	for i, d := range all {
		jobs[i] = hub.Job{
			Kind: jobDeliver, Key: fmt.Sprintf("%s/%d", d.ID, d.Replays+1),
			Payload: hub.MarshalData(order{Domain: d.DomainID, Endpoint: d.EndpointID, Delivery: d.ID}),
		}
		r := storage.DB(ctx).Model(&delivery{}).Where("id = ? AND domain_id = ? AND replays = ?", d.ID, d.DomainID, d.Replays).
			Updates(map[string]any{"state": deliveryWaiting, "replays": d.Replays + 1, "next_at": now, "updated_at": now})
		if r.Error != nil {
			return r.Error
		}
	}
	return storage.Enqueue(ctx, jobs...)
}

// deliveryLife is how long a delivery is kept after its last attempt.
const deliveryLife = 30 * 24 * time.Hour

// purgeBatch bounds what one statement deletes: other writers wait for it.
const purgeBatch = 500

// purge deletes the deliveries that were last touched before a time. None waits
// for an attempt that long.
func purge(ctx context.Context, before time.Time) error {
	for {
		var ids []string
		err := storage.DB(ctx).Model(&delivery{}).Where("updated_at < ?", before).Limit(purgeBatch).Pluck("id", &ids).Error
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := storage.DB(ctx).Where("id IN ? AND updated_at < ?", ids, before).Delete(&delivery{}).Error; err != nil {
			return err
		}
	}
}
