package mail

import (
	"context"
	"flag"
	"net/mail"
	"strings"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// options is what the operator configures. With an empty Key no provider is
// configured, and From alone matters.
type options struct {
	From       string     // -mail-from: one address, with or without a name
	Domain     string     // -mailgun-domain: the sending domain
	Key        hub.Secret // -mailgun-key
	APIBase    string     // -mailgun-api-base, /v3 included: Mailgun's regions differ
	SigningKey hub.Secret // -mailgun-signing-key: of Mailgun's webhooks
}

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
	opts   options
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
	_ hub.Plugin       = (*Plugin)(nil)
	_ hub.Configurable = (*Plugin)(nil)
	_ hub.Validator    = (*Plugin)(nil)
	_ hub.Runner       = (*Plugin)(nil)
	_ hub.Closer       = (*Plugin)(nil)
	_ hub.Alerter      = (*Plugin)(nil)
	_ hub.Greeter      = (*Plugin)(nil)
)

// New makes the plugin; its settings are its flags.
func New() *Plugin {
	return &Plugin{opts: options{APIBase: DefaultAPIBase}, limit: sendTimeout, closer: func() {}}
}

// ID implements [hub.Plugin].
func (p *Plugin) ID() string { return "mail" }

// Flags implements [hub.Configurable].
func (p *Plugin) Flags(fs *flag.FlagSet) {
	o := &p.opts
	fs.StringVar(&o.From, "mail-from", o.From, "`address` that emails come from")
	fs.StringVar(&o.Domain, "mailgun-domain", o.Domain, "sending `domain` at Mailgun")
	fs.Var(&o.Key, "mailgun-key", "Mailgun's sending `key`")
	fs.StringVar(&o.APIBase, "mailgun-api-base", o.APIBase, "Mailgun's `URL`, with /v3")
	fs.Var(&o.SigningKey, "mailgun-signing-key", "`key` that Mailgun signs its webhooks with")
}

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
		e.Reachable = e.Reachable || p.CanAlert()
		return e, nil
	})
	return nil
}

// CanAlert tells whether emails can leave: through the provider, or into the
// development mailbox.
func (p *Plugin) CanAlert() bool { return p.sender != nil }

// Greet names the mailbox, with a link that signs in.
func (p *Plugin) Greet(ctx context.Context) ([]hub.Greeting, error) {
	if p.box == nil {
		return nil, nil
	}
	link, err := storage.SignInLink(ctx, p.host.BaseURL(), storage.DeveloperEmail, "/mailbox")
	return []hub.Greeting{{What: "the mailbox", URL: link}}, err
}

// Run sends emails until ctx ends. Where none can leave, it leaves the jobs
// alone.
func (p *Plugin) Run(ctx context.Context) error {
	if !p.CanAlert() {
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
