// Package wordfilter keeps words that a domain does not want out of its
// conversations: masked, or the message refused. It is a small plugin to learn
// from: one hook that rewrites or vetoes messages, and a page.
//
// # What it does
//
// The owner of a domain lists words and phrases on the console's page "Word
// filter". Each is either masked, a bullet for each of its characters, or makes
// the message be refused, with words that the owner may choose. Matching takes no
// heed of case, of how characters are encoded or dressed up, or of invisible ones
// between them (fold.go); an entry matches whole words, and with a * at its end
// all words that begin so. It applies to visitors' messages and, where the owner
// says so, to what the team and the AI say. What the AI says is only ever masked:
// a refused answer would leave the visitor without any. While an answer grows it
// is shown as it comes; the filter sees it when it is complete.
//
// # How it does it
//
// The hook EventAppending is asked about every event before it is committed. It
// is bound before the others, by [hub.Order], so that none acts on a message
// which is then refused, or on words which are then masked.
//
// A message must not wait for a list: what a list compiles to (list.go) is kept
// until the settings change, which are read again after two seconds at most. A
// text is then read once from left to right, whatever is in it: see BenchmarkCheck
// for what the worst of them cost.
//
// The hook fails open. Where the database is away, the list that was known last
// goes on working; and where there is none, or this code panics, the message
// passes. A rude word shown is a small harm, a visitor who cannot say anything a
// large one.
//
// # Metrics
//
//	bellhub_wordfilter_messages_total{result}   messages masked or refused
package wordfilter

import (
	"context"
	"sync"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// Plugin is the word filter.
type Plugin struct {
	host  *hub.Host
	count func(result string)

	mu    sync.Mutex
	known map[string]known // by domain
}

// known is a domain's list as of a moment ago.
type known struct {
	settings settings
	list     *list
	until    time.Time // when to look again
}

const (
	// life is how long another node, or another process, may not know of a change.
	life = 2 * time.Second
	// maxKnown bounds the lists in memory: past it all are forgotten, and read
	// again where they are needed.
	maxKnown = 1000
)

var (
	_ hub.Plugin = (*Plugin)(nil)
	_ hub.Pager  = (*Plugin)(nil)
)

// New makes the plugin.
func New() *Plugin { return &Plugin{known: map[string]known{}} }

// ID is wordfilter.
func (p *Plugin) ID() string { return "wordfilter" }

// early is the hook's place: before those that are bound without an order.
const early = -10

// Init binds the hook.
func (p *Plugin) Init(_ context.Context, h *hub.Host) error {
	p.host = h
	p.count = h.Counter("messages", "Messages that the word filter masked or refused.", "result", "masked", "refused")
	h.Hooks.EventAppending.Bind(h, p.filter, hub.Order(early))
	return nil
}

// filter masks or refuses a message.
func (p *Plugin) filter(ctx context.Context, e hub.EventAppending) (hub.EventAppending, error) {
	if e.Event.Type != hub.EventMessage {
		return e, nil // of other events the text is not ours to change
	}
	k, err := p.of(ctx, e.Room.Domain)
	if err != nil {
		return e, err
	}
	who := e.Event.Author.Kind
	if who != hub.Visitor && !k.settings.Team {
		return e, nil
	}
	masked, refused := k.list.check(e.Event.Text)
	switch {
	case refused && who != hub.AI:
		p.count("refused")
		return e, hub.Veto("", p.refusal(k.settings, e.Lang))
	case masked != e.Event.Text:
		p.count("masked")
		e.Event.Text = masked
	}
	return e, nil
}

// refusal is what the author of a refused message reads.
func (p *Plugin) refusal(s settings, lang string) string {
	if s.Message != "" {
		return s.Message
	}
	return p.host.Text(lang, "wordfilter.refusal")
}

// of returns a domain's list.
func (p *Plugin) of(ctx context.Context, domain string) (known, error) {
	p.mu.Lock()
	k, ok := p.known[domain]
	p.mu.Unlock()
	if ok && time.Now().Before(k.until) {
		return k, nil
	}
	s, err := load(ctx, domain)
	switch {
	case err == nil && !(ok && k.settings.equal(s)):
		k = known{settings: s, list: compile(s.Mask, s.Refuse)}
	case err != nil && !ok:
		return known{}, err
	case err != nil:
		p.host.Log.WarnContext(ctx, "the list could not be read: the last one is kept", "err", err)
	}
	k.until = time.Now().Add(life)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= maxKnown {
		clear(p.known)
	}
	p.known[domain] = k
	return k, nil
}

// forget has a domain's list read again, so that on this node a change holds at
// once.
func (p *Plugin) forget(domain string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, domain)
}

// load reads a domain's settings.
func load(ctx context.Context, domain string) (settings, error) {
	return storage.Settings(ctx, domain, "wordfilter", settings{})
}
