package welcome

import (
	"context"
	"errors"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// TableName is welcome_greetings.
func (greeting) TableName() string { return "welcome_greetings" }

// Migrations makes the plugin's table. The struct in it is frozen.
func (p *Plugin) Migrations() []storage.Migration {
	return []storage.Migration{storage.CreateTable("welcome/0001", &greetings0001{})}
}

type greetings0001 struct {
	ID        string    `gorm:"type:char(36);primaryKey"`
	DomainID  string    `gorm:"type:char(36);not null;index:welcome_list,priority:1"`
	Position  int64     `gorm:"not null;index:welcome_list,priority:2"`
	Text      string    `gorm:"type:text;not null"`
	Page      string    `gorm:"size:200;not null"`
	Delay     int       `gorm:"not null"`
	Active    bool      `gorm:"not null"`
	CreatedAt time.Time `gorm:"precision:3;not null"`
}

func (greetings0001) TableName() string { return "welcome_greetings" }

// errFull refuses one more than maxGreetings.
var errFull = errors.New("welcome: the domain has all the greetings it may have")

// list reads a domain's greetings in their order.
func list(ctx context.Context, domain string) ([]greeting, error) {
	var all []greeting
	return all, storage.Read(ctx).Where("domain_id = ?", domain).Order("position, id").Find(&all).Error
}

// add puts an active greeting at the list's end. errFull.
func add(ctx context.Context, g greeting) error {
	return storage.Tx(ctx, func(ctx context.Context) error {
		all, err := list(ctx, g.DomainID)
		if err != nil {
			return err
		}
		if len(all) >= maxGreetings {
			return errFull
		}
		if n := len(all); n > 0 {
			g.Position = all[n-1].Position + 1
		}
		g.ID, g.Active, g.CreatedAt = storage.NewID(), true, hub.Now()
		return storage.DB(ctx).Create(&g).Error
	})
}

// edit gives a greeting of a domain other words, pages and delay; hub.ErrNotFound.
func edit(ctx context.Context, g greeting) error {
	return change(ctx, g.DomainID, g.ID, map[string]any{"text": g.Text, "page": g.Page, "delay": g.Delay})
}

// setActive pauses a greeting or has it go on; hub.ErrNotFound.
func setActive(ctx context.Context, domain, id string, on bool) error {
	return change(ctx, domain, id, map[string]any{"active": on})
}

func change(ctx context.Context, domain, id string, to map[string]any) error {
	r := storage.DB(ctx).Model(&greeting{}).Where("id = ? AND domain_id = ?", id, domain).Updates(to)
	if r.Error == nil && r.RowsAffected == 0 {
		return hub.ErrNotFound
	}
	return r.Error
}

// remove deletes a greeting; hub.ErrNotFound.
func remove(ctx context.Context, domain, id string) error {
	r := storage.DB(ctx).Where("id = ? AND domain_id = ?", id, domain).Delete(&greeting{})
	if r.Error == nil && r.RowsAffected == 0 {
		return hub.ErrNotFound
	}
	return r.Error
}

// move changes a greeting's place with that of its neighbour, by places further
// down: -1 or 1. The first goes no further up. hub.ErrNotFound.
func move(ctx context.Context, domain, id string, by int) error {
	return storage.Tx(ctx, func(ctx context.Context) error {
		all, err := list(ctx, domain)
		if err != nil {
			return err
		}
		for i, g := range all {
			if g.ID != id {
				continue
			}
			j := i + by
			if j < 0 || j >= len(all) {
				return nil
			}
			all[i], all[j] = all[j], all[i]
			// All of them anew: two that were added at the same moment share a place.
			for position, g := range all {
				if err := storage.DB(ctx).Model(&g).Where("domain_id = ?", domain).Update("position", position).Error; err != nil {
					return err
				}
			}
			return nil
		}
		return hub.ErrNotFound
	})
}
