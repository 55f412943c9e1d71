package hubtest

import (
	"context"
	"errors"
	"flag"
	"html/template"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// flawed is a plugin with everything that a plugin can have, each as a defect
// needs it.
type flawed struct {
	flags    func(*flag.FlagSet)
	texts    hub.Texts
	up       func(*gorm.DB) error
	script   fs.FS
	init     func(context.Context, *hub.Host) error
	run      func(context.Context) error
	closed   func() error
	page     func(context.Context, hub.PageRequest) (hub.PageContent, error)
	panel    func(hub.PanelRequest) (template.HTML, error)
	route    fiber.Handler
	appended func(context.Context, hub.EventAppending) error
	frame    func(hub.Frame) (any, error)
}

func (*flawed) ID() string { return "flawed" }

func (p *flawed) Init(ctx context.Context, h *hub.Host) error {
	if p.init != nil {
		return p.init(ctx, h)
	}
	if p.appended != nil {
		h.Hooks.EventAppending.Bind(h, func(ctx context.Context, e hub.EventAppending) (hub.EventAppending, error) {
			return e, p.appended(ctx, e)
		})
	}
	if p.frame != nil {
		h.Handle("wave", hub.From(hub.Visitor), func(_ context.Context, f hub.Frame) (any, error) { return p.frame(f) })
	}
	return nil
}

func (p *flawed) Flags(fs *flag.FlagSet) {
	if p.flags != nil {
		p.flags(fs)
	}
}

func (p *flawed) Texts() hub.Texts { return p.texts }
func (p *flawed) Script() fs.FS    { return p.script }

func (p *flawed) Migrations() []storage.Migration {
	if p.up == nil {
		return nil
	}
	return []storage.Migration{{ID: "flawed/0001", Up: p.up}}
}

func (p *flawed) Run(ctx context.Context) error {
	if p.run != nil {
		return p.run(ctx)
	}
	return nil
}

func (p *flawed) Close(context.Context) error {
	if p.closed != nil {
		return p.closed()
	}
	return nil
}

func (p *flawed) Pages() []hub.Page {
	return []hub.Page{{Slug: "flaws", Title: "flawed.title", Render: func(ctx context.Context, r hub.PageRequest) (hub.PageContent, error) { return p.page(ctx, r) }}}
}

func (p *flawed) Panels() []hub.Panel {
	return []hub.Panel{{Title: "flawed.title", Render: func(_ context.Context, r hub.PanelRequest) (template.HTML, error) { return p.panel(r) }}}
}

func (p *flawed) Mount(r fiber.Router) { r.Get("/:what", p.route) }

// form is a page that is as it should be, but for what fn makes of its field.
func form(fn func(value string) (hub.PageContent, error)) func(context.Context, hub.PageRequest) (hub.PageContent, error) {
	return func(_ context.Context, r hub.PageRequest) (hub.PageContent, error) {
		if r.Domain == "nothing" {
			return hub.PageContent{}, hub.ErrNotFound
		}
		if !r.Form.Has("colour") {
			return hub.PageContent{HTML: `<form method="post"><input name="colour"></form>`}, nil
		}
		return fn(r.Form.Get("colour"))
	}
}

// kept is a plugin whose page lists what is kept of a domain, with a form to add
// to it and one to remove each; do does what a form asks for.
func kept(do func(context.Context, hub.PageRequest) error) *flawed {
	return &flawed{
		up: func(db *gorm.DB) error {
			return db.Exec("CREATE TABLE IF NOT EXISTS flawed_colours (id char(36), domain_id char(36), colour varchar(40))").Error
		},
		page: func(ctx context.Context, r hub.PageRequest) (hub.PageContent, error) {
			if _, err := storage.DomainByID(ctx, r.Domain); err != nil {
				return hub.PageContent{}, err
			}
			if r.Post {
				return hub.PageContent{Redirect: r.Path}, do(ctx, r)
			}
			var all []struct{ ID, Colour string }
			err := storage.Read(ctx).Raw("SELECT id, colour FROM flawed_colours WHERE domain_id = ? ORDER BY id", r.Domain).Scan(&all).Error
			page := `<form method="post"><input name="colour"><button name="do" value="paint">Paint</button></form>`
			for _, one := range all {
				page += `<a href="?edit=` + one.ID + `">` + template.HTMLEscapeString(one.Colour) + `</a>
					<form method="post"><input type="hidden" name="id" value="` + one.ID + `"><button name="do" value="remove">Remove</button></form>`
			}
			return hub.PageContent{HTML: template.HTML(page)}, err
		},
	}
}

// paint keeps a colour.
func paint(ctx context.Context, r hub.PageRequest) error {
	if r.Form.Get("do") != "paint" {
		return nil
	}
	return storage.DB(ctx).Exec("INSERT INTO flawed_colours (id, domain_id, colour) VALUES (?, ?, ?)", storage.NewID(), r.Domain, r.Form.Get("colour")).Error
}

// defects are plugins that must not pass: the part that sees it, and what it says.
var defects = []struct {
	name, part, want string
	create           func() *flawed
}{
	{"a flag of another's", "Names", "the flag -other-thing does not begin", func() *flawed {
		return &flawed{flags: func(fs *flag.FlagSet) { fs.Bool("other-thing", false, "what") }}
	}},
	{"a flag that says nothing", "Names", "-flawed-mute does not say", func() *flawed {
		return &flawed{flags: func(fs *flag.FlagSet) { fs.Bool("flawed-mute", false, "") }}
	}},
	{"a language behind", "Words", "id: flawed.bye is missing", func() *flawed {
		return &flawed{texts: hub.Texts{"en": {"flawed.hi": "Hi", "flawed.bye": "Bye"}, "id": {"flawed.hi": "Hai"}}}
	}},
	{"a placeholder forgotten", "Words", "id: flawed.hi takes [], and [{name}] in en", func() *flawed {
		return &flawed{texts: hub.Texts{"en": {"flawed.hi": "Hi {name}"}, "id": {"flawed.hi": "Hai"}}}
	}},
	{"a table of nobody's", "Tables", `loose does not begin with "flawed_"`, func() *flawed {
		return &flawed{up: func(db *gorm.DB) error { return db.Exec("CREATE TABLE IF NOT EXISTS loose (id int)").Error }}
	}},
	{"a table of the program's", "Tables", "domains is not the plugin's, and is changed", func() *flawed {
		return &flawed{up: func(db *gorm.DB) error { return db.Exec("ALTER TABLE domains ADD COLUMN flaw int").Error }}
	}},
	{"a step that cannot run again", "Tables", "flawed/0001, which had happened", func() *flawed {
		return &flawed{up: func(db *gorm.DB) error { return db.Exec("CREATE TABLE flawed_once (id int)").Error }}
	}},
	{"a script that exports nothing", "Script", "no default export", func() *flawed {
		return &flawed{script: fstest.MapFS{"widget.js": {Data: []byte("alert(1)")}}}
	}},
	{"something made once a process", "TwoHubs", "registered already", func() *flawed {
		return &flawed{init: func(context.Context, *hub.Host) error { return register() }}
	}},
	{"an Init that panics", "InitFails", "nothing to start with", func() *flawed {
		return &flawed{init: func(ctx context.Context, _ *hub.Host) error {
			if ctx.Err() != nil {
				panic("nothing to start with")
			}
			return nil
		}}
	}},
	{"a Close that comes once", "LaterInitFails", "close of closed channel", func() *flawed {
		c := make(chan int)
		return &flawed{closed: func() error { close(c); return nil }}
	}},
	{"a Close that fails", "LaterInitFails", "cannot be closed", func() *flawed {
		return &flawed{closed: func() error { return errors.New("cannot be closed") }}
	}},
	{"an Init that leaves something running", "LaterInitFails", "hubtest.forgotten", func() *flawed {
		return &flawed{init: func(context.Context, *hub.Host) error { go forgotten(); return nil }}
	}},
	{"a Runner that does not end", "Runner", "Run, when it is over: it does not return", func() *flawed {
		return &flawed{run: func(context.Context) error { select {} }}
	}},
	{"a Runner that fails", "Runner", "Run fails: no work today", func() *flawed {
		return &flawed{run: func(ctx context.Context) error {
			if ctx.Err() != nil {
				return nil
			}
			return errors.New("no work today")
		}}
	}},
	{"a hook that is surprised", "Hooks", "EventAppending fails on", func() *flawed {
		return &flawed{appended: func(_ context.Context, e hub.EventAppending) error { _ = e.Event.Author.ID[0]; return nil }}
	}},
	{"a hook that a visitor can break", "Hooks", "EventAppending fails on a message of commas in a room: too long", func() *flawed {
		return &flawed{appended: func(_ context.Context, e hub.EventAppending) error {
			if strings.HasPrefix(e.Event.Text, ",a") {
				return errors.New("too long")
			}
			return nil
		}}
	}},
	{"a hook that hangs", "Hooks", "EventAppending overstays its time on", func() *flawed {
		return &flawed{appended: func(ctx context.Context, e hub.EventAppending) error {
			if e.Room.Domain == "nothing" {
				<-ctx.Done()
			}
			return nil
		}}
	}},
	{"a frame that panics", "Frames", "the connection ended with", func() *flawed {
		return &flawed{frame: func(f hub.Frame) (any, error) { return nil, errors.New(string(f.Data[:4])) }}
	}},
	{"a frame that says too much", "Frames", "unforeseen", func() *flawed {
		return &flawed{frame: func(hub.Frame) (any, error) { return nil, errors.New("unforeseen") }}
	}},
	{"a page that shows what it got", "Pages", "shown as it is", func() *flawed {
		return &flawed{page: form(func(v string) (hub.PageContent, error) { return hub.PageContent{HTML: template.HTML(v)}, nil })}
	}},
	{"a page that leads anywhere", "Pages", `leads to "https://user`, func() *flawed {
		return &flawed{page: form(func(v string) (hub.PageContent, error) { return hub.PageContent{Redirect: v}, nil })}
	}},
	{"a page that is surprised", "Pages", "index out of range", func() *flawed {
		return &flawed{page: form(func(v string) (hub.PageContent, error) { return hub.PageContent{Redirect: "/" + v[:1]}, nil })}
	}},
	{"a page of any domain", "Pages", "flaws of a domain that does not exist", func() *flawed {
		return &flawed{page: func(context.Context, hub.PageRequest) (hub.PageContent, error) {
			return hub.PageContent{HTML: "<p>Hi"}, nil
		}}
	}},
	{"a form that is surprised", "Forms", "the form do=paint", func() *flawed {
		return kept(func(_ context.Context, r hub.PageRequest) error {
			if r.Form.Get("do") == "paint" && !utf8.ValidString(r.Form.Get("colour")) {
				return errors.New("no colour")
			}
			return nil
		})
	}},
	{"a form that removes what is another domain's", "Domains", "sent to another domain, changes what is at", func() *flawed {
		return kept(func(ctx context.Context, r hub.PageRequest) error {
			if r.Form.Get("do") == "remove" {
				return storage.DB(ctx).Exec("DELETE FROM flawed_colours WHERE id = ?", r.Form.Get("id")).Error
			}
			return paint(ctx, r)
		})
	}},
	{"a page that shows what is another domain's", "Domains", "what another domain has there", func() *flawed {
		p := kept(paint)
		render := p.page
		p.page = func(ctx context.Context, r hub.PageRequest) (hub.PageContent, error) {
			out, err := render(ctx, r)
			var colour string
			if err == nil && !r.Post {
				err = storage.Read(ctx).Raw("SELECT colour FROM flawed_colours WHERE id = ?", r.Form.Get("edit")).Scan(&colour).Error
				out.HTML += template.HTML(template.HTMLEscapeString(colour))
			}
			return out, err
		}
		return p
	}},
	{"a column that is too short", "MySQL", `more "x" in colour: Error 1406`, func() *flawed {
		return kept(func(ctx context.Context, r hub.PageRequest) error {
			if len(r.Form.Get("colour")) > 41 {
				return &hub.Error{Code: hub.CodeBadText, Message: "That is too long."}
			}
			return paint(ctx, r)
		})
	}},
	{"a hook whose column is too short", "MySQL", "EventAppending fails on MySQL", func() *flawed {
		p := kept(paint)
		p.appended = func(ctx context.Context, e hub.EventAppending) error {
			return storage.DB(ctx).Exec("INSERT INTO flawed_colours (id, domain_id, colour) VALUES (?, ?, ?)", storage.NewID(), e.Room.Domain, e.Event.Text).Error
		}
		return p
	}},
	{"a panel that shows what it got", "Panels", "panel 0 of the room in en", func() *flawed {
		return &flawed{panel: func(r hub.PanelRequest) (template.HTML, error) { return template.HTML(r.Room.Last.Text), nil }}
	}},
	{"a route that is surprised", "Routes", "500 panic: surprise", func() *flawed {
		return &flawed{page: nil, route: func(*fiber.Ctx) error { panic("surprise") }}
	}},
	{"what a visitor says is not kept", "Neighbours", "want \"Do you ship to Oslo? (0)\"", func() *flawed {
		return &flawed{init: func(_ context.Context, h *hub.Host) error {
			h.Hooks.EventAppending.Bind(h, func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
				e.Event.Text = "lost"
				return e, nil
			})
			return nil
		}}
	}},
}

func forgotten() { select {} }

// registered is what the two hubs of one process must not share.
var registered = make(chan struct{}, 1)

func register() error {
	select {
	case registered <- struct{}{}:
		return nil
	default:
		return errors.New("registered already")
	}
}

// TestDefects fails, where TestConformFindsDefects has it run.
func TestDefects(t *testing.T) {
	if os.Getenv("HUBTEST_DEFECTS") == "" {
		return
	}
	for _, d := range defects {
		t.Run(strings.ReplaceAll(d.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			conform(t, func() hub.Plugin { return d.create() }, nil, d.part)
		})
	}
}

// A test that no plugin fails would be worth nothing. Tests that must fail run in
// a process of their own.
func TestConformFindsDefects(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestDefects$", "-test.v")
	cmd.Env = append(os.Environ(), "HUBTEST_DEFECTS=1")
	b, err := cmd.CombinedOutput()
	out := string(b)
	if err == nil {
		t.Error("it passed")
	}
	for _, d := range defects {
		name := strings.ReplaceAll(d.name, " ", "_")
		if !strings.Contains(out, "--- FAIL: TestDefects/"+name+"/"+d.part) {
			t.Errorf("%s: %s does not find it", d.name, d.part)
		} else if !strings.Contains(out, d.want) {
			t.Errorf("%s: %s does not say %q", d.name, d.part, d.want)
		}
	}
	if t.Failed() {
		t.Log(out[:min(len(out), 60_000)])
	}
}
