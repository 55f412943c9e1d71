package hubtest

import (
	"cmp"
	"context"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// Origin is where the kit's hub is reached by: the Origin of its own pages.
const Origin = "https://chat.example"

// Options say what hub a test needs. The zero value is a hub in memory with
// the default limits.
type Options struct {
	// Ctx is the program's context; nil is context.Background(). A test of a
	// plugin that uses the database gets it from SQLite.
	Ctx context.Context
	// Store is the hub's; nil is a new Memory.
	Store       hub.Store
	Limits      *hub.Limits
	Development bool
	Texts       hub.Texts
	Backplane   hub.Backplane
	Observer    hub.Observer
	// Check is asked of every frame that a Client takes; its error fails the
	// test. nil: anything goes.
	Check func(frame []byte) error
}

// Kit is a running hub.
type Kit struct {
	Hub    *hub.Hub
	Memory *Memory // nil with another store
	ctx    context.Context
	check  func(frame []byte) error
}

// Start runs a hub with plugins until the test ends. Their Runners, if any, run
// too.
func Start(t testing.TB, o Options, plugins ...hub.Plugin) *Kit {
	t.Helper()
	k := &Kit{ctx: o.Ctx, check: o.Check}
	if k.ctx == nil {
		k.ctx = context.Background()
	}
	ctx, cancel := context.WithCancel(k.ctx)
	k.ctx = ctx
	if o.Store == nil {
		k.Memory = NewMemory()
		o.Store = k.Memory
	}
	limits := hub.DefaultLimits()
	if o.Limits != nil {
		limits = *o.Limits
	}
	base, _ := url.Parse(Origin)
	h, err := hub.New(ctx, hub.Options{
		Store: o.Store, Backplane: o.Backplane, Observer: o.Observer, BaseURL: base, Development: o.Development, Limits: limits, Texts: o.Texts,
		Frame:  func(b []byte) []byte { return b },
		Render: func(s string) string { return "<p>" + s + "</p>" },
		Asset:  func(name string) string { return "/static/" + name },
	})
	if err != nil {
		t.Fatal(err)
	}
	k.Hub = h
	if err := h.Init(plugins...); err != nil {
		t.Fatal(err)
	}
	running := make(chan struct{})
	go func() { h.Run(ctx); close(running) }()
	t.Cleanup(func() {
		if err := h.Drain(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
		cancel()
		<-running
		if err := h.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	return k
}

// SQLite opens a fresh database with every table, closed when the test ends,
// and a context that carries it. migrations are those of the plugins in use.
func SQLite(t testing.TB, migrations ...storage.Migration) (context.Context, *storage.Store) {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "bellhub.db"), migrations)
}

// MySQL is SQLite on a private MariaDB.
func MySQL(t testing.TB, migrations ...storage.Migration) (context.Context, *storage.Store) {
	t.Helper()
	return open(t, MariaDB(t), migrations)
}

func open(t testing.TB, address string, migrations []storage.Migration) (context.Context, *storage.Store) {
	t.Helper()
	ctx := context.Background()
	s, err := storage.Open(ctx, storage.Options{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(ctx, migrations...); err != nil {
		t.Fatal(err)
	}
	return storage.With(ctx, s), s
}

// Visitor connects a new visitor of a domain and says hello.
func (k *Kit) Visitor(t testing.TB, key string) *Client {
	t.Helper()
	c := k.Dial(t, hub.Handshake{IP: "192.0.2.1"})
	c.Send("hello", "hello", map[string]any{"domain": key})
	c.welcomed()
	return c
}

// Again connects one more page of the visitor behind c.
func (k *Kit) Again(t testing.TB, key string, c *Client) *Client {
	t.Helper()
	other := k.Dial(t, hub.Handshake{IP: "192.0.2.1"})
	other.Send("hello", "hello", map[string]any{"domain": key, "token": c.Token, "room": c.Room})
	other.welcomed()
	other.Token = cmp.Or(other.Token, c.Token)
	return other
}

// Admin connects an admin's console to a room and says hello.
func (k *Kit) Admin(t testing.TB, who hub.Identity, room string) *Client {
	t.Helper()
	c := k.Dial(t, hub.Handshake{Identity: who, Origin: Origin, IP: "192.0.2.2"})
	c.Send("hello", "hello", map[string]any{"room": room})
	c.welcomed()
	return c
}
