package webhooks

import (
	"context"
	"errors"
	"flag"
	"sync"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// Plugin delivers events to the domains' endpoints, and asks them for decisions.
type Plugin struct {
	allow hub.Networks

	host     *hub.Host
	sender   *sender // of deliveries
	asker    *sender // of questions: a visitor waits, so no delivery is in their way
	registry *registry
	slow     *gate // endpoints of deliveries that keep us waiting
	places   *places
	asking   *gate // decision endpoints that fail
	troubles *troubles

	delivered func(outcome string) // counts
	decided   func(outcome string) // counts
}

var (
	_ hub.Plugin       = (*Plugin)(nil)
	_ hub.Configurable = (*Plugin)(nil)
	_ hub.Worded       = (*Plugin)(nil)
	_ hub.Runner       = (*Plugin)(nil)
	_ hub.Closer       = (*Plugin)(nil)
	_ hub.Pager        = (*Plugin)(nil)
)

// New makes the plugin.
func New() *Plugin { return &Plugin{} }

// ID is webhooks.
func (p *Plugin) ID() string { return "webhooks" }

// Flags are the operator's settings.
func (p *Plugin) Flags(fs *flag.FlagSet) {
	fs.Var(&p.allow, "webhooks-allow", "`networks` beside the public internet that webhooks may reach, also over http, as in 10.0.0.0/8,192.168.1.7; may be repeated")
}

// The orders of the hooks: a decision costs a request, so it comes after the
// hooks that refuse for nothing, and deliveries are made of what is left.
const (
	orderDecide  = 50
	orderDeliver = 60
)

// Init binds the two hooks.
func (p *Plugin) Init(_ context.Context, h *hub.Host) error {
	p.host = h
	p.sender, p.asker = newSender(p.allow), newSender(p.allow)
	p.registry = newRegistry()
	p.slow = newGate(slowFailures, slowPause)
	p.places = newPlaces()
	p.asking = newGate(askFailures, askPause)
	p.troubles = newTroubles()
	p.delivered = h.Counter("deliveries", "Attempts to deliver an event to an endpoint: delivered, or why not.", "outcome", outcomeNames()...)
	p.decided = h.Counter("decisions", "Questions about a visitor's message to a decision endpoint, by its answer, or why there was none.", "outcome", decisionNames()...)
	h.Hooks.EventAppending.Bind(h, p.decide, hub.Order(orderDecide), hub.Timeout(askTimeout))
	h.Hooks.EventAppending.Bind(h, p.follow, hub.Order(orderDeliver))
	return nil
}

// jobDeliver is the kind of the jobs that deliver an event.
const jobDeliver = "webhooks.deliver"

// order is the payload of such a job.
type order struct {
	Domain   string `json:"domain"`
	Endpoint string `json:"endpoint"`
	// Delivery is the id of what is replayed. Empty: the job's key is the id of
	// a new delivery, of the event that caused the job.
	Delivery string `json:"delivery,omitempty"`
}

// follow adds a job to an event for every endpoint that wants it. Room and number
// come to the worker with the job.
func (p *Plugin) follow(ctx context.Context, e hub.EventAppending) (hub.EventAppending, error) {
	entry, err := p.registry.of(ctx, e.Room.Domain)
	if err != nil {
		return e, hub.Unavailable(err)
	}
	for _, t := range entry.targets {
		if t.events.has(e.Event.Type) {
			e.Jobs = append(e.Jobs, hub.Job{
				Kind: jobDeliver, Key: storage.NewID(), Payload: hub.MarshalData(order{Domain: e.Room.Domain, Endpoint: t.id}),
			})
		}
	}
	return e, nil
}

const (
	// concurrency is how many deliveries are under way at a time on one node:
	// nearly all of their time is waiting.
	concurrency = 32
	// sendTimeout is what an endpoint has to answer in; Standard Webhooks
	// advises 15 to 30 s.
	sendTimeout = 15 * time.Second
	// paperwork is what a delivery may take beyond that, to read the event and
	// to write down how it went.
	paperwork = 10 * time.Second
)

// Run delivers, keeps the books, and forgets old deliveries, until ctx ends.
func (p *Plugin) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var tidy sync.WaitGroup
	defer tidy.Wait()
	defer cancel() // also where the work panics
	tidy.Go(func() { p.tidy(ctx) })
	return storage.Work(ctx, storage.Worker{Kind: jobDeliver, Concurrency: concurrency, Timeout: sendTimeout + paperwork, Do: p.deliver})
}

// tidyEvery is how often old deliveries are deleted.
const tidyEvery = time.Hour

func (p *Plugin) tidy(ctx context.Context) {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		if err := purge(ctx, hub.Now().Add(-deliveryLife)); err != nil && ctx.Err() == nil {
			p.host.Log.Error("webhooks: purge", "err", err)
		}
		for again := false; !again; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				again = true
			case t := <-p.troubles.found:
				if err := t.write(ctx); err != nil && !errors.Is(err, hub.ErrNotFound) && ctx.Err() == nil {
					p.host.Log.Error("webhooks: note a failed decision", "err", err)
				}
			}
		}
	}
}

// Close ends the connections that are kept for a next request.
func (p *Plugin) Close(context.Context) error {
	if p.asker != nil { // Init got that far
		p.sender.close()
		p.asker.close()
	}
	return nil
}
