package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options is what a hub is made of. Store, BaseURL and the functions are
// required; New says which is missing.
type Options struct {
	Store       Store
	Backplane   Backplane // nil: this process is the only node
	BaseURL     *url.URL
	Development bool
	Limits      Limits
	Texts       Texts
	Log         *slog.Logger // nil: discarded
	Observer    Observer     // nil: nobody

	Frame  func(json []byte) []byte // the transport's encoding of a packet, made once for all members; packets may be joined
	Render func(text string) string // Markdown to safe HTML
	Asset  func(name string) string // the address of a static file
}

func (o *Options) validate() error {
	switch {
	case o.Store == nil:
		return errors.New("hub: Options.Store is missing")
	case o.BaseURL == nil || o.BaseURL.Host == "":
		return errors.New("hub: Options.BaseURL is missing")
	case o.Frame == nil || o.Render == nil || o.Asset == nil:
		return errors.New("hub: Options.Frame, Render and Asset are required")
	}
	if o.Backplane == nil {
		o.Backplane = &inProcess{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	return nil
}

// Hub joins visitors, the AI and admins in rooms. See the package comment.
type Hub struct {
	opts    Options
	hooks   Hooks
	plugins []Plugin
	hosts   []*Host // of the plugins, in the same order; constant once sealed
	frames  map[string]handler
	sealed  atomic.Bool

	base    context.Context // of everything that outlives a connection; ends in Close
	stop    context.CancelFunc
	workers []func(context.Context) // After hooks, started when sealed
	crew    *crew                   // frames and chains of hooks
	tasks   sync.WaitGroup          // goroutines of the hub itself

	mu       sync.Mutex
	draining bool
	sessions map[*session]struct{}
	rooms    map[string]*liveRoom
	visitors map[string]*visitorState
	watchers map[string]map[*session]struct{} // by domain
	serving  sync.WaitGroup                   // Serve calls
}

// handler is who answers frames of a type.
type handler struct {
	plugin  string // empty: the hub itself
	from    []Kind
	bounded bool // needs no deadline: hooks and Store.Append have theirs, and nothing else is waited for
	fn      func(ctx context.Context, s *session, in inbound) error
}

// New makes a hub. ctx is the program's: everything a plugin is called with
// derives from it or from a connection's, which derives from it too.
func New(ctx context.Context, o Options) (*Hub, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	h := &Hub{
		opts: o, frames: map[string]handler{},
		sessions: map[*session]struct{}{}, rooms: map[string]*liveRoom{},
		visitors: map[string]*visitorState{}, watchers: map[string]map[*session]struct{}{},
	}
	h.opts.Store = reported{o.Store}
	h.base, h.stop = context.WithCancel(ctx)
	h.crew = newCrew(h.base)
	h.kernelFrames()
	o.Backplane.Subscribe(h.receive)
	return h, nil
}

// Init initialises the plugins in order, seals the hooks and starts the hub's
// own goroutines. Where one fails, those before it are closed, in reverse, and
// the hub is over.
func (h *Hub) Init(plugins ...Plugin) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close(context.WithoutCancel(h.base)))
		}
	}()
	seen := map[string]bool{}
	for _, p := range plugins {
		if seen[p.ID()] {
			return fmt.Errorf("hub: two plugins are called %q", p.ID())
		}
		seen[p.ID()] = true
		host := &Host{Hooks: &h.hooks, Log: h.opts.Log.With("plugin", p.ID()), hub: h, plugin: p.ID()}
		host.breaker = &breaker{log: host.Log}
		if err := initialise(h.base, p, host); err != nil {
			return fmt.Errorf("hub: plugin %s: %w", p.ID(), err)
		}
		h.plugins = append(h.plugins, p)
		h.hosts = append(h.hosts, host)
	}
	h.opts.Observer.Expect(h.words())
	h.sealed.Store(true)
	for _, work := range h.workers {
		h.tasks.Go(func() { work(h.base) })
	}
	h.tasks.Go(func() { h.revalidate(h.base) })
	return nil
}

// initialise turns a panic of Init, such as two plugins' claim to one frame,
// into an error.
func initialise(ctx context.Context, p Plugin, host *Host) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	return p.Init(ctx, host)
}

// handle registers a frame type.
func (h *Hub) handle(plugin, frame string, from []Kind, fn func(context.Context, Frame) (any, error)) {
	if h.sealed.Load() {
		panic(fmt.Sprintf("hub: plugin %s handles %s after Init", plugin, frame))
	}
	if other, ok := h.frames[frame]; ok {
		owner := other.plugin
		if owner == "" {
			owner = "the hub"
		}
		panic(fmt.Sprintf("frame %q belongs to %s already", frame, owner))
	}
	h.frames[frame] = handler{plugin: plugin, from: from, fn: func(ctx context.Context, s *session, in inbound) error {
		return s.plugged(ctx, in, fn)
	}}
}

// framesFor lists what a member of a kind may send after its welcome.
func (h *Hub) framesFor(k Kind) []string {
	var names []string
	for name, f := range h.frames {
		if slices.Contains(f.from, k) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// publish hands a signal to the backplane.
func (h *Hub) publish(s Signal) { h.opts.Backplane.Publish(s) }

// receive is where the backplane delivers.
func (h *Hub) receive(s Signal) {
	switch {
	case s.Revoke != nil:
		h.revoke(*s.Revoke)
	case s.Event != nil:
		if r := h.liveRoom(s.Room); r != nil {
			r.deliver(*s.Event)
		}
		h.summarise(s.Event.Room)
	case s.Stream != nil:
		if r := h.liveRoom(s.Room); r != nil {
			r.stream(*s.Stream)
		}
	case s.Typing != nil:
		if r := h.liveRoom(s.Room); r != nil {
			r.typing(*s.Typing)
		}
	}
}

// Stats is a count of what this node holds.
type Stats struct{ Connections, Rooms int }

// Stats counts what this node holds now.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Stats{len(h.sessions), len(h.rooms)}
}

// PluginStats is how a plugin's hooks fare.
type PluginStats struct {
	Plugin    string
	Open      bool // the breaker: its hooks are skipped, but for one now and then
	Abandoned int  // calls that were left behind, overdue for the most part, and still run
}

// PluginStats tells how the hooks of each plugin fare now, in list order. It is
// valid after Init.
func (h *Hub) PluginStats() []PluginStats {
	all := make([]PluginStats, len(h.hosts))
	for i, host := range h.hosts {
		open, abandoned := host.breaker.state()
		all[i] = PluginStats{host.plugin, open, abandoned}
	}
	return all
}

// Drain stops letting clients in, lets each connection finish the frame it is
// at, tells it to come back elsewhere (CloseRestart) and waits until all have
// ended or ctx has.
func (h *Hub) Drain(ctx context.Context) error {
	h.mu.Lock()
	h.draining = true
	all := make([]*session, 0, len(h.sessions))
	for s := range h.sessions {
		all = append(all, s)
	}
	h.mu.Unlock()
	for _, s := range all {
		s.drain()
	}
	if !waitFor(ctx, &h.serving) {
		return fmt.Errorf("hub: drain: %d connections left: %w", h.Stats().Connections, ctx.Err())
	}
	return nil
}

// waitFor waits until the group is done, or until ctx ends.
func waitFor(ctx context.Context, group *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// Close ends the hub's goroutines, closes the plugins in reverse order and then
// the backplane; what has not ended when ctx does is left behind. Connections
// have been drained before.
func (h *Hub) Close(ctx context.Context) error {
	h.stop()
	h.mu.Lock()
	rooms := h.rooms
	h.rooms = map[string]*liveRoom{}
	h.mu.Unlock()
	for _, r := range rooms {
		r.shut()
	}
	var errs []error
	if !waitFor(ctx, &h.tasks) {
		errs = append(errs, fmt.Errorf("hub: a hook does not return: %w", ctx.Err()))
	}
	for _, p := range slices.Backward(h.plugins) {
		if c, ok := p.(Closer); ok {
			if err := c.Close(ctx); err != nil {
				errs = append(errs, fmt.Errorf("hub: close plugin %s: %w", p.ID(), err))
			}
		}
	}
	h.plugins = nil
	h.opts.Backplane.Close()
	return errors.Join(errs...)
}

// revalidateEvery is how soon, at the latest, an admin's connection ends after
// its session did, where nothing told this node.
const revalidateEvery = 30 * time.Second

// revalidate asks the store again, now and then, whether the admins connected
// here may still be.
func (h *Hub) revalidate(ctx context.Context) {
	tick := time.NewTicker(revalidateEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		h.mu.Lock()
		var admins []*session
		for s := range h.sessions {
			if s.kind == Admin && (s.room != nil || s.watch != "") {
				admins = append(admins, s)
			}
		}
		h.mu.Unlock()
		for _, s := range admins {
			s.revalidate(ctx)
		}
	}
}

// revoke ends the connections that came in by what r names.
func (h *Hub) revoke(r Revocation) {
	h.mu.Lock()
	var hit []*session
	for s := range h.sessions {
		if s.kind == Admin && r.matches(s.access) {
			hit = append(hit, s)
		}
	}
	h.mu.Unlock()
	for _, s := range hit {
		s.conn.Close(CloseRevoked, "access was withdrawn")
	}
}
