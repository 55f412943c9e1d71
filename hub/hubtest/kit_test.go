package hubtest_test

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

// plugin is one made of what a test gives it.
type plugin struct {
	id     string
	prefix string // of each visitor's message
	after  time.Duration
	init   func(*hub.Host)
}

func (p *plugin) ID() string { return p.id }

func (p *plugin) Flags(fs *flag.FlagSet) {
	fs.StringVar(&p.prefix, p.id+"-prefix", "", "goes before each message")
	fs.DurationVar(&p.after, p.id+"-after", time.Minute, "when the event tells")
}

func (p *plugin) Validate() error {
	if p.after <= 0 {
		return fmt.Errorf("-%s-after is not positive", p.id)
	}
	return nil
}

func (p *plugin) Texts() hub.Texts {
	return hub.Texts{"en": {p.id + ".hello": "Hello!"}}
}

func (p *plugin) Init(_ context.Context, h *hub.Host) error {
	if p.init != nil {
		p.init(h)
	}
	h.Hooks.EventAppending.Bind(h, func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
		if e.Event.Text == "refused" {
			return e, hub.Veto("", "No.")
		}
		e.Event.Text = p.prefix + e.Event.Text
		return e, nil
	})
	return nil
}

// job is a plugin that does something a while after each message.
type job struct {
	plugin
	done chan string
}

func (j *job) Init(ctx context.Context, h *hub.Host) error {
	h.Hooks.EventAppending.Bind(h, func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
		e.Jobs = append(e.Jobs, hub.Job{Kind: j.id, Key: e.Room.ID + e.ClientID, RunAt: hub.Now().Add(j.after)})
		return e, nil
	})
	return nil
}

func (j *job) Run(ctx context.Context) error {
	return storage.Work(ctx, storage.Worker{Kind: j.id, Concurrency: 1, Timeout: time.Second, Do: func(ctx context.Context, t storage.Task) error {
		j.done <- t.Room
		return nil
	}})
}

func TestAHubInThreeLines(t *testing.T) {
	k := hubtest.Start(t, hubtest.Options{Flags: []string{"-echo-prefix=> "}}, &plugin{id: "echo"})
	c := k.Visitor(t)
	if ack := c.Say("hi"); ack.Get("seq") != 1.0 {
		t.Errorf("acknowledged with %s", ack.Data)
	}
	if e := c.WantEvent(hub.EventMessage); e.Get("text") != "> hi" {
		t.Errorf("shown: %s", e.Data)
	}
	if e := hubtest.Fired(t, k, func(e hub.EventStored) bool { return e.Event.Seq == 1 }); e.Event.Text != "> hi" {
		t.Errorf("stored: %+v", e)
	}
	if e := hubtest.Fired[hub.EventAppending](t, k, nil); e.Event.Text != "> hi" {
		t.Errorf("the recorder is not the last hook: %+v", e.Event)
	}
}

// What arrives while a client waits for its acknowledgement is not lost.
func TestSayKeepsWhatItPassed(t *testing.T) {
	k := hubtest.Start(t, hubtest.Options{})
	a := k.Visitor(t)
	b := k.Again(t, a)
	for i := range 3 {
		a.Say(fmt.Sprint("a", i))
	}
	b.Say("b")
	for i := range 3 {
		if e := b.WantEvent(hub.EventMessage); e.Get("text") != fmt.Sprint("a", i) {
			t.Errorf("event %d: %s", i, e.Data)
		}
	}
}

// The same test runs in memory and on a database, but for one option.
func TestADatabaseInOneLine(t *testing.T) {
	for name, o := range map[string]hubtest.Options{"memory": {}, "SQLite": {Database: hubtest.SQLite}} {
		t.Run(name, func(t *testing.T) {
			var host *hub.Host
			k := hubtest.Start(t, o, &plugin{id: "echo", init: func(h *hub.Host) { host = h }})
			if got := host.Text("en", "echo.hello"); got != "Hello!" {
				t.Errorf("the plugin's words: %q", got)
			}
			c := k.Visitor(t)
			admin := k.Admin(t, k.SignIn(t, "Ana"), c.Room)
			admin.Say("Good morning")
			if e := c.WantEvent(hub.EventMessage); e.Get("author.name") != "Ana" {
				t.Errorf("shown: %s", e.Data)
			}
			other := k.AddDomain(t, hub.Domain{Key: "other", Name: "Other"})
			if other.ID == "" || other.ID == k.Domain.ID {
				t.Errorf("another domain: %+v", other)
			}
			k.Visitor(t, "other").Say("hello")
			if k.Memory == nil {
				if _, err := storage.RoomIn(k.Ctx, k.Domain.ID, c.Room); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// An hour passes at once, for the hub, for SQLite and for its jobs.
func TestTimeInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &job{plugin{id: "later"}, make(chan string, 1)}
		k := hubtest.Start(t, hubtest.Options{Database: hubtest.SQLite, Flags: []string{"-later-after=5m"}}, j)
		c := k.Visitor(t)
		c.Say("hi")
		k.Advance(t, 4*time.Minute)
		select {
		case <-j.done:
			t.Error("too early")
		default:
		}
		k.Advance(t, 2*time.Minute)
		select {
		case room := <-j.done:
			if room != c.Room {
				t.Errorf("in the room %s", room)
			}
		default:
			t.Error("not done")
		}
	})
}

func TestNotFired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := hubtest.Start(t, hubtest.Options{}, &plugin{id: "echo"})
		c := k.Visitor(t)
		c.Send("message", "1", map[string]any{"text": "refused"})
		hubtest.NotFired[hub.EventStored](t, k, nil)
		c.WantError(hub.CodeVetoed)
		c.Say("hi")
		hubtest.Fired[hub.EventStored](t, k, nil)
		hubtest.NotFired[hub.EventStored](t, k, nil)
		c.Say("again")
		if got := failed(t, func(tb testing.TB) { hubtest.NotFired[hub.EventStored](tb, k, nil) }); !strings.Contains(got, "again") {
			t.Errorf("what was fired is not shown: %s", got)
		}
	})
	k := hubtest.Start(t, hubtest.Options{})
	for name, fn := range map[string]func(testing.TB){
		"NotFired": func(tb testing.TB) { hubtest.NotFired[hub.EventStored](tb, k, nil) },
		"Advance":  func(tb testing.TB) { k.Advance(tb, time.Hour) },
	} {
		if got := failed(t, fn); !strings.Contains(got, "bubble") {
			t.Errorf("%s outside a bubble: %q", name, got)
		}
	}
}

func TestWrongSettingsFailTheTest(t *testing.T) {
	for want, flags := range map[string][]string{
		"not defined: -nope": {"-nope"}, "not positive": {"-echo-after=-1s"}, "no flag": {"what"},
	} {
		got := failed(t, func(tb testing.TB) { hubtest.Start(tb, hubtest.Options{Flags: flags}, &plugin{id: "echo"}) })
		if !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", flags, got, want)
		}
	}
}

// Whatever a test fails for, it shows who said what, and what the hub logged.
func TestAFailureIsTold(t *testing.T) {
	for name, fail := range map[string]func(testing.TB, *hubtest.Client){
		"the test's own": func(tb testing.TB, _ *hubtest.Client) { tb.Error("the test's own") },
		"wanted error": func(_ testing.TB, c *hubtest.Client) {
			c.Send("history", "h", map[string]any{"after": 0})
			c.Say("x")
			c.WantError(hub.CodeGone)
		},
		"was refused": func(_ testing.TB, c *hubtest.Client) { c.Say("refused") },
		"closed with": func(_ testing.TB, c *hubtest.Client) { c.HangUp(); c.WantClosed(hub.CloseFlood) },
	} {
		got := failed(t, func(tb testing.TB) {
			k := hubtest.Start(tb, hubtest.Options{}, &plugin{id: "echo", init: func(h *hub.Host) { h.Log.Info("a line") }})
			k.Visitor(tb).Say("I am the first")
			c := k.Visitor(tb)
			admin := k.Admin(tb, k.SignIn(tb, "Ana"), c.Room)
			admin.Say("unheard")
			fail(tb, c)
		})
		for _, want := range []string{name, "what visitor 1 said", "I am the first", "what visitor 2 said", "what admin Ana 1 said", "⇠", "unheard", "a line", "plugin=echo"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: the failure does not show %q:\n%s", name, want, got)
			}
		}
	}
}

// A goroutine that a plugin leaves behind fails its test and no other, also
// where they run at the same time.
func TestALeakIsFound(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	hubtest.Start(t, hubtest.Options{}) // its own goroutines are nobody else's leak
	got := failed(t, func(tb testing.TB) {
		leaky := &plugin{id: "leaky", init: func(h *hub.Host) {
			h.Hooks.EventStored.Bind(h, func(context.Context, hub.EventStored) { go leak(release) })
		}}
		k := hubtest.Start(tb, hubtest.Options{}, leaky)
		k.Visitor(tb).Say("hi")
		hubtest.Fired[hub.EventStored](t, k, nil)
	})
	if !strings.Contains(got, "hubtest_test.leak") {
		t.Errorf("not found: %q", got)
	}
}

func leak(release chan struct{}) { <-release }

// failed runs fn as a test that must fail, and returns all that it said.
func failed(t *testing.T, fn func(testing.TB)) string {
	t.Helper()
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer f.end()
		fn(f)
	}()
	<-done
	if !f.Failed() {
		t.Errorf("it did not fail, and said %q", f.said.String())
	}
	return f.said.String()
}

// failing is a test whose failure is what is asked for.
type failing struct {
	testing.TB
	mu       sync.Mutex
	said     strings.Builder
	failed   bool
	cleanups []func()
}

func (f *failing) Helper() {}
func (f *failing) Log(args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fmt.Fprintln(&f.said, args...)
}

func (f *failing) Error(args ...any) {
	f.Log(args...)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = true
}
func (f *failing) Errorf(format string, args ...any) { f.Error(fmt.Sprintf(format, args...)) }
func (f *failing) Fatal(args ...any)                 { f.Error(args...); runtime.Goexit() }
func (f *failing) Fatalf(format string, args ...any) { f.Fatal(fmt.Sprintf(format, args...)) }
func (f *failing) Cleanup(fn func())                 { f.cleanups = append(f.cleanups, fn) }
func (f *failing) Failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

func (f *failing) end() {
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		f.cleanups[i]()
	}
}
