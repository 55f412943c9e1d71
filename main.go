// Bellhub is an AI chat for a website that brings a human when it matters: one
// program that serves the widget, the conversations, the team's console and the
// emails that call for a person.
//
// This file is all of package main. It reads the configuration, opens what the
// configuration names, hands it to the plugins, and waits for a signal.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata" // domains have time zones, and not every machine knows them

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/bench"
	"github.com/bellhub/bellhub/hub/config"
	"github.com/bellhub/bellhub/hub/scaffold"
	"github.com/bellhub/bellhub/hub/server"
	"github.com/bellhub/bellhub/plugins/assistant"
	"github.com/bellhub/bellhub/plugins/console"
	"github.com/bellhub/bellhub/plugins/demo"
	"github.com/bellhub/bellhub/plugins/escalation"
	"github.com/bellhub/bellhub/plugins/hours"
	"github.com/bellhub/bellhub/plugins/mail"
	"github.com/bellhub/bellhub/plugins/takeover"
	"github.com/bellhub/bellhub/plugins/webhooks"
	"github.com/bellhub/bellhub/plugins/welcome"
	"github.com/bellhub/bellhub/plugins/wordfilter"
	"github.com/bellhub/bellhub/static"
	"github.com/bellhub/bellhub/storage"
)

// version is set by the linker in releases.
var version = ""

// plugins is the list of features, in the order of their hooks. To add one, add
// its line; to drop one, remove it.
func plugins() []hub.Plugin {
	return []hub.Plugin{
		takeover.New(),
		escalation.New(),
		assistant.New(assistant.Options{}),
		mail.New(),
		hours.New(),
		wordfilter.New(),
		welcome.New(),
		webhooks.New(),
		console.New(),
		demo.New(),
	}
}

const usage = `Bellhub puts an AI chat on a website and brings a human when it matters.

Usage:
  bellhub [serve]                    run the server
  bellhub migrate                    bring the database up to date, and stop
  bellhub domain add NAME            add a website [-key KEY] [-origin HOST]… [-ai=false]
  bellhub admin link EMAIL           print a link that signs in to the console [-domain KEY]…
  bellhub bench URL                  measure a running server -key KEY [-connections N] [-rate N]…
  bellhub plugin new NAME            write a plugin's skeleton, in the source tree
  bellhub version

Every command takes the global flags too; "bellhub serve -h" lists them.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bellhub:", err)
		os.Exit(1)
	}
}

// run is the whole program, for main and for its test. It ends when the command
// does, or for serve when ctx does.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	command, args, help := config.Command(args)
	p := program{stdout: stdout, stderr: stderr, plugins: plugins()}
	name, lacks := map[string]string{"domain add": "NAME", "admin link": "EMAIL", "bench": "URL", "plugin new": "NAME"}[strings.Join(command, " ")]
	if help && lacks {
		command = append(command, name) // it says its flags
	}
	switch {
	case len(command) == 0 && help:
		fmt.Fprint(stderr, usage, "\n")
		return p.serve(ctx, args) // says its flags
	case len(command) == 0 || command[0] == "serve" && len(command) == 1:
		return p.serve(ctx, args)
	case command[0] == "migrate" && len(command) == 1:
		return p.migrate(ctx, args)
	case command[0] == "domain" && len(command) == 3 && command[1] == "add":
		return p.addDomain(ctx, command[2], args)
	case command[0] == "admin" && len(command) == 3 && command[1] == "link":
		return p.signInLink(ctx, command[2], args)
	case command[0] == "bench" && len(command) == 2:
		return p.bench(ctx, command[1], args)
	case command[0] == "plugin" && len(command) == 3 && command[1] == "new":
		return p.newPlugin(command[2], args)
	case command[0] == "version" && len(command) == 1:
		fmt.Fprintln(stdout, "bellhub", versionText())
		for _, plugin := range p.plugins {
			fmt.Fprintln(stdout, "plugin", plugin.ID())
		}
		return nil
	case command[0] == "help" || help:
		fmt.Fprint(stderr, usage)
		return flag.ErrHelp
	case lacks:
		return fmt.Errorf("%s is missing; see bellhub %s -h", name, strings.Join(command, " "))
	}
	fmt.Fprint(stderr, usage)
	return fmt.Errorf("there is no command %q with these arguments", strings.Join(command, " "))
}

func versionText() string {
	info, _ := debug.ReadBuildInfo() // always there in a module build
	return cmp.Or(version, info.Main.Version, "(devel)")
}

// program is what every command works with, as far as it gets.
type program struct {
	stdout, stderr io.Writer

	config  config.Config
	log     *slog.Logger
	metrics *server.Metrics
	plugins []hub.Plugin
	store   *storage.Store
}

// configure reads the configuration. more adds the command's own flags.
func (p *program) configure(name string, args []string, more func(*flag.FlagSet)) (err error) {
	fs := flag.NewFlagSet("bellhub "+name, flag.ContinueOnError)
	fs.SetOutput(p.stderr)
	if more != nil {
		more(fs)
	}
	flags := config.Register(fs)
	for _, plugin := range p.plugins {
		if c, ok := plugin.(hub.Configurable); ok {
			if err := flags.Add(plugin.ID(), c.Flags); err != nil {
				return err
			}
		}
	}
	if p.config, err = flags.Parse(args); err != nil {
		return err
	}
	p.log, p.metrics = p.config.Logger(p.stderr), server.NewMetrics(versionText())
	if err := hub.Validate(p.plugins); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	return nil
}

// open opens the database and brings it up to date. The context it returns
// carries it.
func (p *program) open(ctx context.Context) (context.Context, error) {
	var err error
	if p.store, err = storage.Open(ctx, storage.Options{URL: string(p.config.Database), Log: p.log, Observer: p.metrics}); err != nil {
		return nil, err
	}
	steps, err := storage.MigrationsOf(p.plugins)
	if err == nil {
		err = p.store.Migrate(ctx, steps...)
	}
	if err != nil {
		return nil, errors.Join(err, p.store.Close())
	}
	return storage.With(ctx, p.store), nil
}

func (p *program) migrate(ctx context.Context, args []string) error {
	if err := p.configure("migrate", args, nil); err != nil {
		return err
	}
	if _, err := p.open(ctx); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, "The database is up to date:", p.config.Database)
	return p.store.Close()
}

func (p *program) addDomain(ctx context.Context, name string, args []string) (err error) {
	var key string
	var origins []string
	var ai bool
	err = p.configure("domain add", args, func(fs *flag.FlagSet) {
		fs.Func("key", "the `widget key`, public; random unless given", func(v string) (err error) { key, err = storage.ParseKey(v); return err })
		fs.Func("origin", "a `host[:port]` whose pages may embed the widget; may be repeated", config.List(&origins, storage.ParseOrigin))
		fs.BoolVar(&ai, "ai", true, "let the AI answer")
	})
	if err != nil {
		return err
	}
	name, ok := hub.CleanName(name, 200)
	if !ok {
		return errors.New("the domain needs a name of at most 200 characters")
	}
	if ctx, err = p.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.store.Close()) }()
	d, err := storage.AddDomain(ctx, storage.Domain{Name: name, Key: key, AI: ai}, origins...)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "Added %s. Put this before </body>:\n\n  <script src=\"%s/widget.js\" data-domain=\"%s\" defer></script>\n\n", d.Name, p.config.BaseURL, d.Key)
	if len(origins) == 0 {
		fmt.Fprintln(p.stdout, "No page may embed it yet: add -origin HOST here, or origins in the console's Settings.")
	}
	return nil
}

func (p *program) signInLink(ctx context.Context, email string, args []string) (err error) {
	var keys []string
	err = p.configure("admin link", args, func(fs *flag.FlagSet) {
		fs.Func("domain", "the `widget key` of a domain that the admin may see; may be repeated; without it a new admin sees all", config.List(&keys, storage.ParseKey))
	})
	if err != nil {
		return err
	}
	if email, err = storage.ParseAddress(email); err != nil {
		return errors.New("EMAIL is one address, like name@example.com")
	}
	if ctx, err = p.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.store.Close()) }()
	var domains []string
	for _, key := range keys {
		d, err := storage.DomainByKey(ctx, key)
		if err != nil {
			return fmt.Errorf("-domain: there is no domain with the widget key %q", key)
		}
		domains = append(domains, d.ID)
	}
	link, err := storage.SignInLink(ctx, p.config.BaseURL, email, "", domains...)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s\n\nSigns %s in once, within %.0f minutes.\n", link, email, storage.SignInLife.Minutes())
	return nil
}

func (p *program) bench(ctx context.Context, url string, args []string) error {
	var o bench.Options
	if err := p.configure("bench", args, o.Register); err != nil {
		return err
	}
	return bench.Run(ctx, url, o, p.stdout, p.stderr)
}

func (p *program) newPlugin(name string, args []string) error {
	if err := p.configure("plugin new", args, scaffold.Describe); err != nil {
		return err
	}
	return scaffold.New(".", name, p.plugins, p.stdout)
}

func (p *program) serve(ctx context.Context, args []string) (err error) {
	if err := p.configure("serve", args, nil); err != nil {
		return err
	}
	for _, setting := range p.config.Unused() {
		p.log.Warn("this version does not use this setting yet", "setting", setting)
	}
	// Bound first: a taken port, or which one 0 became, is known at once. What
	// connects waits until everything is up.
	ln, err := net.Listen("tcp", p.config.Addr)
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	defer ln.Close()
	p.config.Listening(ln.Addr())

	// Signals end the program step by step, so what runs in it has a context of
	// its own.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if base, err = p.open(base); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.store.Close()) }()
	if err := p.store.Reclaim(base); err != nil {
		return err
	}
	h, s, err := p.assemble(base)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, within(p.config.Limits.DrainTimeout, h.Close)) }()
	stop := func() error { return within(p.config.Limits.DrainTimeout, s.Stop) }
	var background sync.WaitGroup
	working, rest := context.WithCancel(base)
	background.Go(func() { h.Run(working) })
	background.Go(func() { p.store.Tidy(working) })
	defer func() { rest(); background.Wait() }()
	err = s.Start(ln)
	if err == nil {
		err = p.greet(base, ln.Addr())
	}
	if err != nil {
		return errors.Join(err, stop())
	}
	select {
	case err := <-s.Failed():
		return errors.Join(err, stop())
	case <-ctx.Done():
		p.log.Info("stopping")
		return stop()
	}
}

// assemble makes the hub with its plugins, and the server with their routes.
func (p *program) assemble(ctx context.Context) (*hub.Hub, *server.Server, error) {
	h, err := hub.New(ctx, hub.Options{
		Store: p.store, BaseURL: p.config.BaseURL, Development: p.config.Development(), Limits: p.config.Limits.Limits,
		Texts: static.Texts(), Log: p.log, Observer: p.metrics, Frame: server.Frame, Render: server.Render,
		Asset: func(name string) string { return static.Prefix() + "/" + name },
	})
	if err != nil {
		return nil, nil, err
	}
	if err := h.Init(p.plugins...); err != nil {
		return nil, nil, err
	}
	s := server.New(ctx, server.Options{
		Hub: h, BaseURL: p.config.BaseURL, Log: p.log, Metrics: p.metrics, Backlog: p.store.Backlog, Profile: p.config.Pprof,
		Identify: storage.IdentityByToken, Origins: storage.Origins, Ready: p.store.Ping,
		TrustedProxies: p.config.TrustedProxies, MaxFrameBytes: p.config.Limits.MaxFrameBytes,
		SendQueueBytes: p.config.Limits.SendQueueBytes, ConnectionsPerIP: p.config.Limits.ConnectionsPerIP,
		WriteTimeout: p.config.Limits.WriteTimeout, PingInterval: p.config.Limits.PingInterval,
	})
	for _, plugin := range p.plugins {
		if err := s.Mount(plugin); err != nil {
			return nil, nil, errors.Join(err, within(p.config.Limits.DrainTimeout, s.Stop), within(p.config.Limits.DrainTimeout, h.Close))
		}
	}
	return h, s, nil
}

// within gives fn so long to end.
func within(d time.Duration, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return fn(ctx)
}

// greet says what to open.
func (p *program) greet(ctx context.Context, at net.Addr) error {
	base := p.config.BaseURL.String()
	if !p.config.Development() {
		p.log.Info("serving", "addr", at.String(), "base_url", base, "version", versionText())
		return nil
	}
	greetings, err := hub.Greetings(ctx, p.plugins)
	if err != nil {
		return err
	}
	width := 0
	for _, g := range greetings {
		width = max(width, len(g.What))
	}
	fmt.Fprintf(p.stdout, "\nBellhub runs at %s, in development.\n\n", base)
	for _, g := range greetings {
		fmt.Fprintf(p.stdout, "  %-*s   %s\n", width, g.What, g.URL)
	}
	fmt.Fprintf(p.stdout, "\nA sign-in link works once, within %.0f minutes. Data is in %s.\n", storage.SignInLife.Minutes(), p.config.Database)
	return nil
}
