package main

import (
	"context"
	"flag"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"
	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// life is what happened in a program, in order.
type life struct {
	mu    sync.Mutex
	steps []string
}

func (l *life) note(step string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps = append(l.steps, step)
}

func (l *life) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.steps, ", ")
}

// probe is a plugin that can do whatever a plugin can. It notes each step that
// it is asked to take; what it then does is in do, by step, and otherwise
// nothing.
type probe struct {
	id   string
	life *life
	do   map[string]func(context.Context) error

	flags *flag.FlagSet // from the step "flags" on
	host  *hub.Host     // from "init" on
	app   fiber.Router  // from "mount root" on
	word  string        // its settings
	key   hub.Secret
}

func (p *probe) step(ctx context.Context, name string) error {
	p.life.note(name + " " + p.id)
	if do := p.do[name]; do != nil {
		return do(ctx)
	}
	return nil
}

func (p *probe) ID() string { return p.id }

func (p *probe) Flags(fs *flag.FlagSet) {
	p.flags = fs
	fs.StringVar(&p.word, p.id+"-word", "hello", "a `word` of "+p.id)
	fs.Var(&p.key, p.id+"-key", "a `secret`")
	_ = p.step(context.Background(), "flags")
}

func (p *probe) Validate() error { return p.step(context.Background(), "validate") }

func (p *probe) Migrations() []storage.Migration {
	if fn := p.do["migrations"]; fn != nil {
		_ = fn(context.Background())
	}
	return []storage.Migration{{ID: p.id + "/0001", Up: func(*gorm.DB) error { return p.step(context.Background(), "migrate") }}}
}

func (p *probe) Init(ctx context.Context, h *hub.Host) error {
	p.host = h
	return p.step(ctx, "init")
}

func (p *probe) Mount(fiber.Router) { _ = p.step(context.Background(), "mount") }

func (p *probe) MountRoot(r fiber.Router) {
	p.app = r
	_ = p.step(context.Background(), "mount root")
}

func (p *probe) Script() fs.FS {
	_ = p.step(context.Background(), "script")
	return fstest.MapFS{"widget.js": {Data: []byte("export default function () {}")}}
}

func (p *probe) Greet(ctx context.Context) ([]hub.Greeting, error) { return nil, p.step(ctx, "greet") }
func (p *probe) Close(ctx context.Context) error                   { return p.step(ctx, "close") }

// Run has no more to do, but for what is in do: Runners begin at the same time,
// and so it notes nothing.
func (p *probe) Run(ctx context.Context) error {
	if do := p.do["run"]; do != nil {
		return do(ctx)
	}
	return nil
}

// three makes the plugins of these tests, of which b is the one to be bad.
func three() (l *life, a, b, c *probe) {
	l = &life{}
	made := func(id string) *probe { return &probe{id: id, life: l, do: map[string]func(context.Context) error{}} }
	return l, made("a"), made("b"), made("c")
}

// serve runs a program of these plugins until it ends by itself or stop is
// called. Nothing of it may be left then.
func serve(t *testing.T, log io.Writer, plugins []*probe, args ...string) (stop func(), ended chan error) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	ctx, stop := context.WithCancel(context.Background())
	p := program{stdout: log, stderr: log}
	for _, plugin := range plugins {
		p.plugins = append(p.plugins, plugin)
	}
	args = append([]string{"-addr", "127.0.0.1:0", "-data", t.TempDir()}, args...)
	ended = make(chan error, 1)
	go func() { ended <- p.serve(ctx, args) }()
	t.Cleanup(func() {
		stop()
		goleak.VerifyNone(t, before, // and what fasthttp leaves to end by itself
			goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
			goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
	})
	return stop, ended
}
