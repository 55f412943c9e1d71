package webhooks

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// maxEndpoints bounds a domain's endpoints: each is one more job for a message.
const maxEndpoints = 10

// errFull is a domain that has [maxEndpoints].
var errFull = errors.New("webhooks: the domain has as many endpoints as it may")

// endpoints lists a domain's, the oldest first.
func endpoints(ctx context.Context, domain string) ([]endpoint, error) {
	var all []endpoint
	err := storage.Read(ctx).Where("domain_id = ?", domain).Order("created_at, id").Find(&all).Error
	return all, err
}

// endpointIn reads one of a domain's endpoints; hub.ErrNotFound.
func endpointIn(ctx context.Context, domain, id string) (endpoint, error) {
	var e endpoint
	err := storage.Read(ctx).Take(&e, "id = ? AND domain_id = ?", id, domain).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && (e.ID != id || e.DomainID != domain) {
		return endpoint{}, hub.ErrNotFound // MySQL takes no heed of spaces at the end
	}
	return e, err
}

// addEndpoint makes one; errFull.
func addEndpoint(ctx context.Context, e endpoint) (endpoint, error) {
	e.ID, e.State, e.Keys = storage.NewID(), endpointActive, keys{Secret: newSecret()}
	err := storage.Tx(ctx, func(ctx context.Context) error {
		var n int64
		if err := storage.DB(ctx).Model(&endpoint{}).Where("domain_id = ?", e.DomainID).Count(&n).Error; err != nil {
			return err
		}
		if n >= maxEndpoints {
			return errFull
		}
		return storage.DB(ctx).Create(&e).Error
	})
	return e, err
}

// changeEndpoint writes columns of one of a domain's endpoints; hub.ErrNotFound.
func changeEndpoint(ctx context.Context, domain, id string, set map[string]any) error {
	set["updated_at"] = hub.Now()
	r := storage.DB(ctx).Model(&endpoint{}).Where("id = ? AND domain_id = ?", id, domain).Updates(set)
	if r.Error == nil && r.RowsAffected == 0 {
		return hub.ErrNotFound
	}
	return r.Error
}

// setState switches an endpoint on or off. On, it starts with a clean record.
func setState(ctx context.Context, domain, id, state string) error {
	set := map[string]any{"state": state}
	if state == endpointActive {
		set["failures"], set["failing_since"] = 0, nil
	}
	return changeEndpoint(ctx, domain, id, set)
}

// rotateEndpoint gives an endpoint a new secret.
func rotateEndpoint(ctx context.Context, domain, id string) (endpoint, error) {
	var e endpoint
	err := storage.Tx(ctx, func(ctx context.Context) (err error) {
		if e, err = endpointIn(ctx, domain, id); err != nil {
			return err
		}
		e.Keys = e.Keys.rotated()
		return changeEndpoint(ctx, domain, id, e.Keys.columns())
	})
	return e, err
}

// columns are the keys as a row has them.
func (k keys) columns() map[string]any {
	return map[string]any{"secret": string(k.Secret), "old_secret": string(k.OldSecret), "old_until": k.OldUntil}
}

func removeEndpoint(ctx context.Context, domain, id string) error {
	r := storage.DB(ctx).Where("id = ? AND domain_id = ?", id, domain).Delete(&endpoint{})
	if r.Error == nil && r.RowsAffected == 0 {
		return hub.ErrNotFound
	}
	return r.Error
}

// An endpoint is switched off once this many deliveries in a row have failed for
// good, each after all its attempts, over at least this long: it takes days of
// nothing arriving, and one that is only down for a night goes on.
const (
	failuresToStop = 10
	failingToStop  = 24 * time.Hour
)

// noteFailed counts a delivery that failed for good, and switches the endpoint
// off where it was one too many.
func noteFailed(ctx context.Context, domain, id string) (stopped bool, err error) {
	now := hub.Now()
	err = changeEndpoint(ctx, domain, id, map[string]any{
		"failures": gorm.Expr("failures + 1"), "failing_since": gorm.Expr("COALESCE(failing_since, ?)", now),
	})
	if errors.Is(err, hub.ErrNotFound) {
		return false, nil // removed meanwhile
	}
	if err != nil {
		return false, err
	}
	r := storage.DB(ctx).Model(&endpoint{}).
		Where("id = ? AND domain_id = ? AND state = ? AND failures >= ? AND failing_since <= ?", id, domain, endpointActive, failuresToStop, now.Add(-failingToStop)).
		Updates(map[string]any{"state": endpointStopped, "updated_at": now})
	return r.RowsAffected > 0, r.Error
}

// noteDelivered ends a row of failures.
func noteDelivered(ctx context.Context, e endpoint) error {
	if e.Failures == 0 {
		return nil
	}
	err := changeEndpoint(ctx, e.DomainID, e.ID, map[string]any{"failures": 0, "failing_since": nil})
	if errors.Is(err, hub.ErrNotFound) {
		return nil
	}
	return err
}

// The decision endpoint's deadline, in milliseconds: at most what [askBudget]
// leaves room for.
const (
	minDeadline     = 100
	maxDeadline     = 1800
	defaultDeadline = 1000
)

// deciderOf reads a domain's decision endpoint; hub.ErrNotFound.
func deciderOf(ctx context.Context, domain string) (decider, error) {
	var d decider
	err := storage.Read(ctx).Take(&d, "domain_id = ?", domain).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return decider{}, hub.ErrNotFound
	}
	return d, err
}

// saveDecider makes a domain's decision endpoint, or changes it: then its secret
// stays. It returns the new secret, or none.
func saveDecider(ctx context.Context, d decider) (made hub.Secret, err error) {
	err = storage.Tx(ctx, func(ctx context.Context) error {
		made = ""
		switch old, err := deciderOf(ctx, d.DomainID); {
		case err == nil:
			d.Keys, d.CreatedAt = old.Keys, old.CreatedAt
		case errors.Is(err, hub.ErrNotFound):
			made = newSecret()
			d.Keys = keys{Secret: made}
		default:
			return err
		}
		return storage.DB(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&d).Error
	})
	return made, err
}

// changeDecider writes columns of a domain's decision endpoint; hub.ErrNotFound.
func changeDecider(ctx context.Context, domain string, set map[string]any) error {
	set["updated_at"] = hub.Now()
	r := storage.DB(ctx).Model(&decider{}).Where("domain_id = ?", domain).Updates(set)
	if r.Error == nil && r.RowsAffected == 0 {
		return hub.ErrNotFound
	}
	return r.Error
}

// rotateDecider gives the decision endpoint a new secret.
func rotateDecider(ctx context.Context, domain string) (decider, error) {
	var d decider
	err := storage.Tx(ctx, func(ctx context.Context) (err error) {
		if d, err = deciderOf(ctx, domain); err != nil {
			return err
		}
		d.Keys = d.Keys.rotated()
		return changeDecider(ctx, domain, d.Keys.columns())
	})
	return d, err
}

func removeDecider(ctx context.Context, domain string) error {
	r := storage.DB(ctx).Where("domain_id = ?", domain).Delete(&decider{})
	if r.Error == nil && r.RowsAffected == 0 {
		return hub.ErrNotFound
	}
	return r.Error
}
