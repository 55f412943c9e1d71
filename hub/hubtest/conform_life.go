package hubtest

import (
	"context"
	"errors"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// initFails has the plugin initialised while there is nothing to work with: it
// may mind or not, and is closed after either.
func (c *conformance) initFails(t *testing.T) {
	try := func(name string, ctx context.Context) {
		t.Helper()
		p := c.plugin(t)
		c.lifecycle(t, name, ctx, p, &tried{p: p})
	}
	cancelled, cancel := context.WithCancel(c.o.Ctx)
	cancel()
	try("the start is cancelled", cancelled)
	database, store := SQLite(t)
	try("its tables are not there", database)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	try("the database is away", database)
}

// laterInitFails closes a plugin that has done nothing yet.
func (c *conformance) laterInitFails(t *testing.T) {
	p := c.plugin(t)
	last := &named{"last", func(context.Context, *hub.Host) error { return errors.New("the last one does not start") }}
	if err := c.lifecycle(t, "the last one fails", c.o.Ctx, p, p, last); err == nil || !strings.Contains(err.Error(), "plugin last") {
		t.Errorf("Init: %v", err)
	}
}

// lifecycle initialises and closes a hub, and the plugin once more.
func (c *conformance) lifecycle(t *testing.T, name string, ctx context.Context, p hub.Plugin, all ...hub.Plugin) error {
	t.Helper()
	o := c.o
	o.Log, o.Store = logOf(t), storage.From(ctx)
	leaks := newLeaks()
	base, cancel := context.WithCancel(ctx)
	defer cancel()
	var failed error
	pprof.Do(base, leaks.label, func(context.Context) {
		h, err := hub.New(base, o.hub())
		if err != nil {
			t.Fatal(err)
		}
		if failed = safely(func() error { return h.Init(all...) }); broken(failed) {
			t.Errorf("%s: Init: %v", name, failed)
		}
		if failed != nil && strings.Contains(failed.Error(), "hub: close plugin") {
			t.Errorf("%s: %v", name, failed)
		}
		if err := safely(func() error { return h.Close(context.WithoutCancel(base)) }); err != nil {
			t.Errorf("%s: Close: %v", name, err)
		}
		if closer, ok := p.(hub.Closer); ok {
			if err := safely(func() error { return closer.Close(context.WithoutCancel(base)) }); broken(err) {
				t.Errorf("%s: Close once more: %v", name, err)
			}
		}
	})
	leaks.check(t)
	return failed
}

// tried is a plugin whose panic in Init is told from an error.
type tried struct{ p hub.Plugin }

// ID implements [hub.Plugin].
func (i *tried) ID() string { return i.p.ID() }

// Init implements [hub.Plugin].
func (i *tried) Init(ctx context.Context, h *hub.Host) error {
	return safely(func() error { return i.p.Init(ctx, h) })
}

// Close implements [hub.Closer].
func (i *tried) Close(ctx context.Context) error {
	if c, ok := i.p.(hub.Closer); ok {
		return c.Close(ctx)
	}
	return nil
}

// runner has the plugin work until it is told to end: at once, and after a while.
func (c *conformance) runner(t *testing.T) {
	p := c.plugin(t)
	r, ok := p.(hub.Runner)
	if !ok {
		return
	}
	o := c.o
	o.Log = logOf(t)
	h, err := hub.New(c.o.Ctx, o.hub())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Init(p); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(c.o.Ctx)
	cancel()
	err = safely(func() error { return r.Run(over) })
	if e := h.Close(c.o.Ctx); e != nil {
		t.Error(e)
	}
	if broken(err) {
		t.Fatalf("Run, when it is over: %v", err)
	}
	k := c.start(t, Options{}, nil, nil) // whose end is the end of it
	k.Visitor(t).Say("hello")
	if info := c.info(k); info.Restarts > 0 {
		t.Errorf("Run fails: %s", info.LastError.Text)
	}
}
