package config

import (
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// Config is a checked configuration.
type Config struct {
	Addr           string   // host:port to listen on
	BaseURL        *url.URL // scheme and host that people reach the server by: see [Config.Listening]
	Data           string   // the directory for what is kept in files
	Database       Address  // mysql://user:password@host:port/name, or a SQLite file's path
	NATS           Address  // nats://host:port; empty: this process is the only node
	TrustedProxies hub.Networks
	LogFormat      string // "text" or "json"
	LogLevel       slog.Level
	Pprof          string // loopback host:port that profiling tools are answered on; empty: none

	AI     AI
	Limits Limits

	derived bool // BaseURL follows from Addr
}

// AI says which model answers. Without a BaseURL the built-in responder does.
type AI struct {
	BaseURL string // of an API that speaks OpenAI's protocol, with /v1
	Key     hub.Secret
	Model   string
}

// Limits is what the hub and the server enforce. 0 lifts a limit.
type Limits struct {
	hub.Limits

	MaxFrameBytes    int // of one message from a client
	ConnectionsPerIP int // from one address
	SendQueueBytes   int // waiting for one connection

	// These are never 0.
	WriteTimeout time.Duration // of one write to a socket
	PingInterval time.Duration
	DrainTimeout time.Duration // how long a stop waits for connections to move
}

// The defaults of the limits that are the server's; hub.DefaultLimits has the
// hub's.
const (
	defaultFrameBytes   = 32 << 10 // OWASP: 64 KiB at most
	defaultPerIP        = 100      // offices and mobile carriers share one address
	defaultQueueBytes   = 1 << 20
	defaultWriteTimeout = 5 * time.Second
	defaultPing         = 25 * time.Second // as Centrifugo: under usual proxies' 30 s
	defaultDrain        = 30 * time.Second
)

// The defaults of the rest.
const (
	defaultAddr  = "localhost:8080"
	defaultData  = "./data"
	defaultModel = "gpt-4o-mini"
	databaseFile = "bellhub.db"
)

// Development tells that listener and base URL are both on loopback: nobody
// else can be harmed, so there are a demo and a mailbox. Anything else is
// production.
func (c Config) Development() bool {
	return loopbackAddr(c.Addr) && c.BaseURL != nil && loopback(c.BaseURL.Hostname())
}

// Unused names the settings that somebody made and this version has no use for:
// hosted models (the built-in responder answers) and a backplane between nodes
// (this process is the only one).
func (c Config) Unused() []string {
	var names []string
	if c.AI.BaseURL != "" {
		names = append(names, "ai-base-url")
	}
	if c.NATS != "" {
		names = append(names, "nats")
	}
	return names
}

// Listening takes over the port that the system chose for an address with port
// 0 into a base URL that follows from the address. Before that, such a URL has
// the port 0.
func (c *Config) Listening(actual net.Addr) {
	_, port, err := net.SplitHostPort(actual.String())
	if err != nil || !c.derived {
		return
	}
	u := *c.BaseURL
	u.Host = origin(u.Scheme, u.Hostname(), port)
	c.BaseURL = &u
}

// sqlitePath is where the database is unless somebody says otherwise.
func sqlitePath(data string) string { return filepath.Join(data, databaseFile) }

// loopbackAddr tells whether nobody but this machine reaches host:port. An
// empty host is every interface.
func loopbackAddr(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && loopback(host)
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
