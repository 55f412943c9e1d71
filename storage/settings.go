package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/bellhub/bellhub/hub"
)

// setting is one plugin's settings in one domain, as JSON that the plugin
// types.
type setting struct {
	DomainID  string `gorm:"primaryKey"`
	Plugin    string `gorm:"primaryKey"`
	Value     string
	UpdatedAt time.Time
}

func (setting) TableName() string { return "settings" }

// Settings reads a plugin's settings in a domain over the defaults given:
// what was never stored keeps its default. A field that T does not have is an
// error, so that what somebody set is never passed over in silence.
func Settings[T any](ctx context.Context, domain, plugin string, defaults T) (T, error) {
	var row setting
	err := Read(ctx).Take(&row, "domain_id = ? AND plugin = ?", domain, plugin).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return defaults, nil
	}
	if err != nil {
		return defaults, err
	}
	out := defaults
	d := json.NewDecoder(strings.NewReader(row.Value))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		return defaults, fmt.Errorf("storage: settings of %s: %w", plugin, err)
	}
	return out, nil
}

// SaveSettings stores a plugin's settings in a domain.
func SaveSettings[T any](ctx context.Context, domain, plugin string, value T) error {
	b, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("storage: settings of %s: %w", plugin, err)
	}
	row := setting{DomainID: domain, Plugin: plugin, Value: string(b), UpdatedAt: hub.Now()}
	return DB(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "domain_id"}, {Name: "plugin"}},
		DoUpdates: clause.AssignmentColumns([]string{"value", "updated_at"}),
	}).Create(&row).Error
}

// UpdateSettings changes a plugin's settings in a domain, one change after the
// other: change gets them as they are stored, over the defaults given, and what it
// makes of them is stored. Where it returns an error nothing is, and that is the
// error returned. It may be run twice, as in [Tx]. hub.ErrNotFound where there is
// no such domain.
func UpdateSettings[T any](ctx context.Context, domain, plugin string, defaults T, change func(*T) error) error {
	return Tx(ctx, func(ctx context.Context) error {
		// The domain's row is the lock: the settings have none before they are first
		// stored. Nothing that visitors do waits for it.
		var d Domain
		err := DB(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Select("id").Take(&d, "id = ?", domain).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return hub.ErrNotFound
		}
		if err != nil {
			return err
		}
		value, err := Settings(ctx, domain, plugin, defaults)
		if err != nil {
			return err
		}
		if err := change(&value); err != nil {
			return err
		}
		return SaveSettings(ctx, domain, plugin, value)
	})
}
