package plugins_test

import (
	"context"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/config"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/server"
	"github.com/bellhub/bellhub/storage"
)

// TestTheReferenceIsWhole compares the tables of the README with the contract:
// every hook, and every method by which a plugin can be more.
func TestTheReferenceIsWhole(t *testing.T) {
	text := readme(t)
	hooks := section(t, text, "## All hooks")
	for _, f := range reflect.VisibleFields(reflect.TypeFor[hub.Hooks]()) {
		if !strings.Contains(hooks, "| `"+f.Name+"` |") {
			t.Errorf("the hook %s is not in the table", f.Name)
		}
	}
	capabilities := section(t, text, "## All that a plugin can be")
	doc := pluginDoc(t)
	for _, m := range regexp.MustCompile(`\[(\w+)\]`).FindAllStringSubmatch(doc, -1) {
		if m[1] != "MaxPluginID" && !strings.Contains(capabilities, "`hub."+m[1]+"` |") {
			t.Errorf("hub.%s is not in the table", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+)\(`).FindAllStringSubmatch(doc, -1) {
		if !strings.Contains(capabilities, "| `"+m[1]+"(") {
			t.Errorf("the method %s is not in the table", m[1])
		}
	}
}

// section is the part of the README below a heading.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, text, ok := strings.Cut(text, "\n"+heading+"\n")
	if !ok {
		t.Fatalf("the README has no %s", heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// pluginDoc is what hub says of the type Plugin.
func pluginDoc(t *testing.T) string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../hub/plugin.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.TYPE && d.Specs[0].(*ast.TypeSpec).Name.Name == "Plugin" {
			return d.Doc.Text()
		}
	}
	t.Fatal("hub has no Plugin")
	return ""
}

// wrong is a plugin that does one thing wrong.
type wrong struct {
	id    string
	init  func(*hub.Host)
	pages []hub.Page
	texts hub.Texts
}

func (w wrong) ID() string        { return w.id }
func (w wrong) Pages() []hub.Page { return w.pages }
func (w wrong) Texts() hub.Texts  { return w.texts }
func (w wrong) Init(_ context.Context, h *hub.Host) error {
	if w.init != nil {
		w.init(h)
	}
	return nil
}

// scripted has a script without its first file.
type scripted struct{ wrong }

func (scripted) Script() fs.FS { return fstest.MapFS{"cards.js": {}} }

// rooted has a route that is not below its own path.
type rooted struct{ wrong }

func (rooted) MountRoot(r fiber.Router) { r.Post("/cards", func(*fiber.Ctx) error { return nil }) }

// tabled makes a table.
type tabled struct {
	wrong
	step storage.Migration
}

func (p tabled) Migrations() []storage.Migration { return []storage.Migration{p.step} }

type findings struct{ ID string }

type rightTable struct{ ID string }

func (rightTable) TableName() string { return "cards_findings" }

// TestTheMessagesAreReal makes each mistake of the README's last table, and
// compares what is said.
func TestTheMessagesAreReal(t *testing.T) {
	handles := func(frame string) func(*hub.Host) {
		return func(h *hub.Host) {
			h.Handle(frame, hub.From(hub.Visitor), func(context.Context, hub.Frame) (any, error) { return nil, nil })
		}
	}
	settings := func(plugins ...string) error {
		flags := config.Register(flag.NewFlagSet("test", flag.ContinueOnError))
		for _, p := range plugins {
			id, name, _ := strings.Cut(p, " ")
			if err := flags.Add(id, func(fs *flag.FlagSet) { fs.String(name, "", "") }); err != nil {
				return err
			}
		}
		return nil
	}
	steps := func(id string, model any) error {
		_, err := storage.MigrationsOf([]hub.Plugin{tabled{wrong{id: "cards"}, storage.CreateTable(id, model)}})
		return err
	}
	made := []error{
		start(t, wrong{id: "Cards"}),
		start(t, wrong{id: "cards"}, wrong{id: "cards"}),
		settings("cards numbers"),
		settings("cards-n cards-numbers", "cards cards-numbers"),
		steps("card/0001", &rightTable{}),
		steps("cards/0001", &findings{}),
		start(t, wrong{id: "cards", texts: hub.Texts{"en": {"title": "Cards"}}}),
		start(t, wrong{id: "cards", init: handles("message")}),
		start(t, wrong{id: "other", init: handles("cards-check")}, wrong{id: "cards", init: handles("cards-check")}),
		start(t, wrong{id: "cards", pages: []hub.Page{{Slug: "settings"}}}),
		late(t),
		start(t, rooted{wrong{id: "other"}}, rooted{wrong{id: "cards"}}),
		start(t, scripted{wrong{id: "cards"}}),
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(section(t, readme(t), "## When it does not start"), -1)
	if len(rows) != len(made) {
		t.Fatalf("the table has %d messages, of which %d are made here", len(rows), len(made))
	}
	for i, row := range rows {
		if made[i] == nil || !strings.Contains(made[i].Error(), row[1]) {
			t.Errorf("README.md tells of\n\t%s\nit says\n\t%v", row[1], made[i])
		}
	}
}

// start assembles a program of these plugins, as main does.
func start(t *testing.T, plugins ...hub.Plugin) error {
	t.Helper()
	base := &url.URL{Scheme: "https", Host: "chat.example"}
	h, err := hub.New(t.Context(), hub.Options{
		Store: hubtest.NewMemory(), BaseURL: base, Frame: server.Frame, Render: server.Render, Asset: func(name string) string { return name },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close(context.WithoutCancel(t.Context()))
	if err := h.Init(plugins...); err != nil {
		return err
	}
	s := server.New(t.Context(), server.Options{Hub: h, BaseURL: base})
	for _, p := range plugins {
		if err := s.Mount(p); err != nil {
			return err
		}
	}
	return nil
}

// late binds a hook when it is too late for that.
func late(t *testing.T) (err error) {
	t.Helper()
	var host *hub.Host
	if err := start(t, wrong{id: "cards", init: func(h *hub.Host) { host = h }}); err != nil {
		t.Fatal(err)
	}
	defer func() { err = fmt.Errorf("%v", recover()) }()
	host.Hooks.RoomOpened.Bind(host, func(context.Context, hub.RoomOpened) {})
	return nil
}
