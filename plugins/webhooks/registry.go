package webhooks

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellhub/bellhub/storage"
)

// The registry's age. It is read anew by the first message after freshFor, while
// others go on with what is there; what is older than staleAfter is used by
// nobody, so that an endpoint added on another node is known within that.
const (
	freshFor   = time.Second
	staleAfter = 2 * time.Second
	readWithin = 800 * time.Millisecond // twice that, waiting for another's, is less than a hook has
)

// registry knows who wants what, of all domains. It is read once a second at most,
// and not while nobody writes. A message costs a look into a map, and so does one of
// a domain without endpoints.
type registry struct {
	known   atomic.Pointer[directory]
	keys    sync.Map      // of domains, by id: they never change
	reading chan struct{} // holds one token: who has it reads
}

type directory struct {
	at      time.Time
	domains map[string]*entry
}

// entry is what a domain has set up.
type entry struct {
	targets []target // active endpoints
	decider *decider // nil: none, or switched off
}

type target struct {
	id     string
	events eventSet
}

var noEntry = &entry{}

func newRegistry() *registry {
	r := &registry{reading: make(chan struct{}, 1)}
	r.reading <- struct{}{}
	return r
}

// of returns a domain's entry, which nobody may change. It fails only where the
// database does.
func (r *registry) of(ctx context.Context, domain string) (*entry, error) {
	d := r.known.Load()
	switch {
	case d != nil && time.Since(d.at) < freshFor:
	case d != nil && time.Since(d.at) < staleAfter:
		select {
		case <-r.reading:
			fresh, err := r.refresh(ctx)
			if err == nil { // else it does for now
				d = fresh
			}
		default: // somebody reads
		}
	default:
		select {
		case <-r.reading:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		// Who had the token before may have read.
		if d = r.known.Load(); d != nil && time.Since(d.at) < freshFor {
			r.reading <- struct{}{}
			break
		}
		var err error
		if d, err = r.refresh(ctx); err != nil {
			return nil, err
		}
	}
	if e := d.domains[domain]; e != nil {
		return e, nil
	}
	return noEntry, nil
}

// forget makes this node read anew: something was changed here.
func (r *registry) forget() { r.known.Store(nil) }

// refresh reads, and gives the token back.
func (r *registry) refresh(ctx context.Context) (*directory, error) {
	defer func() { r.reading <- struct{}{} }()
	// Others wait for it too, so it outlives who asked.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readWithin)
	defer cancel()
	d := &directory{at: time.Now(), domains: map[string]*entry{}} // as of before it was read
	of := func(domain string) *entry {
		e := d.domains[domain]
		if e == nil {
			e = &entry{}
			d.domains[domain] = e
		}
		return e
	}
	var all []endpoint
	err := storage.Read(ctx).Select("id", "domain_id", "events").Where("state = ?", endpointActive).Order("id").Find(&all).Error
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		e := of(one.DomainID)
		e.targets = append(e.targets, target{one.ID, one.Events})
	}
	var deciders []decider
	if err := storage.Read(ctx).Where("active = ?", true).Find(&deciders).Error; err != nil {
		return nil, err
	}
	for _, one := range deciders {
		of(one.DomainID).decider = &one
	}
	r.known.Store(d)
	return d, nil
}

// key is the widget key of a domain, by which outsiders know it.
func (r *registry) key(ctx context.Context, domain string) (string, error) {
	if key, ok := r.keys.Load(domain); ok {
		return key.(string), nil
	}
	d, err := storage.DomainByID(ctx, domain)
	if err != nil {
		return "", err
	}
	r.keys.Store(domain, d.Key)
	return d.Key, nil
}
