package hub

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
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
	if o.Limits.LinkTTL <= 0 {
		o.Limits.LinkTTL = DefaultLimits().LinkTTL
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
	pushes  map[string]string // plugins' frames to clients: whose
	pages   []Page            // of the plugins, for the console; constant once sealed
	panels  []Panel           // likewise
	scripts []string          // addresses of the widget's further scripts: see [Hub.AddScript]
	sealed  atomic.Bool
	closed  atomic.Bool

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
		opts: o, frames: map[string]handler{}, pushes: map[string]string{},
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
	case s.Pushed != nil:
		if r := h.liveRoom(s.Room); r != nil {
			r.push(*s.Pushed)
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
