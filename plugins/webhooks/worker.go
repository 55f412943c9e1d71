package webhooks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// An endpoint that kept us waiting for [slowAfter] and then failed, this often in
// a row, is left alone for the pause: its deliveries would keep their places from
// those that may arrive. What comes meanwhile waits as if it had been tried, and
// so does what finds none of the [places]. The last attempt is made in any case.
const (
	slowFailures = 3
	slowAfter    = 3 * time.Second
	slowPause    = 30 * time.Second
)

// deliver makes one attempt at a delivery. It may run again after it had
// succeeded, if the node died before saying so: what the delivery's row says then
// decides whether anything is left to do.
//
// The row is what people see, so a delivery that is given up has a job that is
// done; a job fails only where the row could not be written.
func (p *Plugin) deliver(ctx context.Context, t storage.Task) error {
	var o order
	if err := t.Decode(&o); err != nil {
		return storage.Permanent(fmt.Errorf("webhooks: the job names no endpoint: %w", err))
	}
	d, err := deliveryIn(ctx, o.Domain, cmp.Or(o.Delivery, t.Key))
	switch {
	case errors.Is(err, hub.ErrNotFound) && o.Delivery != "":
		return nil // forgotten, long after
	case errors.Is(err, hub.ErrNotFound):
		d = delivery{ID: t.Key, DomainID: o.Domain, EndpointID: o.Endpoint, RoomID: t.Room, Seq: t.Seq, CreatedAt: hub.Now()}
	case err != nil:
		return err
	case d.State != deliveryWaiting:
		return nil
	}
	e, err := endpointIn(ctx, o.Domain, o.Endpoint)
	if errors.Is(err, hub.ErrNotFound) {
		if d.Type == "" {
			return nil // never seen, and nobody to ask for it
		}
		return p.giveUp(ctx, d, outcomeRemoved)
	}
	if err != nil {
		return err
	}
	body, err := p.read(ctx, &d)
	switch {
	case errors.Is(err, hub.ErrNotFound):
		return p.giveUp(ctx, d, outcomeLost)
	case err != nil:
		return err
	case e.State != endpointActive:
		return p.giveUp(ctx, d, outcomePaused)
	}
	return p.attempt(ctx, t, d, e, body)
}

// read makes the body of a delivery from the log; hub.ErrNotFound where that has
// no such event any more.
func (p *Plugin) read(ctx context.Context, d *delivery) ([]byte, error) {
	room, err := p.host.Room(ctx, d.RoomID)
	if err != nil {
		return nil, err
	}
	if room.Domain != d.DomainID {
		return nil, hub.ErrNotFound
	}
	events, _, err := p.host.Events(ctx, d.RoomID, hub.Range{After: d.Seq - 1, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(events) == 0 || events[0].Seq != d.Seq {
		return nil, hub.ErrNotFound
	}
	d.Type = createdType(events[0].Type)
	domain, err := p.registry.key(ctx, d.DomainID)
	if err != nil {
		return nil, err
	}
	return eventBody(domain, room, events[0]), nil
}

func (p *Plugin) attempt(ctx context.Context, t storage.Task, d delivery, e endpoint, body []byte) error {
	a, err := p.try(ctx, t, d, e, body)
	if err != nil {
		return err
	}
	if a.Outcome != outcomeHeld && a.Outcome != outcomeBusy {
		d.Attempts++
	}
	d.Status, d.Outcome, d.Detail, d.TookMS, d.NextAt = a.Status, a.Outcome, a.Detail, a.Took.Milliseconds(), nil
	p.delivered(a.Outcome)
	switch {
	case a.Outcome == outcomeDelivered:
		d.State = deliveryDelivered
		return errors.Join(record(ctx, d), noteDelivered(ctx, e))
	case a.Outcome == outcomeGone:
		if err := setState(ctx, e.DomainID, e.ID, endpointGone); err != nil && !errors.Is(err, hub.ErrNotFound) {
			return err
		}
		p.registry.forget()
		p.host.Log.Warn("webhooks: the endpoint is gone (410) and switched off", "endpoint", e.ID, "domain", e.DomainID)
		d.State = deliveryFailed
		return record(ctx, d)
	case t.Last && a.Outcome == outcomeBusy:
		return p.goOn(ctx, d)
	case t.Last:
		d.State = deliveryFailed
		return p.failed(ctx, d)
	}
	wait := max(spread(storage.Schedule[t.Attempt-1]), a.RetryAfter)
	next := hub.Now().Add(wait)
	d.State, d.NextAt = deliveryWaiting, &next
	if err := record(ctx, d); err != nil {
		return err
	}
	return storage.After(wait, fmt.Errorf("webhooks: endpoint %s: %s (%d)", e.ID, a.Outcome, a.Status))
}

// spread is by how much [storage.Schedule] varies its waits. It is done here, so
// that the delivery's row has the time at which its job is due.
func spread(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// try sends a delivery, unless its endpoint is held back or has no place for it.
func (p *Plugin) try(ctx context.Context, t storage.Task, d delivery, e endpoint, body []byte) (answer, error) {
	if !t.Last && !p.slow.open(e.ID) {
		return answer{Outcome: outcomeHeld}, nil
	}
	leave, ok := p.places.take(ctx, e.ID)
	if !ok {
		return answer{Outcome: outcomeBusy}, nil
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	a, err := p.sender.send(ctx, e.URL, e.Keys, "msg_"+d.ID, body, 0)
	if err == nil {
		p.slow.note(e.ID, a.Outcome == outcomeDelivered || a.Took < slowAfter)
	}
	return a, err
}

// goOn gives a delivery, whose last attempt found no place, another job: nothing
// has failed.
func (p *Plugin) goOn(ctx context.Context, d delivery) error {
	return storage.Tx(ctx, func(ctx context.Context) error {
		if err := record(ctx, d); err != nil {
			return err
		}
		return again(ctx, []delivery{d})
	})
}

// failed ends a delivery that has had its attempts, and counts it against its
// endpoint.
func (p *Plugin) failed(ctx context.Context, d delivery) error {
	if err := record(ctx, d); err != nil {
		return err
	}
	stopped, err := noteFailed(ctx, d.DomainID, d.EndpointID)
	if stopped {
		p.registry.forget()
		p.host.Log.Warn("webhooks: the endpoint is switched off, nothing has arrived for too long", "endpoint", d.EndpointID, "domain", d.DomainID)
	}
	return err
}

// giveUp ends a delivery of which nothing is sent.
func (p *Plugin) giveUp(ctx context.Context, d delivery, outcome string) error {
	p.delivered(outcome)
	d.State, d.Status, d.Outcome, d.Detail, d.TookMS, d.NextAt = deliveryFailed, 0, outcome, "", 0, nil
	return record(ctx, d)
}
