package hubtest

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"runtime/pprof"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// Origin is where the kit's hub is reached by: the Origin of its own pages.
const Origin = "https://chat.example"

// Options say what hub a test needs. The zero value is a hub in memory with
// the default limits.
type Options struct {
	// Database gives the hub, its plugins and their tables a database: [SQLite]
	// or [MySQL]. nil: the hub's store is a new [Memory], and there is none.
	Database func(testing.TB, ...storage.Migration) (context.Context, *storage.Store)
	// Domain is what visitors come to. The zero Domain is "shop", which has its
	// AI on and may be embedded by shop.example.
	Domain hub.Domain
	// Flags are what the plugins are configured with, as on the command line:
	// "-welcome-delay=1s". They are parsed and validated as by the program.
	Flags []string

	// Ctx is the program's context; nil is context.Background().
	Ctx context.Context
	// Store is the hub's, whose domains are the test's affair.
	Store       hub.Store
	Limits      *hub.Limits
	Development bool
	Texts       hub.Texts // beside those that plugins bring
	Backplane   hub.Backplane
	Observer    hub.Observer
	// Log is the hub's and the plugins'. nil: it is shown where the test fails.
	Log *slog.Logger
	// Check is asked of every frame that a Client takes; its error fails the
	// test. nil: anything goes.
	Check func(frame []byte) error
}

// Kit is a running hub.
type Kit struct {
	Hub *hub.Hub
	// Ctx is the program's; it carries the database, for the functions of the
	// package storage.
	Ctx    context.Context
	Domain hub.Domain // that of Options; the zero Domain where Options.Store was given
	Memory *Memory    // nil with another store

	check    func(frame []byte) error
	recorder *recorder
	names    names
	label    pprof.LabelSet // of every goroutine of the hub's
}

// Start runs a hub with plugins until the test ends: flags, Validate,
// migrations, Init, Run. When it has ended, it must have left no goroutine
// behind.
func Start(t testing.TB, o Options, plugins ...hub.Plugin) *Kit {
	t.Helper()
	if o.Log == nil {
		o.Log = logOf(t)
	}
	if err := configure(plugins, o.Flags); err != nil {
		t.Fatal(err)
	}
	k := &Kit{check: o.Check, recorder: newRecorder()}
	ctx, cancel := context.WithCancel(k.open(t, &o, plugins))
	k.Ctx = ctx
	switch t.(type) {
	case *testing.B, *testing.F: // they have events without end
	default:
		plugins = append(plugins[:len(plugins):len(plugins)], k.recorder)
	}
	leaks := newLeaks()
	k.label = leaks.label
	running := make(chan struct{})
	var err error
	pprof.Do(ctx, k.label, func(context.Context) {
		if k.Hub, err = hub.New(ctx, o.hub()); err != nil {
			return
		}
		if err = k.Hub.Init(plugins...); err != nil {
			return
		}
		go func() { k.Hub.Run(ctx); close(running) }()
	})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Hub.Drain(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
		cancel()
		<-running
		if err := k.Hub.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
		leaks.check(t)
	})
	return k
}

// hub makes the hub's own options of the test's.
func (o Options) hub() hub.Options {
	limits := hub.DefaultLimits()
	if o.Limits != nil {
		limits = *o.Limits
	}
	base, _ := url.Parse(Origin)
	return hub.Options{
		Store: o.Store, Backplane: o.Backplane, Observer: o.Observer, BaseURL: base, Development: o.Development,
		Limits: limits, Texts: o.Texts, Log: o.Log,
		Frame:  func(b []byte) []byte { return b },
		Render: func(s string) string { return "<p>" + s + "</p>" },
		Asset:  func(name string) string { return "/static/" + name },
	}
}

// shop is the domain of a test that names none.
var shop = hub.Domain{Key: "shop", Name: "Shop", AI: true, Origins: []string{"shop.example"}}

// open opens the store that o asks for, with its domain, and returns the context
// that carries it.
func (k *Kit) open(t testing.TB, o *Options, plugins []hub.Plugin) context.Context {
	t.Helper()
	ctx := o.Ctx
	if ctx == nil {
		ctx = context.Background()
	}
	if o.Domain.Key == "" && o.Domain.Name == "" {
		o.Domain = shop.Clone()
	}
	switch {
	case o.Database != nil:
		steps, err := migrations(plugins)
		if err != nil {
			t.Fatal(err)
		}
		_, store := o.Database(t, steps...)
		ctx, o.Store = storage.With(ctx, store), store
	case o.Store == nil:
		k.Memory = NewMemory()
		o.Store = k.Memory
	default:
		return ctx
	}
	k.Ctx = ctx
	k.Domain = k.AddDomain(t, o.Domain)
	return ctx
}

// Visitor connects a new visitor and says hello. The domain is the kit's, unless
// its key is given.
func (k *Kit) Visitor(t testing.TB, key ...string) *Client {
	t.Helper()
	c := k.dial(t, k.names.next("visitor"), hub.Handshake{IP: "192.0.2.1"})
	c.key = cmp.Or(append(key, k.Domain.Key, shop.Key)...)
	c.Send("hello", "hello", map[string]any{"domain": c.key})
	c.welcomed()
	return c
}

// Again connects one more page of the visitor behind c.
func (k *Kit) Again(t testing.TB, c *Client) *Client {
	t.Helper()
	other := k.dial(t, k.names.next(c.name+", page"), hub.Handshake{IP: "192.0.2.1"})
	other.key = c.key
	other.Send("hello", "hello", map[string]any{"domain": c.key, "token": c.Token, "room": c.Room})
	other.welcomed()
	other.Token = cmp.Or(other.Token, c.Token)
	return other
}

// Admin connects an admin's console to a room and says hello.
func (k *Kit) Admin(t testing.TB, who hub.Identity, room string) *Client {
	t.Helper()
	c := k.dial(t, k.names.next("admin "+who.Name), hub.Handshake{Identity: who, Origin: Origin, IP: "192.0.2.2"})
	c.Send("hello", "hello", map[string]any{"room": room})
	c.welcomed()
	return c
}
