package storage

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/bellhub/bellhub/hub"
)

// Domain is a website with a widget of its own.
type Domain struct {
	ID        string
	Key       string `gorm:"column:widget_key"` // public; also the domain's reference in emails
	Name      string
	TimeZone  string // IANA name: what people read is written in it
	AI        bool   `gorm:"column:ai"`
	CreatedAt time.Time
	Origins   []DomainOrigin // by origin; filled by every function that returns one domain
}

// DomainOrigin is a host[:port] whose pages may embed the domain's widget.
type DomainOrigin struct {
	DomainID string `gorm:"primaryKey"`
	Origin   string `gorm:"primaryKey"`
}

// Location is the domain's time zone; UTC where its name is not known.
func (d Domain) Location() *time.Location {
	if loc, err := time.LoadLocation(d.TimeZone); err == nil {
		return loc
	}
	return time.UTC
}

// Hosts lists the domain's origins as text.
func (d Domain) Hosts() []string {
	hosts := make([]string, len(d.Origins))
	for i, o := range d.Origins {
		hosts[i] = o.Origin
	}
	return hosts
}

// ErrKeyTaken is a widget key that another domain has.
var ErrKeyTaken = errors.New("storage: the widget key is taken")

// AddDomain makes a domain. An empty Key gets a random one, an empty TimeZone
// is UTC. The caller has validated the fields. ErrKeyTaken.
func AddDomain(ctx context.Context, d Domain, origins ...string) (Domain, error) {
	d.ID, d.CreatedAt = NewID(), hub.Now()
	if d.Key == "" {
		d.Key = newKey()
	}
	if d.TimeZone == "" {
		d.TimeZone = "UTC"
	}
	err := Tx(ctx, func(ctx context.Context) error {
		if err := DB(ctx).Omit(clause.Associations).Create(&d).Error; err != nil {
			if unique(err) {
				return ErrKeyTaken
			}
			return err
		}
		return setOrigins(ctx, d.ID, origins)
	})
	if err != nil {
		return Domain{}, err
	}
	From(ctx).seen.forget()
	return DomainByID(ctx, d.ID)
}

// DomainByID reads a domain; hub.ErrNotFound.
func DomainByID(ctx context.Context, id string) (Domain, error) {
	return oneDomain(ctx, "id = ?", id)
}

// DomainByKey reads a domain by its widget key; hub.ErrNotFound.
func DomainByKey(ctx context.Context, key string) (Domain, error) {
	d, err := oneDomain(ctx, "widget_key = ?", key)
	if err == nil && d.Key != key { // MySQL takes no heed of spaces at the end
		return Domain{}, hub.ErrNotFound
	}
	return d, err
}

func oneDomain(ctx context.Context, where string, arg string) (Domain, error) {
	var d Domain
	err := Read(ctx).Preload("Origins", func(db *gorm.DB) *gorm.DB { return db.Order("origin") }).Take(&d, where, arg).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Domain{}, hub.ErrNotFound
	}
	return d, err
}

// UpdateDomain stores a domain's name, time zone, AI switch and origins.
func UpdateDomain(ctx context.Context, d Domain, origins []string) error {
	err := Tx(ctx, func(ctx context.Context) error {
		r := DB(ctx).Model(&Domain{}).Where("id = ?", d.ID).
			Updates(map[string]any{"name": d.Name, "time_zone": d.TimeZone, "ai": d.AI})
		if r.Error != nil {
			return r.Error
		}
		if r.RowsAffected == 0 {
			return hub.ErrNotFound
		}
		return setOrigins(ctx, d.ID, origins)
	})
	From(ctx).seen.forget()
	return err
}

func setOrigins(ctx context.Context, domain string, origins []string) error {
	if err := DB(ctx).Where("domain_id = ?", domain).Delete(&DomainOrigin{}).Error; err != nil {
		return err
	}
	slices.Sort(origins)
	var rows []DomainOrigin
	for _, o := range slices.Compact(origins) {
		rows = append(rows, DomainOrigin{DomainID: domain, Origin: o})
	}
	if len(rows) == 0 {
		return nil
	}
	return DB(ctx).Create(&rows).Error
}

// CountDomains tells how many domains there are.
func CountDomains(ctx context.Context) (n int64, err error) {
	err = Read(ctx).Model(&Domain{}).Count(&n).Error
	return n, err
}

// Origins lists the origins of all domains: what a handshake may come from.
// The answer is at most two seconds old.
func Origins(ctx context.Context) ([]string, error) {
	s := From(ctx)
	if all, ok := s.seen.origins(); ok {
		return all, nil
	}
	var all []string
	err := Read(ctx).Model(&DomainOrigin{}).Distinct("origin").Order("origin").Pluck("origin", &all).Error
	if err == nil {
		s.seen.keepOrigins(all)
	}
	return all, err
}

// DomainByKey implements [hub.Store].
func (s *Store) DomainByKey(ctx context.Context, key string) (hub.Domain, error) {
	if d, ok := s.seen.domain(key); ok {
		return d, nil
	}
	d, err := DomainByKey(With(ctx, s), key)
	if err != nil {
		return hub.Domain{}, err
	}
	out := hub.Domain{ID: d.ID, Key: d.Key, Name: d.Name, Origins: d.Hosts(), AI: d.AI}
	s.seen.keepDomain(out)
	return out, nil
}

// AIOn tells whether a domain's AI answers. The answer is at most two seconds
// old.
func AIOn(ctx context.Context, domain string) (bool, error) {
	s := From(ctx)
	if on, ok := s.seen.ai(domain); ok {
		return on, nil
	}
	var d Domain
	if err := Read(ctx).Select("ai").Take(&d, "id = ?", domain).Error; err != nil {
		return false, err
	}
	s.seen.keepAI(domain, d.AI)
	return d.AI, nil
}

// cacheLife is how long a node may not know of a change to a domain that
// another process made.
const cacheLife = 2 * time.Second

// domainCache remembers domains by key and the union of their origins, so that
// a crowd that reconnects does not ask for each one. It keeps no misses: a
// domain just added works at once.
type domainCache struct {
	mu      sync.Mutex
	domains map[string]cached[hub.Domain]
	on      map[string]cached[bool] // AI, by the domain's id
	all     cached[[]string]
}

type cached[T any] struct {
	value T
	until time.Time
}

func (c *domainCache) domain(key string) (hub.Domain, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got, ok := c.domains[key]
	return got.value.Clone(), ok && time.Now().Before(got.until)
}

func (c *domainCache) keepDomain(d hub.Domain) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.domains == nil {
		c.domains = map[string]cached[hub.Domain]{}
	}
	c.domains[d.Key] = cached[hub.Domain]{d.Clone(), time.Now().Add(cacheLife)}
}

func (c *domainCache) origins() ([]string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all.value, time.Now().Before(c.all.until)
}

func (c *domainCache) keepOrigins(all []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = cached[[]string]{all, time.Now().Add(cacheLife)}
}

func (c *domainCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.domains, c.on, c.all = nil, nil, cached[[]string]{}
}

func (c *domainCache) ai(id string) (on, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.on[id]
	return got.value, time.Now().Before(got.until)
}

func (c *domainCache) keepAI(id string, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.on == nil {
		c.on = map[string]cached[bool]{}
	}
	c.on[id] = cached[bool]{on, time.Now().Add(cacheLife)}
}
