package welcome

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

//go:embed templates texts widget
var files embed.FS

// page is parsed once; its functions are bound to a language when it is shown.
var page = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"t": func(string, ...string) string { return "" },
}).ParseFS(files, "templates/page.html"))

// Script is the folder widget.
func (p *Plugin) Script() fs.FS {
	script, err := fs.Sub(files, "widget")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	return script
}

// Texts are the words that people read.
func (p *Plugin) Texts() hub.Texts { return hub.ReadTexts(files, "texts/*.json") }

// Pages offers the console the list of a domain's greetings.
func (p *Plugin) Pages() []hub.Page {
	return []hub.Page{{
		Slug: "welcome", Title: "welcome.title", Render: p.render,
		Icon: "M4 4.5h16v12H10l-4.5 4v-4H4zM12 14.2 8.9 11a1.95 1.95 0 0 1 3.1-2.35A1.95 1.95 0 0 1 15.1 11z", // a heart in a speech bubble
	}}
}

// form is what the owner wrote, as it was sent, and what is wrong with it.
type form struct {
	ID                string // empty: a new one
	Text, Page, Delay string

	TextError, PageError, DelayError string
}

// row is a greeting as the page shows it.
type row struct {
	greeting
	First, Last bool
	Shadowed    bool // an earlier one is for every page
	Form        *form
}

// defaultDelay lets a visitor look around first.
const defaultDelay = 5 // seconds

// render shows the page, and does what its forms ask for.
func (p *Plugin) render(ctx context.Context, r hub.PageRequest) (hub.PageContent, error) {
	fresh := form{Delay: strconv.Itoa(defaultDelay)}
	if !r.Post {
		fresh.ID = r.Form.Get("edit")
		return p.show(ctx, r, fresh)
	}
	var err error
	id, done := r.Form.Get("id"), r.Form.Get("do")
	switch done {
	case "save":
		return p.save(ctx, r)
	case "up":
		err = move(ctx, r.Domain, id, -1)
	case "down":
		err = move(ctx, r.Domain, id, 1)
	case "on", "off":
		err = setActive(ctx, r.Domain, id, done == "on")
	case "remove":
		err = remove(ctx, r.Domain, id)
	default:
		err = hub.ErrNotFound
	}
	if err != nil {
		return hub.PageContent{}, err
	}
	return seen(r, done, id), nil
}

// doneCodes are what the page says of the form that led to it.
var doneCodes = []string{"added", "full", "off", "on", "remove", "saved"}

// seen sends the reader back to the page, which says what was done, and to the
// greeting.
func seen(r hub.PageRequest, done, id string) hub.PageContent {
	to := r.Path + "?" + url.Values{"done": {done}}.Encode()
	if id != "" {
		to += "#greeting-" + url.PathEscape(id)
	}
	return hub.PageContent{Redirect: to}
}

// save adds or changes a greeting, or shows what is wrong with it.
func (p *Plugin) save(ctx context.Context, r hub.PageRequest) (hub.PageContent, error) {
	f := form{ID: r.Form.Get("id"), Text: r.Form.Get("text"), Page: r.Form.Get("page"), Delay: r.Form.Get("delay")}
	g, ok := p.read(&f, r.Lang)
	if !ok {
		return p.show(ctx, r, f)
	}
	g.ID, g.DomainID = f.ID, r.Domain
	if g.ID != "" {
		if err := edit(ctx, g); err != nil {
			return hub.PageContent{}, err
		}
		return seen(r, "saved", g.ID), nil
	}
	err := add(ctx, g)
	if errors.Is(err, errFull) { // the page has no form then: two were open
		return seen(r, "full", ""), nil
	}
	return seen(r, "added", ""), err
}

// read checks a form, and notes in it what is wrong.
func (p *Plugin) read(f *form, lang string) (g greeting, ok bool) {
	say := func(key string, n int) string { return p.host.Text(lang, "welcome.error."+key, "n", strconv.Itoa(n)) }
	var err error
	if g.Text, err = hub.CleanText(f.Text, maxText, hub.CodeBadText); err != nil {
		switch n := utf8.RuneCountInString(strings.TrimSpace(f.Text)); {
		case n == 0:
			f.TextError = say("empty", 0)
		case n > maxText:
			f.TextError = say("long", maxText)
		default:
			f.TextError = say("unreadable", 0)
		}
	}
	g.Page = strings.TrimSpace(f.Page)
	_, readable := hub.CleanName(g.Page, maxPage)
	if g.Page != "" && (!readable || g.Page[0] != '/' || strings.ContainsAny(g.Page, "?#")) {
		f.PageError = say("page", maxPage)
	}
	if g.Delay, err = strconv.Atoi(strings.TrimSpace(f.Delay)); err != nil || g.Delay < 0 || g.Delay > maxDelay {
		f.DelayError = say("delay", maxDelay)
	}
	return g, f.TextError == "" && f.PageError == "" && f.DelayError == ""
}

// show renders the page: with the form of the greeting that f names in its
// place, or with f as the form for a new one.
func (p *Plugin) show(ctx context.Context, r hub.PageRequest, f form) (hub.PageContent, error) {
	domain, err := storage.DomainByID(ctx, r.Domain)
	if err != nil {
		return hub.PageContent{}, err
	}
	all, err := list(ctx, domain.ID)
	if err != nil {
		return hub.PageContent{}, err
	}
	rows, everywhere := make([]row, len(all)), false
	for i, g := range all {
		rows[i] = row{greeting: g, First: i == 0, Last: i == len(all)-1, Shadowed: everywhere && g.Active}
		everywhere = everywhere || g.Active && g.Page == ""
		if g.ID == f.ID {
			rows[i].Form = &f
			if !r.Post {
				f = form{ID: g.ID, Text: g.Text, Page: g.Page, Delay: strconv.Itoa(g.Delay)}
			}
		}
	}
	data := map[string]any{
		"Path": r.Path, "Rows": rows, "Done": "", "AIOff": !domain.AI,
		"Full": len(all) >= maxGreetings, "Most": strconv.Itoa(maxGreetings), "New": &f,
	}
	if done := r.Form.Get("done"); slices.Contains(doneCodes, done) {
		data["Done"] = done
	}
	if f.ID != "" {
		data["New"] = &form{Delay: strconv.Itoa(defaultDelay)}
	}
	var out bytes.Buffer
	t := template.Must(page.Clone()).Funcs(template.FuncMap{
		"t": func(key string, pairs ...string) string { return p.host.Text(r.Lang, "welcome."+key, pairs...) },
	})
	if err := t.Execute(&out, data); err != nil {
		return hub.PageContent{}, err
	}
	return hub.PageContent{HTML: template.HTML(out.String())}, nil // made by html/template
}
