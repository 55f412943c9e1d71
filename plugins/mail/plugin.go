package mail

import (
	"context"
	"net/mail"
	"strings"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// Options is what the operator configures. With an empty Key no provider is
// configured, and From and LinkTTL alone matter.
type Options struct {
	From       string        // -mail-from: one address, with or without a name
	Domain     string        // -mailgun-domain: the sending domain
	Key        string        // -mailgun-key
	APIBase    string        // -mailgun-api-base, /v3 included; empty: Mailgun's US region
	SigningKey string        // -mailgun-signing-key: of Mailgun's webhooks
	LinkTTL    time.Duration // -link-ttl: how long an emailed link opens its room; 0: 24 h
}

// DefaultLinkTTL is how long a link lasts where the operator said nothing.
const DefaultLinkTTL = 24 * time.Hour

const (
	// concurrency is how many emails leave at a time on one node.
	concurrency = 4
	// sendTimeout bounds one attempt at the provider.
	sendTimeout = 30 * time.Second
	// paperwork is what an attempt may take beyond that, to render and to write
	// down how it went.
	paperwork = 10 * time.Second
)

// Plugin sends the emails that wait.
type Plugin struct {
	opts   Options
	host   *hub.Host
	sender Sender   // nil: emails are held
	box    *mailbox // nil outside development
	state  string   // what the room is told once an email is accepted
	from   string   // the From header
	mailID string   // the right half of Message-Ids
	limit  time.Duration
	closer func() // ends the sender's idle connections
	count  func(outcome string)
}

var (
	_ hub.Plugin    = (*Plugin)(nil)
	_ hub.Validator = (*Plugin)(nil)
	_ hub.Runner    = (*Plugin)(nil)
	_ hub.Closer    = (*Plugin)(nil)
)

// New makes the plugin; see [Plugin.Validate].
func New(o Options) *Plugin {
	if o.APIBase == "" {
		o.APIBase = DefaultAPIBase
	}
	if o.LinkTTL == 0 {
		o.LinkTTL = DefaultLinkTTL
	}
	return &Plugin{opts: o, limit: sendTimeout, closer: func() {}}
}

// ID implements [hub.Plugin].
func (p *Plugin) ID() string { return "mail" }

// Init chooses where emails go and says so to whoever rings the bell.
func (p *Plugin) Init(_ context.Context, h *hub.Host) error {
	p.host = h
	p.from, p.mailID = p.opts.From, p.opts.Domain
	if p.mailID == "" {
		p.mailID = h.BaseURL().Hostname()
	}
	if p.from == "" {
		p.from = (&mail.Address{Name: "Bellhub", Address: "bellhub@" + p.mailID}).String()
	}
	p.count = h.Counter("attempts", "Attempts to hand an email to its provider: accepted, or why not.", "outcome", outcomes()...)
	if h.Development() {
		p.box = &mailbox{}
	}
	switch {
	case p.opts.Key != "":
		s := newMailgun(p.opts, p.limit)
		p.sender, p.state, p.closer = s, hub.StateNotified, s.close
	case p.box != nil:
		p.sender, p.state = p.box, hub.StateCaptured
	}
	h.Hooks.BellRung.Bind(h, func(_ context.Context, e hub.BellRung) (hub.BellRung, error) {
		e.Reachable = e.Reachable || p.Deliverable()
		return e, nil
	})
	return nil
}

// Deliverable tells whether emails can leave: through the provider, or into the
// development mailbox. It is valid after Init.
func (p *Plugin) Deliverable() bool { return p.sender != nil }

// Run sends emails until ctx ends. Where none can leave, it leaves the jobs
// alone.
func (p *Plugin) Run(ctx context.Context) error {
	if !p.Deliverable() {
		p.host.Log.Warn("mail is not configured: emails are held")
		<-ctx.Done()
		return nil
	}
	if err := storage.ReleaseHeld(ctx); err != nil {
		// Not the end: the worker decides about held emails by itself.
		p.host.Log.Error("mail: release held emails", "err", err)
	}
	return storage.Work(ctx, storage.Worker{
		Kind: storage.JobSendEmail, Concurrency: concurrency, Timeout: p.limit + paperwork, Do: p.deliver,
	})
}

// Close implements [hub.Closer].
func (p *Plugin) Close(context.Context) error {
	p.closer()
	return nil
}

// link is the address that a token opens its room by. It is made of the
// configured base URL, never of a request's Host.
func (p *Plugin) link(token string) string {
	return strings.TrimSuffix(p.host.BaseURL().String(), "/") + "/join/" + token
}
