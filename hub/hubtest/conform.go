package hubtest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// Conform puts a plugin through what every plugin must bear, whatever it does.
// create makes a new one each time, as New does. o, at most one, are the
// settings, words and limits to do it with; its other fields are not used.
//
//   - Its id, flags, words, migrations and script are its own and complete.
//   - Two of it live in one process at the same time, in two hubs.
//   - It can be closed at any point: after its own Init failed, after a later
//     plugin's did, and twice. Its Runner ends when it is told to. It leaves no
//     goroutine behind.
//   - Its hooks neither panic nor overstay their time on events that cannot be,
//     and on contexts that are over; what a visitor can say never makes one fail.
//   - Its frames answer nonsense with an error that a client may see; its pages,
//     panels and routes do not break on it, nor show it unescaped.
//   - One domain's page neither changes nor shows what is another's, whatever ids
//     it is sent.
//   - On MySQL, where the plugin has tables and MariaDB is installed, what it lets
//     through fits into its columns.
//   - The conversation goes on while its neighbours panic, hang, change what is
//     not theirs, and flood.
func Conform(t *testing.T, create func() hub.Plugin, o ...Options) {
	t.Helper()
	conform(t, create, o, "")
}

// conform runs one of the parts, or all.
func conform(t *testing.T, create func() hub.Plugin, o []Options, only string) {
	t.Helper()
	c := &conformance{create: create, id: create().ID()}
	if len(o) > 0 {
		c.o = Options{Flags: o[0].Flags, Texts: o[0].Texts, Limits: o[0].Limits}
	}
	if c.o.Texts == nil {
		c.o.Texts = hub.Texts{"en": {}, "id": {}}
	}
	steps, err := storage.MigrationsOf([]hub.Plugin{create()})
	if err != nil {
		t.Fatal(err)
	}
	c.o.Ctx, c.store = SQLite(t, steps...)
	c.o.Store = c.store
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"Names", c.names},
		{"Words", c.words},
		{"Tables", c.tables},
		{"Script", c.script},
		{"TwoHubs", c.twoHubs},
		{"InitFails", c.initFails},
		{"LaterInitFails", c.laterInitFails},
		{"Runner", c.runner},
		{"Hooks", c.hooks},
		{"Frames", c.frames},
		{"Pages", c.pages},
		{"Forms", c.forms},
		{"Domains", c.domains},
		{"MySQL", c.mysql},
		{"Panels", c.panels},
		{"Routes", c.routes},
		{"Neighbours", c.neighbours},
	} {
		if only == "" || only == part.name {
			t.Run(part.name, part.run)
		}
	}
}

// conformance is what the parts share: one database, for most, and domains of
// their own.
type conformance struct {
	create func() hub.Plugin
	id     string
	o      Options // with the database
	store  *storage.Store
}

// plugin makes one with its settings.
func (c *conformance) plugin(t *testing.T) hub.Plugin {
	t.Helper()
	p := c.create()
	if err := configure([]hub.Plugin{p}, c.o.Flags); err != nil {
		t.Fatal(err)
	}
	return p
}

// start runs a hub with the plugin, between others, and a fresh domain.
func (c *conformance) start(t *testing.T, o Options, before, after []hub.Plugin) *Kit {
	t.Helper()
	all := append(append(before, c.create()), after...)
	o.Flags, o.Texts, o.Limits = c.o.Flags, c.o.Texts, c.o.Limits
	if o.Database == nil {
		o.Ctx, o.Store = c.o.Ctx, c.o.Store
	}
	k := Start(t, o, all...)
	if o.Database == nil {
		k.Domain = k.AddDomain(t, hub.Domain{Name: "Shop", AI: true}) // with a key of its own
	}
	return k
}

// info is what the hub knows of the plugin.
func (c *conformance) info(k *Kit) hub.PluginInfo {
	all := k.Hub.Plugins()
	return all[slices.IndexFunc(all, func(p hub.PluginInfo) bool { return p.ID == c.id })]
}

// endsWithin bounds what a plugin may take to end, with a busy machine's leisure.
const endsWithin = 5 * time.Second

// safely calls fn, and returns its error, its panic or that it does not return.
func safely(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Errorf("%w: %v\n%s", errPanic, v, debug.Stack())
			}
		}()
		done <- fn()
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(endsWithin):
		return fmt.Errorf("%w within %s", errStuck, endsWithin)
	}
}

var (
	errStuck = errors.New("it does not return")
	errPanic = errors.New("panic")
)

// broken tells whether an error is one of safely's own.
func broken(err error) bool {
	return errors.Is(err, errStuck) || errors.Is(err, errPanic)
}

func (c *conformance) names(t *testing.T) {
	p := c.plugin(t)
	if again := c.create().ID(); again != c.id || p.ID() != c.id {
		t.Errorf("the id changes: %q, %q", c.id, again)
	}
	own := flag.NewFlagSet("", flag.ContinueOnError)
	own.SetOutput(io.Discard)
	if f, ok := p.(hub.Configurable); ok {
		f.Flags(own)
	}
	own.VisitAll(func(f *flag.Flag) {
		if f.Usage == "" {
			t.Errorf("-%s does not say what it is for", f.Name)
		}
		if f.DefValue != "" {
			if _, ok := f.Value.(*hub.Secret); ok {
				t.Errorf("-%s: a secret has no default", f.Name)
			}
		}
	})
}

var placeholder = regexp.MustCompile(`\{[a-zA-Z_]+\}`)

func (c *conformance) words(t *testing.T) {
	w, ok := c.create().(hub.Worded)
	if !ok {
		return
	}
	words := w.Texts()
	english := words[hub.DefaultLang]
	if len(english) == 0 {
		t.Errorf("there are no words in %q", hub.DefaultLang)
	}
	for _, lang := range slices.Sorted(maps.Keys(words)) {
		for key, text := range words[lang] {
			switch {
			case !strings.HasPrefix(key, c.id+"."):
				t.Errorf("%s: the key %q does not begin with %q", lang, key, c.id+".")
			case text == "":
				t.Errorf("%s: %s is empty", lang, key)
			case english[key] == "":
				t.Errorf("%s: %s is not there in %s", lang, key, hub.DefaultLang)
			case !slices.Equal(placeholders(text), placeholders(english[key])):
				t.Errorf("%s: %s takes %v, and %v in %s", lang, key, placeholders(text), placeholders(english[key]), hub.DefaultLang)
			}
		}
		for key := range english {
			if _, ok := words[lang][key]; !ok {
				t.Errorf("%s: %s is missing", lang, key)
			}
		}
	}
}

func placeholders(text string) []string {
	all := placeholder.FindAllString(text, -1)
	slices.Sort(all)
	return slices.Compact(all)
}

func (c *conformance) script(t *testing.T) {
	s, ok := c.create().(hub.Scripter)
	if !ok {
		return
	}
	b, err := fs.ReadFile(s.Script(), "widget.js")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), "export default") {
		t.Error("widget.js has no default export")
	}
}

// twoHubs is the one part that runs in parallel: the race detector sees what two
// of a kind share.
func (c *conformance) twoHubs(t *testing.T) {
	for name, o := range map[string]Options{"development": {Database: SQLite, Development: true}, "production": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			converse(t, c.start(t, o, nil, nil))
		})
	}
}

// converse is a conversation of two pages of a visitor's and an admin: what is
// said is stored, and shown to all in order.
func converse(t *testing.T, k *Kit) {
	t.Helper()
	visitor := k.Visitor(t)
	page := k.Again(t, visitor)
	admin := k.Admin(t, k.SignIn(t, "Ana"), visitor.Room)
	var said []string
	for i := range 5 {
		text := fmt.Sprintf("Do you ship to Oslo? (%d)", i)
		said = append(said, text)
		visitor.Say(text)
	}
	admin.Say("Yes, we do.")
	said = append(said, "Yes, we do.")
	for _, client := range []*Client{visitor, page, admin} {
		last := 0.0
		for _, text := range said {
			for {
				e := client.WantEvent(hub.EventMessage)
				if seq, _ := e.Get("seq").(float64); seq <= last {
					t.Errorf("%s is shown %v after %v", client.name, seq, last)
				} else {
					last = seq
				}
				if e.Get("author.kind") != string(hub.Visitor) && e.Get("author.name") != "Ana" {
					continue // somebody else has a word, too
				}
				if e.Get("text") != text {
					t.Errorf("%s is shown %s, want %q", client.name, e.Data, text)
				}
				break
			}
		}
	}
}

// named is a plugin of no consequence.
type named struct {
	id   string
	init func(context.Context, *hub.Host) error
}

// ID implements [hub.Plugin].
func (n *named) ID() string { return n.id }

// Init implements [hub.Plugin].
func (n *named) Init(ctx context.Context, h *hub.Host) error { return n.init(ctx, h) }
