// Package demo is a website to try Bellhub on: the pages of Kopi Tugu, a coffee
// roastery in Yogyakarta that does not exist, with a widget, what its AI knows,
// and somebody to email.
//
// It is there in development only. Its pages are what a customer's site is like
// in the strictest case: their content security policy allows no inline script
// and no inline style, and the widget has to live with that.
package demo

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"html/template"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
)

//go:embed page
var files embed.FS

// policy is the pages' content security policy. The icon is a data: URL.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Plugin serves the demo's pages.
type Plugin struct {
	host  *hub.Host
	on    bool
	pages map[string][]byte // by path
	style []byte
}

var (
	_ hub.Plugin  = (*Plugin)(nil)
	_ hub.Greeter = (*Plugin)(nil)
)

// New makes the plugin.
func New() *Plugin { return &Plugin{} }

// ID is "demo".
func (p *Plugin) ID() string { return "demo" }

// Init makes the pages, in development, and the domain that they show; otherwise
// there are none.
func (p *Plugin) Init(ctx context.Context, h *hub.Host) error {
	p.host, p.on = h, h.Development()
	if !p.on {
		return nil
	}
	err := Seed(ctx)
	if err != nil {
		return err
	}
	p.pages, err = render()
	if err != nil {
		return err
	}
	p.style, err = files.ReadFile("page/style.css")
	return err
}

// Greet names the demo.
func (p *Plugin) Greet(context.Context) ([]hub.Greeting, error) {
	if !p.on {
		return nil, nil
	}
	return []hub.Greeting{{What: "the demo shop", URL: p.host.BaseURL().String() + "/demo"}}, nil
}

// MountRoot registers /demo, /demo/id and their style sheet.
func (p *Plugin) MountRoot(r fiber.Router) {
	if !p.on {
		return
	}
	for path, page := range p.pages {
		r.Get(path, func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderContentSecurityPolicy, policy)
			c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
			c.Set(fiber.HeaderCacheControl, "no-cache")
			c.Type("html", "utf-8")
			return c.Send(page)
		})
	}
	r.Get("/demo/style.css", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		c.Set(fiber.HeaderCacheControl, "no-cache")
		c.Type("css", "utf-8")
		return c.Send(p.style)
	})
}

// bean is a coffee on the shelf; From, Notes and Roast are keys of the words.
type bean struct{ ID, Name, From, Notes, Price, Roast string }

var beans = []bean{
	{"merapi-slope", "Merapi Slope", "merapi.from", "merapi.notes", "Rp 92.000", "roast.medium"},
	{"menoreh-honey", "Menoreh Honey", "menoreh.from", "menoreh.notes", "Rp 105.000", "roast.medium"},
	{"gayo-natural", "Gayo Natural", "gayo.from", "gayo.notes", "Rp 118.000", "roast.light"},
	{"toraja-sapan", "Toraja Sapan", "toraja.from", "toraja.notes", "Rp 115.000", "roast.medium"},
	{"tugu-espresso", "Tugu Espresso", "espresso.from", "espresso.notes", "Rp 88.000", "roast.dark"},
	{"malam", "Malam", "malam.from", "malam.notes", "Rp 110.000", "roast.medium"},
}

// view is what the template sees.
type view struct {
	Lang, Path       string
	Other, OtherLang string // the same page in the other language
	Key              string
	Beans            []bean
	words            map[string]string
}

// T returns a text; the tests see to it that each one is there.
func (v view) T(key string) string { return v.words[key] }

// render makes the page in each language.
func render() (map[string][]byte, error) {
	t, err := template.ParseFS(files, "page/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string][]byte{}
	for _, v := range []view{
		{Lang: "en", Path: "/demo", Other: "/demo/id", OtherLang: "id"},
		{Lang: "id", Path: "/demo/id", Other: "/demo", OtherLang: "en"},
	} {
		v.Key, v.Beans = Key, beans
		if v.words, err = wordsIn(v.Lang); err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, "page.html", v); err != nil {
			return nil, err
		}
		pages[v.Path] = b.Bytes()
	}
	return pages, nil
}

func wordsIn(lang string) (map[string]string, error) {
	b, err := files.ReadFile("page/" + lang + ".json")
	if err != nil {
		return nil, err
	}
	var words map[string]string
	return words, json.Unmarshal(b, &words)
}
