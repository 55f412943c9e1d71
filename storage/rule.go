package storage

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub"
)

// CCRule says that a domain's bells are emailed to an address. It decides where
// emails go, never how the AI answers.
type CCRule struct {
	ID        string
	DomainID  string
	Email     string // as [ParseAddress] gives it
	Label     string // Support, Sales, Finance, or the owner's own; may be empty
	Active    bool
	AddedBy   string // the address of who added it
	CreatedAt time.Time
	UpdatedAt time.Time
}

// TableName is cc_rules.
func (CCRule) TableName() string { return "cc_rules" }

// ErrRuleExists is an address that the domain has a rule for.
var ErrRuleExists = errors.New("storage: the address has a CC rule already")

// Rules lists a domain's CC rules in the order they were added.
func Rules(ctx context.Context, domain string) ([]CCRule, error) {
	var all []CCRule
	return all, Read(ctx).Where("domain_id = ?", domain).Order("created_at, id").Find(&all).Error
}

// ActiveRules lists whom a bell of the domain is emailed to.
func ActiveRules(ctx context.Context, domain string) ([]CCRule, error) {
	var all []CCRule
	return all, Read(ctx).Where("domain_id = ? AND active = ?", domain, true).Order("created_at, id").Find(&all).Error
}

// AddRule adds an active CC rule. The caller has parsed the address.
// ErrRuleExists.
func AddRule(ctx context.Context, r CCRule) (CCRule, error) {
	r.ID, r.Active = NewID(), true
	r.CreatedAt = hub.Now()
	r.UpdatedAt = r.CreatedAt
	err := DB(ctx).Create(&r).Error
	if unique(err) {
		err = ErrRuleExists
	}
	return r, err
}

// RuleByID reads a CC rule of a domain; hub.ErrNotFound.
func RuleByID(ctx context.Context, domain, id string) (CCRule, error) {
	var r CCRule
	err := Read(ctx).Take(&r, "id = ? AND domain_id = ?", id, domain).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = hub.ErrNotFound
	}
	return r, err
}

// SetRuleActive switches a rule. Off, the links already sent for it stop
// working in the same transaction; the caller then ends their connections
// (hub.Host.Revoke). hub.ErrNotFound.
func SetRuleActive(ctx context.Context, domain, id string, active bool) error {
	return Tx(ctx, func(ctx context.Context) error {
		r := DB(ctx).Model(&CCRule{}).Where("id = ? AND domain_id = ?", id, domain).Update("active", active)
		if r.Error != nil {
			return r.Error
		}
		if r.RowsAffected == 0 {
			return hub.ErrNotFound
		}
		if active {
			return nil
		}
		return revokeLinksOf(ctx, domain, id)
	})
}

// RemoveRule deletes a rule and ends its links, as [SetRuleActive] does.
func RemoveRule(ctx context.Context, domain, id string) error {
	return Tx(ctx, func(ctx context.Context) error {
		r := DB(ctx).Where("id = ? AND domain_id = ?", id, domain).Delete(&CCRule{})
		if r.Error != nil {
			return r.Error
		}
		if r.RowsAffected == 0 {
			return hub.ErrNotFound
		}
		return revokeLinksOf(ctx, domain, id)
	})
}
