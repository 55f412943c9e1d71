package webhooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// maxDescription bounds an endpoint's description, in characters.
const maxDescription = 100

// doneCodes are what a form can have done: keys of the texts, behind
// "webhooks.done.".
var doneCodes = map[string]bool{
	"changed": true, "paused": true, "resumed": true, "removed": true,
	"replayed": true, "replayedAll": true, "nothing": true, "saved": true, "decisionRemoved": true,
}

// text writes a value for a placeholder.
func text(v any) string { return fmt.Sprint(v) }

// act does what a form asks for. It returns what was done, which sends the reader
// on, or fills in what the page is to show instead: a fault, a secret, or how a
// test went.
func (p *Plugin) act(ctx context.Context, r hub.PageRequest, v *view) (done string, err error) {
	defer p.registry.forget()
	id := r.Form.Get("endpoint")
	switch r.Form.Get("do") {
	case "add", "change":
		return p.save(ctx, r, id, v)
	case "pause":
		return "paused", setState(ctx, r.Domain, id, endpointPaused)
	case "resume":
		return "resumed", p.mended(id, setState(ctx, r.Domain, id, endpointActive))
	case "remove":
		return "removed", removeEndpoint(ctx, r.Domain, id)
	case "rotate":
		e, err := rotateEndpoint(ctx, r.Domain, id)
		v.Secret = &shownSecret{e.URL, string(e.Keys.Secret), true}
		return "", err
	case "test":
		return "", p.test(ctx, r.Domain, id, v)
	case "replay", "replay-failed":
		return p.replay(ctx, r, v)
	}
	v.View = viewDecision
	switch r.Form.Get("do") {
	case "decide":
		return p.saveDecider(ctx, r, v)
	case "decide-remove":
		return "decisionRemoved", removeDecider(ctx, r.Domain)
	case "decide-rotate":
		d, err := rotateDecider(ctx, r.Domain)
		v.Secret = &shownSecret{d.URL, string(d.Keys.Secret), true}
		return "", err
	case "decide-test":
		d, err := deciderOf(ctx, r.Domain)
		if err != nil {
			return "", err
		}
		return "", p.ping(ctx, r.Domain, d.URL, d.Keys, "msg_"+storage.NewID(), v)
	}
	return "", hub.ErrNotFound
}

// mended ends the pause of an endpoint that its owner has mended. err is how that
// went: an id that is not the domain's own changes nothing.
func (p *Plugin) mended(id string, err error) error {
	if err == nil {
		p.slow.forget(id)
	}
	return err
}

// save adds an endpoint, or changes one.
func (p *Plugin) save(ctx context.Context, r hub.PageRequest, id string, v *view) (done string, err error) {
	f := form{ID: id, URL: r.Form.Get("url"), Open: true}
	e := endpoint{DomainID: r.Domain, Events: newEventSet(r.Form["event"])}
	for _, t := range eventTypes {
		f.Events = append(f.Events, choice{t, e.Events.has(t)})
	}
	e.URL, f.URLFault = p.sender.parseURL(f.URL)
	f.Description = strings.TrimSpace(r.Form.Get("description"))
	if f.Description != "" {
		var ok bool
		if e.Description, ok = hub.CleanName(f.Description, maxDescription); !ok {
			f.DescriptionFault = "webhooks.error.description"
		}
	}
	if e.Events == "" {
		f.EventsFault = "webhooks.error.events"
	}
	if f.URLFault+f.DescriptionFault+f.EventsFault != "" {
		v.Form = f
		return "", nil
	}
	if id != "" {
		return "changed", p.mended(id, changeEndpoint(ctx, r.Domain, id, map[string]any{
			"url": e.URL, "description": e.Description, "events": string(e.Events),
		}))
	}
	e, err = addEndpoint(ctx, e)
	if errors.Is(err, errFull) {
		v.Fault = "webhooks.error.full"
		return "", nil
	}
	v.Secret = &shownSecret{URL: e.URL, Secret: string(e.Keys.Secret)}
	return "", err
}

const (
	// testTimeout is what an endpoint has to answer a test in: somebody waits
	// for the page.
	testTimeout = 10 * time.Second
	// testBytes is how much of its answer the page shows.
	testBytes = 500
)

// test sends an endpoint a ping, which is listed among its deliveries.
func (p *Plugin) test(ctx context.Context, domain, id string, v *view) error {
	e, err := endpointIn(ctx, domain, id)
	if err != nil {
		return err
	}
	d := delivery{ID: storage.NewID(), DomainID: domain, EndpointID: id, Type: typePing, State: deliveryFailed, Attempts: 1, CreatedAt: hub.Now()}
	if err := p.ping(ctx, domain, e.URL, e.Keys, "msg_"+d.ID, v); err != nil {
		return err
	}
	d.Outcome, d.Status, d.Detail, d.TookMS = strings.TrimPrefix(v.Tested.Outcome, "webhooks.outcome."), v.Tested.Status, v.Tested.Detail, v.Tested.Took
	if v.Tested.OK {
		d.State = deliveryDelivered
	}
	return record(ctx, d)
}

// ping sends a test the way that everything goes.
func (p *Plugin) ping(ctx context.Context, domain, to string, k keys, id string, v *view) error {
	key, err := p.registry.key(ctx, domain)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	a, err := p.sender.send(ctx, to, k, id, pingBody(key, hub.Now()), testBytes)
	if err != nil {
		return err
	}
	v.Tested = newTested(to, a)
	return nil
}

// replay sends one delivery again, or all that failed.
func (p *Plugin) replay(ctx context.Context, r hub.PageRequest, v *view) (done string, err error) {
	v.View = viewDeliveries
	if s := r.Form.Get("state"); slices.Contains([]string{deliveryFailed, deliveryDelivered}, s) {
		v.State = s
	}
	if r.Form.Get("do") == "replay-failed" {
		n, err := replayFailed(ctx, r.Domain)
		if n == 0 {
			return "nothing", err
		}
		return "replayedAll", err
	}
	err = replay(ctx, r.Domain, r.Form.Get("delivery"))
	if errors.Is(err, errNotNow) {
		v.Fault = "webhooks.error.replay"
		return "", nil
	}
	return "replayed", err
}

// saveDecider makes or changes the decision endpoint.
func (p *Plugin) saveDecider(ctx context.Context, r hub.PageRequest, v *view) (done string, err error) {
	f := askForm{
		URL: r.Form.Get("url"), Deadline: strings.TrimSpace(r.Form.Get("deadline")),
		Active: r.Form.Get("active") == "on", FailClosed: r.Form.Get("without") == "refuse",
	}
	d := decider{DomainID: r.Domain, Active: f.Active, FailClosed: f.FailClosed}
	d.URL, f.URLFault = p.sender.parseURL(f.URL)
	if d.DeadlineMS, err = strconv.Atoi(f.Deadline); err != nil || d.DeadlineMS < minDeadline || d.DeadlineMS > maxDeadline {
		f.DeadlineFault = "webhooks.error.deadline"
	}
	if f.URLFault+f.DeadlineFault != "" {
		v.Ask = f
		return "", nil
	}
	p.asking.forget(r.Domain)
	p.troubles.forget(r.Domain)
	made, err := saveDecider(ctx, d)
	if err != nil || made == "" {
		return "saved", err
	}
	v.Secret = &shownSecret{URL: d.URL, Secret: string(made)}
	return "", nil
}
