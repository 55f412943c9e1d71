package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/config"
	"github.com/bellhub/bellhub/hub/spec/spectest"
)

// parse reads flags as a command without flags of its own does.
func parse(args ...string) (config.Config, error) {
	flags := config.Register(flag.NewFlagSet("test", flag.ContinueOnError))
	if err := flags.Add("mail", mailFlags); err != nil {
		return config.Config{}, err
	}
	return flags.Parse(args)
}

// mailFlags are some of a plugin's.
func mailFlags(fs *flag.FlagSet) {
	fs.Var(new(hub.Secret), "mailgun-key", "")
	fs.Var(new(hub.Secret), "mailgun-signing-key", "")
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bellhub.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaults(t *testing.T) {
	c, err := parse()
	if err != nil {
		t.Fatal(err)
	}
	if !c.Development() || c.BaseURL.String() != "http://localhost:8080" || c.Addr != "localhost:8080" {
		t.Errorf("development %v at %s on %s", c.Development(), c.BaseURL, c.Addr)
	}
	if want := filepath.Join("data", "bellhub.db"); string(c.Database) != want {
		t.Errorf("database %q, want %q", string(c.Database), want)
	}
	want := config.Limits{
		Limits: hub.DefaultLimits(), MaxFrameBytes: 32768, ConnectionsPerIP: 100, SendQueueBytes: 1048576,
		WriteTimeout: 5 * time.Second, PingInterval: 25 * time.Second, DrainTimeout: 30 * time.Second,
	}
	if c.Limits != want {
		t.Errorf("limits\n got %+v\nwant %+v", c.Limits, want)
	}
}

// TestTheLimitsAreDescribed holds the protocol's list of limits to the flags: a
// client developer reads their defaults there.
func TestTheLimitsAreDescribed(t *testing.T) {
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	config.Register(fs)
	rows := spectest.Open(t).Table("limit")
	described := map[string]bool{}
	for _, row := range rows {
		name := strings.TrimPrefix(row[2], "-")
		described[name] = true
		if f := fs.Lookup(name); f == nil || f.DefValue != row[1] {
			t.Errorf("%s is described with the default %s, it is %+v", row[2], row[1], f)
		}
	}
	fs.VisitAll(func(f *flag.Flag) {
		limit := strings.Contains(f.Usage, "0: no limit") || strings.HasSuffix(f.Name, "-timeout") || strings.HasSuffix(f.Name, "-interval")
		if limit && !described[f.Name] {
			t.Errorf("the limit -%s is not described", f.Name)
		}
	})
}

func TestPrecedence(t *testing.T) {
	conf := file(t, "max-text 3\nmessage-burst 3\nlog-level warn # a comment\n")
	for _, c := range []struct {
		name, env string
		args      []string
		want      int
	}{
		{"default", "", nil, 4000},
		{"file", "", []string{"-config", conf}, 3},
		{"environment over file", "2", []string{"-config", conf}, 2},
		{"flag over environment", "2", []string{"-config", conf, "-max-text", "1"}, 1},
		{"flag over file", "", []string{"-config", conf, "-max-text=1"}, 1},
		{"an empty variable is none", "", []string{"-config", conf}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("BELLHUB_MAX_TEXT", c.env)
			got, err := parse(c.args...)
			if err != nil {
				t.Fatal(err)
			}
			if got.Limits.MaxText != c.want {
				t.Errorf("max-text is %d, want %d", got.Limits.MaxText, c.want)
			}
			if c.args != nil && (got.Limits.MessageBurst != 3 || got.LogLevel != slog.LevelWarn) {
				t.Errorf("the rest of the file: %d, %v", got.Limits.MessageBurst, got.LogLevel)
			}
		})
	}
	t.Run("the file by its variable", func(t *testing.T) {
		t.Setenv("BELLHUB_CONFIG", conf)
		if got, err := parse(); err != nil || got.Limits.MaxText != 3 {
			t.Errorf("max-text %d, %v", got.Limits.MaxText, err)
		}
	})
}

func TestEverySettingIsTaken(t *testing.T) {
	c, err := parse("-addr=0.0.0.0:80", "-base-url=https://Chat.Example:443/", "-data=/var/lib/bellhub", "-database=mysql://u:p@db/x",
		"-nats=nats://n:4222", "-trusted-proxies=10.1.2.3/8, 192.0.2.7,2001:db8::/32", "-log-format=json", "-log-level=debug", "-pprof=[::1]:6060",
		"-ai-base-url=http://vllm:8000/v1", "-ai-key=a", "-ai-model=m",
		"-max-frame-bytes=1", "-max-text=2", "-message-rate=2.5", "-message-burst=3", "-messages-per-minute=4", "-bells-per-room-hour=5",
		"-bells-per-ip-hour=6", "-max-connections=7", "-max-connections-per-ip=8", "-max-connections-per-visitor=9", "-send-queue-bytes=0",
		"-write-timeout=1s", "-ping-interval=2s", "-link-ttl=3s", "-drain-timeout=4s")
	if err != nil {
		t.Fatal(err)
	}
	if c.Development() || c.BaseURL.String() != "https://chat.example" {
		t.Errorf("development %v at %s", c.Development(), c.BaseURL)
	}
	if c.Pprof != "[::1]:6060" {
		t.Errorf("pprof %q", c.Pprof)
	}
	if got := fmt.Sprint(c.TrustedProxies); got != "[10.0.0.0/8 192.0.2.7/32 2001:db8::/32]" {
		t.Errorf("trusted proxies %s", got)
	}
	if c.AI != (config.AI{BaseURL: "http://vllm:8000/v1", Key: "a", Model: "m"}) {
		t.Errorf("AI: %#v", c.AI)
	}
	want := config.Limits{
		Limits: hub.Limits{
			MaxText: 2, MessageRate: 2.5, MessageBurst: 3, MessagesPerMinute: 4, BellsPerRoomHour: 5,
			BellsPerIPHour: 6, MaxConnections: 7, ConnectionsPerVisitor: 9, LinkTTL: 3 * time.Second,
		},
		MaxFrameBytes: 1, ConnectionsPerIP: 8, WriteTimeout: time.Second, PingInterval: 2 * time.Second,
		DrainTimeout: 4 * time.Second,
	}
	if c.Limits != want || string(c.Database) != "mysql://u:p@db/x" || string(c.NATS) != "nats://n:4222" || c.LogFormat != "json" {
		t.Errorf("got %+v", c)
	}
}

// Rows 55 to 57 of the bad inputs, and the rest of what must not start. Each
// error names its key.
func TestRefuses(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for _, c := range []struct {
		key  string
		args []string
	}{
		{"max-txt", []string{"-max-txt", "1"}},
		{"max-txt", []string{"-config", file(t, "max-txt 1\n")}},
		{"max-text", []string{"-config", file(t, "max-text=1\n")}},
		{"max-text", []string{"-config", file(t, "max-text 1\nmax-text 2\n")}},
		{"max-text", []string{"-config", file(t, "max-text many\n")}},
		{missing, []string{"-config", missing}},
		{filepath.Dir(missing), []string{"-config", filepath.Dir(missing)}},
		{"surplus", []string{"-max-text", "1", "surplus"}},
		{"max-text", []string{"-max-text", "-1"}},
		{"max-text", []string{"-max-text", "1.5"}},
		{"max-frame-bytes", []string{"-max-frame-bytes", "32KB"}},
		{"message-rate", []string{"-message-rate", "-0.1"}},
		{"message-rate", []string{"-message-rate", "NaN"}},
		{"message-rate", []string{"-message-rate", "Inf"}},
		{"write-timeout", []string{"-write-timeout", "0"}},
		{"ping-interval", []string{"-ping-interval", "0s"}},
		{"link-ttl", []string{"-link-ttl", "-1h"}},
		{"drain-timeout", []string{"-drain-timeout", "30"}},
		{"log-format", []string{"-log-format", "xml"}},
		{"log-level", []string{"-log-level", "loud"}},
		{"pprof", []string{"-pprof", "6060"}},
		{"pprof", []string{"-pprof", "localhost:http"}},
		{"pprof", []string{"-pprof", ":6060"}},
		{"pprof", []string{"-pprof", "0.0.0.0:6060"}},
		{"pprof", []string{"-pprof", "192.0.2.7:6060"}},
		{"trusted-proxies", []string{"-trusted-proxies", "proxy.example"}},
		{"trusted-proxies", []string{"-trusted-proxies", "10.0.0.0/33"}},
		{"addr", []string{"-addr", "8080"}},
		{"addr", []string{"-addr", "localhost:http"}},
		{"addr", []string{"-addr", "localhost:70000"}},
		{"base-url", []string{"-addr", ":8080"}},
		{"base-url", []string{"-addr", "0.0.0.0:8080"}},
		{"base-url", []string{"-addr", "chat.example:8080"}},
		{"base-url", []string{"-addr", ":8080", "-base-url", "http://localhost:8080"}},
		{"base-url", []string{"-base-url", "http://chat.example"}}, // row 57
		{"base-url", []string{"-base-url", "chat.example"}},
		{"base-url", []string{"-base-url", "ftp://chat.example"}},
		{"base-url", []string{"-base-url", "https://"}},
		{"base-url", []string{"-base-url", "https://chat.example/chat"}},
		{"base-url", []string{"-base-url", "https://chat.example?a"}},
		{"base-url", []string{"-base-url", "https://chat.example?"}},
		{"base-url", []string{"-base-url", "https://chat.example#a"}},
		{"base-url", []string{"-base-url", "https://user:hunter2@chat.example"}},
		{"base-url", []string{"-base-url", "https://user:hunter2%@chat.example"}},
		{"base-url", []string{"-base-url", "https://chat.example:0"}},
		{"base-url", []string{"-base-url", "https://*.example"}},
		{"data", []string{"-data", ""}},
		{"database", []string{"-database", "postgres://user:hunter2@db/x"}},
		{"nats", []string{"-nats", "http://user:hunter2@n"}},
		{"ai-base-url", []string{"-ai-base-url", "api.openai.com"}},
		{"ai-base-url", []string{"-ai-base-url", "https://user:hunter2@api.openai.com/v1"}},
		{"ai-base-url", []string{"-ai-key", "hunter2"}},
		{"ai-model", []string{"-ai-base-url", "http://localhost:11434/v1", "-ai-model", ""}},
		{"mailgun-key", []string{"mailgun-key=hunter2"}},
		{"flag", []string{"---mailgun-key=hunter2"}},
		{"mailgun-kye", []string{"-mailgun-kye=hunter2"}},
		{"mailgun-key", []string{"-config", file(t, "mailgun-key=hunter2\n")}},
		{"mailgun-key", []string{"-config", file(t, "mailgun-key\thunter2\n")}},
		{"mailgun-kye", []string{"-config", file(t, "mailgun-kye hunter2\n")}},
		{"mailgun-signing-key", []string{"-config", file(t, "mailgun-signing-key # later\n")}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			_, err := parse(c.args...)
			if err == nil {
				t.Fatal("it would start")
			}
			if !strings.Contains(err.Error(), c.key) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q must name %s and no secret", err, c.key)
			}
		})
	}
}

func TestRefusesVariables(t *testing.T) {
	for _, c := range []struct {
		name, value string
		ok          bool
	}{
		{"BELLHUB_MAX_TXT", "hunter2", false},
		{"BELLHUB_MAX_TEXT", "hunter", false},
		{"BELLHUB_SERVICE_HOST", "10.0.0.1", true}, // Kubernetes, for a service called bellhub
		{"BELLHUB_PORT_8080_TCP_ADDR", "10.0.0.1", true},
		{"BELLHUBX", "1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(c.name, c.value)
			_, err := parse()
			if c.ok != (err == nil) {
				t.Errorf("error %v", err)
			}
			key := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(c.name, "BELLHUB_"), "_", "-"))
			if err != nil && (!strings.Contains(err.Error(), c.name) && !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "hunter2")) {
				t.Errorf("%q must name %s and not its value", err, c.name)
			}
		})
	}
}

func TestPluginsFlagsDoNotClash(t *testing.T) {
	text := func(name string) func(*flag.FlagSet) {
		return func(fs *flag.FlagSet) { fs.String(name, "", "") }
	}
	flags := config.Register(flag.NewFlagSet("test", flag.ContinueOnError))
	if err := flags.Add("a", text("a-word")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		plugin   string
		register func(*flag.FlagSet)
		want     []string
	}{
		{"a", text("b-word"), []string{"plugin a", "-b-word"}},
		{"a-w", text("a-word"), []string{"plugin a-w", "-a-word", "belongs to a already"}},
		{"max", text("max-text"), []string{"plugin max", "-max-text", "belongs to Bellhub already"}},
		{"b", func(fs *flag.FlagSet) { text("b-word")(fs); text("b-word")(fs) }, []string{"plugin b", "b-word"}},
	} {
		err := flags.Add(c.plugin, c.register)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q in it", c.plugin, err, want)
			}
		}
	}
}

// A command's own flags are the command line's alone, and a plugin's are
// settings.
func TestCommandFlags(t *testing.T) {
	command := func(args ...string) (key, greeting string, err error) {
		fs := flag.NewFlagSet("domain add", flag.ContinueOnError)
		k := fs.String("key", "", "")
		settings := config.Register(fs)
		err = settings.Add("escalation", func(fs *flag.FlagSet) { fs.StringVar(&greeting, "escalation-greeting", "", "") })
		if err == nil {
			_, err = settings.Parse(args)
		}
		return *k, greeting, err
	}
	t.Setenv("BELLHUB_ESCALATION_GREETING", "hello")
	if key, greeting, err := command("-key", "demo", "-max-text", "5"); key != "demo" || greeting != "hello" || err != nil {
		t.Errorf("key %q, greeting %q, %v", key, greeting, err)
	}
	if _, _, err := command("-config", file(t, "key demo\n")); err == nil {
		t.Error("a command's own flag was read from the file")
	}
	t.Setenv("BELLHUB_KEY", "demo")
	if _, _, err := command(); err == nil {
		t.Error("a command's own flag was read from the environment")
	}
}

func TestHelp(t *testing.T) {
	var out bytes.Buffer
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	fs.SetOutput(&out)
	t.Setenv("BELLHUB_MAILGUN_KEY", "hunter2")
	flags := config.Register(fs)
	if err := flags.Add("mail", mailFlags); err != nil {
		t.Fatal(err)
	}
	_, err := flags.Parse([]string{"-h"})
	if !errors.Is(err, flag.ErrHelp) || !strings.Contains(out.String(), "-mailgun-signing-key") || strings.Contains(out.String(), "hunter2") {
		t.Errorf("%v, %s", err, out.String())
	}
}

func TestBaseURLFromAddr(t *testing.T) {
	for addr, want := range map[string]string{
		"localhost:0": "http://localhost:4711", "127.0.0.1:0": "http://127.0.0.1:4711", "[::1]:0": "http://[::1]:4711",
		"127.0.0.2:0": "http://127.0.0.2:4711",
	} {
		c, err := parse("-addr", addr)
		if err != nil {
			t.Fatal(err)
		}
		before := c.BaseURL
		c.Listening(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711})
		if c.BaseURL.String() != want || before == c.BaseURL || !c.Development() {
			t.Errorf("%s: %s, want %s", addr, c.BaseURL, want)
		}
	}
	c, err := parse("-addr", "localhost:80")
	if err != nil {
		t.Fatal(err)
	}
	if c.Listening(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}); c.BaseURL.String() != "http://localhost" {
		t.Errorf("browsers leave http's own port out: %s", c.BaseURL)
	}
	c, err = parse("-addr", "localhost:0", "-base-url", "http://localhost:9000")
	if err != nil {
		t.Fatal(err)
	}
	if c.Listening(&net.TCPAddr{Port: 4711}); c.BaseURL.String() != "http://localhost:9000" {
		t.Errorf("what the operator chose became %s", c.BaseURL)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	c, err := parse("-mailgun-key=hunter2", "-mailgun-signing-key=hunter2", "-ai-key=hunter2",
		"-ai-base-url=http://localhost/v1", "-database=mysql://bell:hunter2@db/x?tls=hunter2", "-nats=nats://hunter2@n:4222")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("", "config", c, "key", c.AI.Key, "database", c.Database)
	slog.New(slog.NewTextHandler(&log, nil)).Info("", "config", c, "key", c.AI.Key, "database", c.Database)
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%q %x", c.AI.Key, c.AI.Key),
		string(encoded), log.String(), c.Database.String(), c.NATS.String(),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("a secret in %s", text)
		}
	}
	if got := c.Database.String(); got != "mysql://[secret]@db/x" {
		t.Errorf("the database prints as %q", got)
	}
	if got := config.Address("data/bellhub.db").String(); got != "data/bellhub.db" {
		t.Errorf("a path prints as %q", got)
	}
	if got := config.Address("mysql://u:hunter2%@db").String(); strings.Contains(got, "hunter2") {
		t.Errorf("what is no URL prints as %q", got)
	}
}
