package webhooks

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

//go:embed templates
var files embed.FS

//go:embed texts
var words embed.FS

// templates are parsed once; their functions are bound to a language when a page
// is shown.
var templates = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"t": func(string, ...any) string { return "" },
}).ParseFS(files, "templates/*.html"))

// Texts are the words that people read.
func (p *Plugin) Texts() hub.Texts { return hub.ReadTexts(words, "texts/*.json") }

// Pages offers the console the domain's webhooks.
func (p *Plugin) Pages() []hub.Page {
	return []hub.Page{{
		Slug: "webhooks", Title: "webhooks.title", Render: p.render,
		Icon: "M16 8a2.25 2.25 0 1 0 0-4.5A2.25 2.25 0 0 0 16 8zM16 8v7a5.5 5.5 0 0 1-11 0v-3.5l3.5 3.5", // a hook
	}}
}

// The tabs of the page.
const (
	viewEndpoints  = ""
	viewDeliveries = "deliveries"
	viewDecision   = "decision"
)

// view is what the page shows.
type view struct {
	Path   string
	View   string
	Done   string // what the last form did: a key of the texts, or empty
	Fault  string // why it did nothing, likewise
	Failed int64  // deliveries that failed for good, or are overdue

	Secret *shownSecret
	Tested *tested

	// Of the endpoints.
	Endpoints []endpointRow
	Form      form // to add one
	Full      bool

	// Of the deliveries.
	Deliveries []deliveryRow
	State      string // the filter
	Older      string

	// Of the decision endpoint.
	Decider *decider
	Ask     askForm
}

// shownSecret is a secret on the one page that shows it.
type shownSecret struct {
	URL     string
	Secret  string
	Rotated bool // the one before still signs
}

// tested is how a test went.
type tested struct {
	URL     string
	OK      bool
	Outcome string // a key of the texts
	Detail  string
	Status  int
	Reason  string // of the status, as in Not Found
	Took    int64  // milliseconds
	Body    string // the beginning of the answer
}

// form is an endpoint as its owner fills it in.
type form struct {
	ID               string
	URL, Description string
	Events           []choice
	URLFault         string // keys of the texts
	DescriptionFault string
	EventsFault      string
	Open             bool // shown although it was not asked for: it has a fault
}

type choice struct {
	Name    hub.EventType
	Checked bool
}

// askForm is the decision endpoint as its owner fills it in.
type askForm struct {
	URL           string
	Deadline      string
	Active        bool
	FailClosed    bool
	URLFault      string
	DeadlineFault string
}

type endpointRow struct {
	endpoint
	Active       bool
	Wants        []hub.EventType
	Since        *time.Time // of a row of failures
	OldUntil     *time.Time // while the secret before signs too
	Form         form
	NeedsAnOwner bool // it was switched off by itself
}

type deliveryRow struct {
	delivery
	At, Next   *time.Time
	URL        string // of the endpoint; empty: removed
	Room       string // the path of its conversation
	Replayable bool
	Overdue    bool
}

func (p *Plugin) render(ctx context.Context, r hub.PageRequest) (hub.PageContent, error) {
	v := view{Path: r.Path, View: r.Form.Get("view")}
	if r.Post {
		done, err := p.act(ctx, r, &v)
		if err != nil {
			return hub.PageContent{}, err
		}
		if done != "" {
			to := url.Values{"done": {done}}
			if v.View != viewEndpoints {
				to.Set("view", v.View)
			}
			if v.State != "" {
				to.Set("state", v.State)
			}
			return hub.PageContent{Redirect: r.Path + "?" + to.Encode()}, nil
		}
	} else if done := r.Form.Get("done"); doneCodes[done] {
		v.Done = "webhooks.done." + done
	}
	domain, err := storage.DomainByID(ctx, r.Domain)
	if err != nil {
		return hub.PageContent{}, err
	}
	if err := p.fill(ctx, r, domain, &v); err != nil {
		return hub.PageContent{}, err
	}
	var out bytes.Buffer
	t := template.Must(templates.Clone()).Funcs(template.FuncMap{
		"t": func(key string, pairs ...any) string {
			texts := make([]string, len(pairs))
			for i, one := range pairs {
				texts[i] = text(one)
			}
			return p.host.Text(r.Lang, key, texts...)
		},
	})
	if err := t.Execute(&out, v); err != nil {
		return hub.PageContent{}, err
	}
	return hub.PageContent{HTML: template.HTML(out.String())}, nil // made by html/template
}

// fill reads what the tab shows.
func (p *Plugin) fill(ctx context.Context, r hub.PageRequest, domain storage.Domain, v *view) (err error) {
	if v.Failed, err = countFailed(ctx, domain.ID); err != nil {
		return err
	}
	switch v.View {
	case viewDeliveries:
		return p.fillDeliveries(ctx, r, domain, v)
	case viewDecision:
		return p.fillDecision(ctx, r, domain, v)
	}
	v.View = viewEndpoints
	return p.fillEndpoints(ctx, domain, v)
}

func (p *Plugin) fillEndpoints(ctx context.Context, domain storage.Domain, v *view) error {
	all, err := endpoints(ctx, domain.ID)
	if err != nil {
		return err
	}
	v.Full = len(all) >= maxEndpoints
	if v.Form.Events == nil {
		v.Form.Events = choices(eventTypes)
	}
	for _, e := range all {
		row := endpointRow{
			endpoint: e, Active: e.State == endpointActive, NeedsAnOwner: e.State == endpointGone || e.State == endpointStopped,
			Since: in(domain, e.FailingSince),
		}
		if e.Keys.OldUntil != nil && hub.Now().Before(*e.Keys.OldUntil) {
			row.OldUntil = in(domain, e.Keys.OldUntil)
		}
		for _, t := range eventTypes {
			if e.Events.has(t) {
				row.Wants = append(row.Wants, t)
			}
		}
		row.Form = form{ID: e.ID, URL: e.URL, Description: e.Description, Events: choices(row.Wants)}
		if v.Form.ID == e.ID { // it was sent, and has a fault
			row.Form, v.Form = v.Form, form{Events: choices(eventTypes)}
		}
		v.Endpoints = append(v.Endpoints, row)
	}
	if v.Form.ID != "" {
		return hub.ErrNotFound // it was removed meanwhile
	}
	return nil
}

func (p *Plugin) fillDeliveries(ctx context.Context, r hub.PageRequest, domain storage.Domain, v *view) error {
	switch state := r.Form.Get("state"); state {
	case deliveryFailed, deliveryWaiting, deliveryDelivered:
		v.State = state
	}
	// A cursor that cannot be read shows the newest page.
	after, _ := storage.ParseCursor(r.Form.Get("after"))
	all, more, err := listDeliveries(ctx, domain.ID, v.State, after)
	if err != nil {
		return err
	}
	known, err := endpoints(ctx, domain.ID)
	if err != nil {
		return err
	}
	for _, d := range all {
		row := deliveryRow{delivery: d, At: in(domain, &d.CreatedAt), Next: in(domain, d.NextAt), Overdue: d.overdue()}
		if d.RoomID != "" {
			row.Room = "/console/rooms/" + d.RoomID
		}
		for _, e := range known {
			if e.ID == d.EndpointID {
				row.URL = e.URL
				row.Replayable = d.replayable() && e.State == endpointActive
			}
		}
		v.Deliveries = append(v.Deliveries, row)
	}
	if more {
		last := all[len(all)-1]
		v.Older = r.Path + "?" + url.Values{
			"view": {viewDeliveries}, "state": {v.State}, "after": {storage.Cursor{At: last.CreatedAt, ID: last.ID}.String()},
		}.Encode()
	}
	return nil
}

func (p *Plugin) fillDecision(ctx context.Context, r hub.PageRequest, domain storage.Domain, v *view) error {
	d, err := deciderOf(ctx, domain.ID)
	if err != nil && !errors.Is(err, hub.ErrNotFound) {
		return err
	}
	sent := v.Ask != askForm{}
	if err == nil {
		d.Keys.OldUntil, d.FailedAt = in(domain, d.Keys.OldUntil), in(domain, d.FailedAt)
		if d.Keys.OldUntil != nil && d.Keys.OldUntil.Before(time.Now()) {
			d.Keys.OldUntil = nil
		}
		v.Decider = &d
	} else {
		d = decider{Active: true, DeadlineMS: defaultDeadline}
	}
	if !sent {
		v.Ask = askForm{URL: d.URL, Deadline: text(d.DeadlineMS), Active: d.Active, FailClosed: d.FailClosed}
	}
	return nil
}

// choices are the events to choose from, some of them chosen.
func choices(chosen []hub.EventType) []choice {
	all := make([]choice, len(eventTypes))
	for i, t := range eventTypes {
		all[i].Name = t
		for _, c := range chosen {
			all[i].Checked = all[i].Checked || c == t
		}
	}
	return all
}

// in is a time in the domain's zone; the console's script writes it in the
// reader's.
func in(domain storage.Domain, t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	local := t.In(domain.Location())
	return &local
}

// newTested is what the page says of a test.
func newTested(address string, a answer) *tested {
	return &tested{
		URL: address, OK: a.Outcome == outcomeDelivered, Outcome: "webhooks.outcome." + a.Outcome, Detail: a.Detail,
		Status: a.Status, Reason: http.StatusText(a.Status), Took: a.Took.Milliseconds(),
		Body: strings.TrimSpace(strings.ToValidUTF8(string(a.Body), "\uFFFD")),
	}
}
