package storage

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/bellhub/bellhub/hub"
)

// RenewEvery is how often, at most, the holder of an expired link can have a
// new one emailed: whoever holds the old one can press the button, so it must
// not become a way to flood the recipient.
const RenewEvery = 5 * time.Minute

// RenewLink emails a new link to the recipient of an expired one, with the facts
// of the email that brought it. It tells whether it did: not where the rule is
// off, removed or now another address's, nor within RenewEvery of the last time
// for this rule and room. state is the new email's: EmailHeld where mail is not
// configured.
func RenewLink(ctx context.Context, l Link, state EmailState) (sent bool, err error) {
	err = Tx(ctx, func(ctx context.Context) error {
		sent = false
		var rule CCRule // locked: of two presses at once, one finds the other's email
		err := DB(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).
			Take(&rule, "id = ? AND domain_id = ? AND active = ? AND email = ?", l.RuleID, l.DomainID, true, l.Recipient).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		var recent int64
		err = DB(ctx).Model(&Email{}).
			Where("domain_id = ? AND room_id = ? AND rule_id = ? AND kind = ? AND created_at > ?",
				l.DomainID, l.RoomID, l.RuleID, EmailNewLink, hub.Now().Add(-RenewEvery)).Count(&recent).Error
		if err != nil || recent > 0 {
			return err
		}
		old, err := EmailByID(ctx, l.EmailID)
		if errors.Is(err, hub.ErrNotFound) || err == nil && old.DomainID != l.DomainID {
			return nil
		}
		if err != nil {
			return err
		}
		jobs, err := AddEmails(ctx, Email{
			DomainID: l.DomainID, RoomID: l.RoomID, EscalationID: old.EscalationID, RuleID: l.RuleID,
			Kind: EmailNewLink, Recipient: l.Recipient, Label: rule.Label, Subject: old.Subject, Data: old.Data, State: state,
		})
		if err != nil {
			return err
		}
		sent = true
		return Enqueue(ctx, jobs...)
	})
	return sent, err
}
