package storage

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/bellhub/bellhub/hub"
)

// AdminAccount is a person who may sign in to the console.
type AdminAccount struct {
	ID        string
	Email     string // lower case
	Name      string // as visitors see it; empty until the person has said
	Operator  bool   // may see every domain and add new ones
	CreatedAt time.Time
}

// TableName is admins.
func (AdminAccount) TableName() string { return "admins" }

// membership lets an admin who is no operator see a domain.
type membership struct {
	AdminID   string `gorm:"primaryKey"`
	DomainID  string `gorm:"primaryKey"`
	CreatedAt time.Time
}

// EnsureAdmin finds the admin with an address, or makes one: an operator if no
// domain is given, else a member of those domains. For one who exists, the
// domains are added and nothing is taken away.
func EnsureAdmin(ctx context.Context, email string, domains ...string) (AdminAccount, error) {
	var a AdminAccount
	err := Tx(ctx, func(ctx context.Context) error {
		err := DB(ctx).Take(&a, "email = ?", email).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			a = AdminAccount{ID: NewID(), Email: email, Operator: len(domains) == 0, CreatedAt: hub.Now()}
			err = DB(ctx).Create(&a).Error
		}
		if err != nil {
			return err
		}
		for _, d := range domains {
			m := membership{AdminID: a.ID, DomainID: d, CreatedAt: hub.Now()}
			if err := DB(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&m).Error; err != nil {
				return err
			}
		}
		return nil
	})
	return a, err
}

// RenameAdmin sets the name that visitors see.
func RenameAdmin(ctx context.Context, id, name string) error {
	return DB(ctx).Model(&AdminAccount{}).Where("id = ?", id).Update("name", name).Error
}

// DomainsOf lists the domains that a signed-in admin may see, by name.
func DomainsOf(ctx context.Context, who hub.Identity) ([]Domain, error) {
	if !who.SignedIn() {
		return nil, nil
	}
	q := Read(ctx).Model(&Domain{})
	if !who.Operator {
		q = q.Where("id IN (?)", Read(ctx).Model(&membership{}).Select("domain_id").Where("admin_id = ?", who.ID))
	}
	var all []Domain
	return all, q.Order("name, id").Find(&all).Error
}

// MayAdmin is nil where a signed-in admin may see and change a domain;
// hub.ErrNotFound otherwise, so that nobody learns which domains exist.
func MayAdmin(ctx context.Context, who hub.Identity, domain string) error {
	if !who.SignedIn() {
		return hub.ErrNotFound
	}
	q := Read(ctx).Model(&membership{}).Where("admin_id = ? AND domain_id = ?", who.ID, domain)
	if who.Operator {
		q = Read(ctx).Model(&Domain{}).Where("id = ?", domain)
	}
	var n int64
	if err := q.Count(&n).Error; err != nil {
		return err
	}
	if n == 0 {
		return hub.ErrNotFound
	}
	return nil
}

// DomainFor reads a domain for whoever ctx carries as [hub.IdentityOf], which the
// server puts into each request's context: what a plugin's routes ask first.
// ErrNotFound where there is no such domain, and where who asks may not see it.
func DomainFor(ctx context.Context, id string) (Domain, error) {
	if err := MayAdmin(ctx, hub.IdentityOf(ctx), id); err != nil {
		return Domain{}, err
	}
	return DomainByID(ctx, id)
}

// MayWatch implements [hub.Store]. The session is asked for again, since a
// connection outlives the request that opened it.
func (s *Store) MayWatch(ctx context.Context, who hub.Identity, domain string) error {
	ctx = With(ctx, s)
	account, err := signedIn(ctx, who.Session)
	if err != nil {
		return err
	}
	return MayAdmin(ctx, account.identity(who.Session), domain)
}

// EnterAdmin implements [hub.Store]: a member of the room's domain comes in as
// itself, anybody else by a grant that is still valid.
func (s *Store) EnterAdmin(ctx context.Context, who hub.Identity, roomID string) (hub.Access, hub.Room, error) {
	ctx = With(ctx, s)
	r, err := s.Room(ctx, roomID)
	if err != nil {
		return hub.Access{}, hub.Room{}, err
	}
	account, err := signedIn(ctx, who.Session)
	if err != nil && !errors.Is(err, hub.ErrNotFound) {
		return hub.Access{}, hub.Room{}, err
	}
	if err == nil {
		i := account.identity(who.Session)
		if err = MayAdmin(ctx, i, r.Domain); err == nil {
			name := i.Name
			if name == "" {
				name = DefaultName
			}
			return hub.Access{Author: hub.Author{Kind: hub.Admin, ID: i.ID, Name: name}, Session: who.Session}, r, nil
		}
		if !errors.Is(err, hub.ErrNotFound) {
			return hub.Access{}, hub.Room{}, err
		}
	}
	g, err := GrantFor(ctx, who.Session, roomID)
	if err != nil {
		return hub.Access{}, hub.Room{}, err
	}
	return hub.Access{
		Author:  hub.Author{Kind: hub.Admin, ID: g.RuleID, Name: g.Name},
		Session: who.Session, Link: g.LinkID, Rule: g.RuleID,
	}, r, nil
}

// DefaultName is what visitors see of an admin who chose no name.
const DefaultName = "Team"
