package hours

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"html/template"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

//go:embed templates
var files embed.FS

// page is parsed once; its function is bound to a language when it is shown.
var page = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"t": func(string, ...string) string { return "" },
}).ParseFS(files, "templates/page.html"))

// Pages offers the console a domain's hours.
func (p *Plugin) Pages() []hub.Page {
	return []hub.Page{{
		Slug: "hours", Title: "hours.title", Render: p.render,
		Icon: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 7.5V12l3 2.5", // a clock
	}}
}

// view is what the template shows.
type view struct {
	Saved    bool
	Set      bool // anything is set
	Weekly   bool // so that a day without hours is closed
	Open     bool
	Until    string // when that changes; empty: it does not
	Example  string // what a visitor reads outside the hours
	Zone     string
	Settings string // the page where the zone is set

	Days        []dayField
	Closed      string
	ClosedError string
	Text        string
	TextError   string
	Lang        string
	Languages   []language
	Default     string // our wording
}

// dayField is a day's field of the form, as stored or as it was sent.
type dayField struct {
	ID, Name, Value, Error string
}

func (p *Plugin) render(ctx context.Context, r hub.PageRequest) (hub.PageContent, error) {
	domain, err := storage.DomainByID(ctx, r.Domain)
	if err != nil {
		return hub.PageContent{}, err
	}
	s, err := load(ctx, domain.ID)
	if err != nil {
		return hub.PageContent{}, err
	}
	now := p.now().In(domain.Location())
	v := p.form(r, s)
	if r.Post {
		sent, ok := p.read(r, now, &v)
		if ok {
			if err := storage.SaveSettings(ctx, domain.ID, "hours", sent); err != nil {
				return hub.PageContent{}, err
			}
			return hub.PageContent{Redirect: r.Path + "?done=saved"}, nil
		}
	}
	v.Saved = !r.Post && r.Form.Get("done") == "saved"
	v.Zone, v.Settings = domain.TimeZone+" ("+offset(now)+")", path.Dir(r.Path)+"/settings"
	p.tell(&v, r.Lang, s, now)
	var out bytes.Buffer
	t := template.Must(page.Clone()).Funcs(template.FuncMap{
		"t": func(key string, pairs ...string) string { return p.host.Text(r.Lang, key, pairs...) },
	})
	if err := t.Execute(&out, v); err != nil {
		return hub.PageContent{}, err
	}
	return hub.PageContent{HTML: template.HTML(out.String())}, nil // made by html/template
}

// tell says how things are now, by what is stored.
func (p *Plugin) tell(v *view, lang string, s settings, now time.Time) {
	is := s.at(now)
	v.Set, v.Weekly, v.Open = s.set(), s.weekly(), is.open
	if is.until.IsZero() {
		return
	}
	v.Until = p.when(lang, now, is.until)
	from := now
	if is.open { // as it will be once it closes
		from = is.until
		is = s.at(from)
	}
	if !is.open && !is.until.IsZero() {
		v.Example = p.away(s, lang, from, is.until, true)
	}
}

// order is the days of the form: a working week, then its end.
var order = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}

// form fills the form with what is stored.
func (p *Plugin) form(r hub.PageRequest, s settings) view {
	v := view{
		Closed: writeClosed(s.Closed), Text: s.Text, Lang: s.Lang,
		Languages: p.languages(), Default: p.host.Text(r.Lang, "hours.away"),
	}
	if !s.set() {
		v.Lang = r.Lang // who sets the hours most likely speaks as the visitors do
	}
	names := p.host.Text(r.Lang, "hours.weekdays")
	for _, d := range order {
		v.Days = append(v.Days, dayField{ID: strings.ToLower(d.String()), Name: pick(names, int(d)), Value: writeDay(s.Week[d])})
	}
	return v
}

// read takes what was sent into the form and says beside each field what is wrong
// with it; ok tells that nothing is.
func (p *Plugin) read(r hub.PageRequest, now time.Time, v *view) (s settings, ok bool) {
	say := func(what *problem) string {
		if what == nil {
			return ""
		}
		return p.host.Text(r.Lang, what.key, what.pairs...)
	}
	var what *problem
	ok = true
	for i, d := range order {
		field := &v.Days[i]
		field.Value = r.Form.Get(field.ID)
		s.Week[d], what = parseDay(field.Value)
		field.Error, ok = say(what), ok && what == nil
	}
	v.Closed, v.Text, v.Lang = lines(r.Form, "closed"), r.Form.Get("text"), r.Form.Get("lang")
	s.Closed, what = parseClosed(v.Closed, now)
	v.ClosedError, ok = say(what), ok && what == nil
	s.Text, what = parseText(v.Text)
	v.TextError, ok = say(what), ok && what == nil
	// A choice that was not on offer is no mistake of a reader's.
	if !slices.ContainsFunc(v.Languages, func(l language) bool { return l.Code == v.Lang }) {
		v.Lang = hub.DefaultLang
	}
	s.Lang = cmp.Or(v.Lang, hub.DefaultLang)
	return s, ok
}

// lines is a field of several lines, with the line ends that we use.
func lines(form url.Values, name string) string {
	return strings.ReplaceAll(form.Get(name), "\r\n", "\n")
}
