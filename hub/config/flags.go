package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/peterbourgon/ff/v3"

	"github.com/bellhub/bellhub/hub"
)

// envPrefix is what every environment variable starts with.
const envPrefix = "BELLHUB"

// Flags are the settings on a command's flag set.
type Flags struct {
	fs  *flag.FlagSet
	own map[string]bool // flags of the command, not settings
	// owner is the plugin that a setting is of.
	owner map[string]string
	raw   Config
	base  string
	ai    string
	data  struct{ database, nats string }
	file  string
}

// Register adds the settings to a command's flags. Those that are there already
// are the command's own; a plugin's come by [Flags.Add].
func Register(fs *flag.FlagSet) *Flags {
	f := &Flags{fs: fs, own: map[string]bool{}, owner: map[string]string{}}
	fs.VisitAll(func(g *flag.Flag) { f.own[g.Name] = true })
	c := &f.raw
	fs.StringVar(&f.file, "config", "", "`file` of settings, one \"key value\" a line")
	fs.StringVar(&c.Addr, "addr", defaultAddr, "`host:port` to listen on")
	fs.StringVar(&f.base, "base-url", "", "`URL` that people reach the server by, as in https://chat.example (default: from a loopback -addr)")
	fs.StringVar(&c.Data, "data", defaultData, "`directory` for what is kept in files")
	fs.StringVar(&f.data.database, "database", "", "mysql://user:password@host:3306/name or the `path` of a SQLite file (default: in -data)")
	fs.StringVar(&f.data.nats, "nats", "", "`URL` of the NATS server between several nodes")
	fs.Var(&c.TrustedProxies, "trusted-proxies", "`networks` whose X-Forwarded-For is believed, as in 10.0.0.0/8,192.0.2.7")
	c.LogFormat = "text"
	fs.Var((*format)(&c.LogFormat), "log-format", "text or json")
	fs.TextVar(&c.LogLevel, "log-level", &c.LogLevel, "debug, info, warn or error")
	fs.StringVar(&c.Pprof, "pprof", "", "`host:port`, on this machine, that Go's profiling tools are answered on, as in localhost:6060 (default: nowhere)")

	fs.StringVar(&f.ai, "ai-base-url", "", "`URL` of an OpenAI-compatible API (default: the built-in responder)")
	fs.Var(&c.AI.Key, "ai-key", "the API's `key`")
	fs.StringVar(&c.AI.Model, "ai-model", defaultModel, "`model` that answers")

	l := &c.Limits
	l.Limits = hub.DefaultLimits()
	number := func(p *int, name string, value int, usage string) {
		*p = value
		fs.Var((*count)(p), name, "at most `n` "+usage+"; 0: no limit")
	}
	number(&l.MaxFrameBytes, "max-frame-bytes", defaultFrameBytes, "bytes in one frame from a client")
	number(&l.MaxText, "max-text", l.MaxText, "characters in a message")
	fs.Var((*rate)(&l.MessageRate), "message-rate", "at most `n` messages a second of one visitor, beyond the burst; 0: no limit")
	number(&l.MessageBurst, "message-burst", l.MessageBurst, "messages at once of one visitor")
	number(&l.MessagesPerMinute, "messages-per-minute", l.MessagesPerMinute, "messages a minute of one visitor")
	number(&l.BellsPerRoomHour, "bells-per-room-hour", l.BellsPerRoomHour, "new bells a room and hour; beyond, nobody is emailed")
	number(&l.BellsPerIPHour, "bells-per-ip-hour", l.BellsPerIPHour, "new bells an address and hour; beyond, nobody is emailed")
	number(&l.MaxConnections, "max-connections", l.MaxConnections, "connections on this node")
	number(&l.ConnectionsPerIP, "max-connections-per-ip", defaultPerIP, "connections from one address")
	number(&l.ConnectionsPerVisitor, "max-connections-per-visitor", l.ConnectionsPerVisitor, "connections of one visitor")
	number(&l.SendQueueBytes, "send-queue-bytes", defaultQueueBytes, "bytes waiting for one connection")
	l.WriteTimeout, l.PingInterval, l.DrainTimeout = defaultWriteTimeout, defaultPing, defaultDrain
	fs.Var((*positive)(&l.WriteTimeout), "write-timeout", "`time` that one write to a socket may take")
	fs.Var((*positive)(&l.PingInterval), "ping-interval", "`time` between pings")
	fs.Var((*positive)(&l.LinkTTL), "link-ttl", "`time` that an emailed link works for")
	fs.Var((*positive)(&l.DrainTimeout), "drain-timeout", "`time` that a stop waits for connections to move")
	return f
}

// Parse reads args, which hold flags alone, then the environment and the file,
// and checks the whole. flag.ErrHelp comes back as it is, after the flag set
// has printed its usage; nothing else is printed.
func (f *Flags) Parse(args []string) (Config, error) {
	if err := f.parseArgs(args); err != nil {
		return Config{}, err
	}
	if err := f.unknownVariable(os.Environ()); err != nil {
		return Config{}, err
	}
	if err := f.parseRest(); err != nil {
		return Config{}, fmt.Errorf("config: %w", err)
	}
	c := f.raw
	c.Database, c.NATS = Address(f.data.database), Address(f.data.nats)
	if err := c.check(f.base, f.ai); err != nil {
		return Config{}, fmt.Errorf("config: %w", err)
	}
	return c, nil
}

// parseArgs reads the command line. The flag package would print each error
// with the whole usage behind it, where nobody finds it.
func (f *Flags) parseArgs(args []string) error {
	out := f.fs.Output()
	f.fs.SetOutput(io.Discard)
	usage := f.fs.Usage
	f.fs.Usage = func() {}
	err := f.fs.Parse(args)
	f.fs.SetOutput(out)
	f.fs.Usage = usage
	switch {
	case errors.Is(err, flag.ErrHelp):
		if usage == nil {
			usage = f.fs.PrintDefaults
		}
		usage()
		return err
	case err != nil && strings.HasPrefix(err.Error(), "bad flag syntax"):
		return errors.New("config: a flag is -name value or -name=value") // err may quote a secret
	case err != nil:
		return fmt.Errorf("config: %w", err)
	case f.fs.NArg() > 0:
		name, _, _ := strings.Cut(f.fs.Arg(0), "=") // a forgotten hyphen before a secret
		return fmt.Errorf("config: unexpected argument %q", name)
	}
	return nil
}

// parseRest reads environment and file into the settings that no flag set. They
// go to a flag set of their own, which leaves the command's flags out; those
// that a flag did set are there to be known, and deaf.
func (f *Flags) parseRest() error {
	given := map[string]bool{}
	f.fs.Visit(func(g *flag.Flag) { given[g.Name] = true })
	settings := flag.NewFlagSet(f.fs.Name(), flag.ContinueOnError)
	settings.SetOutput(io.Discard)
	f.fs.VisitAll(func(g *flag.Flag) {
		switch {
		case given[g.Name] && !f.own[g.Name]:
			settings.Var(deaf{g.Value}, g.Name, g.Usage)
			_ = settings.Set(g.Name, "") // deaf: it only counts as given
		case !f.own[g.Name]:
			settings.Var(g.Value, g.Name, g.Usage)
		}
	})
	return ff.Parse(settings, nil,
		ff.WithEnvVarPrefix(envPrefix),
		ff.WithConfigFileFlag("config"),
		ff.WithConfigFileParser(parseFile))
}

// deaf is a flag's value that keeps what the command line gave it.
type deaf struct{ flag.Value }

func (deaf) Set(string) error { return nil }

// unknownVariable finds a variable with our prefix that is no setting: most
// likely one that was misspelt. What Kubernetes adds to every container beside
// a service called bellhub is no setting of anybody's.
func (f *Flags) unknownVariable(environ []string) error {
	known := map[string]bool{}
	f.fs.VisitAll(func(g *flag.Flag) { known[variable(g.Name)] = !f.own[g.Name] })
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		rest, ours := strings.CutPrefix(name, envPrefix+"_")
		if !ours || known[name] || rest == "PORT" || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_") {
			continue
		}
		return fmt.Errorf("config: the environment variable %s is not a setting", name)
	}
	return nil
}

// variable is the environment variable of a flag.
func variable(name string) string {
	return envPrefix + "_" + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
}
