package demo

import (
	"context"
	"errors"

	"github.com/bellhub/bellhub/storage"
)

// Key is the widget key of the demo's domain.
const Key = "demo"

// Recipient is whom the demo's bell is emailed to.
const Recipient = storage.DeveloperEmail

// Seed makes the demo's domain, whose widget the pages of origins may embed,
// with its knowledge and one active CC rule. Where there is a domain already it
// does nothing: what is there is its owner's.
func Seed(ctx context.Context, origins ...string) error {
	err := storage.Tx(ctx, func(ctx context.Context) error {
		n, err := storage.CountDomains(ctx)
		if err != nil || n > 0 {
			return err
		}
		d, err := storage.AddDomain(ctx, storage.Domain{Key: Key, Name: "Kopi Tugu", TimeZone: "Asia/Jakarta", AI: true}, origins...)
		if err != nil {
			return err
		}
		if err := storage.AddKnowledge(ctx, d.ID, Knowledge()...); err != nil {
			return err
		}
		_, err = storage.AddRule(ctx, storage.CCRule{DomainID: d.ID, Email: Recipient, Label: "Support", AddedBy: Recipient})
		return err
	})
	if errors.Is(err, storage.ErrKeyTaken) {
		return nil // another process was first
	}
	return err
}
