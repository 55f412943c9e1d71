package storage

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/bellhub/bellhub/hub"
)

// MintRuleLink makes a link as [MintLink] does, for the recipient of the CC rule
// that l names, as long as that rule is active; hub.ErrNotFound otherwise.
//
// The rule's row is held until the link is written: a rule that is switched off
// at the same moment is either seen to be off here, or ends the new link with
// the others (see [SetRuleActive]).
func MintRuleLink(ctx context.Context, l Link) (out Link, token string, err error) {
	err = Tx(ctx, func(ctx context.Context) error {
		var r CCRule
		err := DB(ctx).Clauses(clause.Locking{Strength: "SHARE"}).
			Take(&r, "id = ? AND domain_id = ? AND active = ?", l.RuleID, l.DomainID, true).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return hub.ErrNotFound
		}
		if err != nil {
			return err
		}
		out, token, err = MintLink(ctx, l)
		return err
	})
	return out, token, err
}
