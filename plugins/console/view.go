package console

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

//go:embed templates/*.html
var templates embed.FS

// views are the pages by language and name, parsed once: a text is looked up
// with its language bound in, and html/template escapes by context.
type views map[string]map[string]*template.Template

// Page templates are parsed on top of these.
const shared = "templates/_*.html"

func parseViews(h *hub.Host) (views, error) {
	names, err := fs.Glob(templates, "templates/[a-z]*.html")
	if err != nil {
		return nil, err
	}
	all := views{}
	for lang := range h.Texts() {
		base, err := template.New("").Funcs(funcs(h, lang)).ParseFS(templates, shared)
		if err != nil {
			return nil, err
		}
		all[lang] = map[string]*template.Template{}
		for _, name := range names {
			page, err := base.Clone()
			if err == nil {
				page, err = page.ParseFS(templates, name)
			}
			if err != nil {
				return nil, err
			}
			all[lang][strings.TrimSuffix(path.Base(name), ".html")] = page
		}
	}
	return all, nil
}

// funcs are what templates call. Keys of texts leave out the prefix "console.".
func funcs(h *hub.Host, lang string) template.FuncMap {
	t := func(key string, pairs ...any) string { return text(h, lang, key, pairs...) }
	measure := newMeasure(lang)
	return template.FuncMap{
		"t":          t,
		"lang":       func() string { return lang },
		"live":       func() (string, error) { return liveTexts(h.Texts(), lang) },
		"asset":      h.Asset,
		"icon":       icon,
		"draw":       draw,
		"args":       func(all ...string) []string { return all },
		"stamp":      hub.Stamp,
		"human":      human,
		"when":       func(at time.Time, zone *time.Location) moment { return moment{at, zone} },
		"utc":        func() *time.Location { return time.UTC },
		"count":      measure.count,
		"took":       measure.took,
		"blankRow":   func() row { return row{} },
		"state":      func(s string) string { return t("live.state." + s) },
		"emailState": func(s storage.EmailState) string { return t("emailState." + string(s)) },
		"speaker":    func(k hub.Kind) string { return t("live.said." + string(k)) },
		"mode": func(r hub.Room) string {
			switch {
			case r.Mode == hub.ModeAI:
				return t("live.list.ai")
			case r.Holder.ID == "":
				return t("live.list.nobody")
			}
			return t("live.list.person", "name", r.Holder.Name)
		},
	}
}

// moment is a time and the zone to read it in. Scripts turn it into "5 minutes
// ago"; without them it is still right.
type moment struct {
	At   time.Time
	Zone *time.Location
}

func human(at time.Time, zone *time.Location) string {
	return at.In(zone).Format("2006-01-02 15:04 MST")
}

// text looks up a text of the console.
func text(h *hub.Host, lang, key string, pairs ...any) string {
	args := make([]string, len(pairs))
	for i, p := range pairs {
		args[i] = fmt.Sprint(p)
	}
	return h.Text(lang, "console."+key, args...)
}

const livePrefix = "console.live."

// liveTexts are the words that the scripts need, as JSON. They travel in an
// attribute: the content policy has no inline script.
func liveTexts(all hub.Texts, lang string) (string, error) {
	words := map[string]string{}
	for key := range all[hub.DefaultLang] {
		if short, ok := strings.CutPrefix(key, livePrefix); ok {
			words[short] = all.Text(lang, key)
		}
	}
	b, err := json.Marshal(words)
	return string(b), err
}

// page is what the layout shows around a page.
type page struct {
	Title string // of the window
	Frame frame
	Flash string // what the last form did
	Body  any    // the page's own
	Here  string // the menu entry that is current
	Wide  bool   // the page fills the window, as the room does
}

// render answers with a page. It is written out only when it is whole.
func (p *Plugin) render(rq *request, status int, name string, pg page) error {
	var b bytes.Buffer
	if err := p.views[rq.lang][name].ExecuteTemplate(&b, "layout", pg); err != nil {
		return fmt.Errorf("console: render %s: %w", name, err)
	}
	rq.Set("Content-Type", "text/html; charset=utf-8")
	rq.Set("Content-Language", rq.lang)
	rq.Set("Vary", "Accept-Language, Cookie")
	return rq.Status(status).Send(b.Bytes())
}

// t looks up a text in the request's language.
func (p *Plugin) t(rq *request, key string, pairs ...any) string {
	return text(p.host, rq.lang, key, pairs...)
}

// message answers with a short page that says one thing. key names its texts.
func (p *Plugin) message(rq *request, status int, key string) error {
	f := p.bareFrame(rq)
	return p.render(rq, status, "message", page{
		Title: p.t(rq, key+".title"), Frame: f,
		Body: struct{ Heading, Text string }{p.t(rq, key+".title"), p.t(rq, key+".text")},
	})
}
