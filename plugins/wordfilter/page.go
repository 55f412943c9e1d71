package wordfilter

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"strconv"
	"strings"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

//go:embed templates texts
var files embed.FS

// page is parsed once; its function is bound to a language when it is shown.
var page = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"t": func(string, ...string) string { return "" },
}).ParseFS(files, "templates/page.html"))

// Texts are the words that people read.
func (p *Plugin) Texts() hub.Texts { return hub.ReadTexts(files, "texts/*.json") }

// Pages offers the console a domain's list.
func (p *Plugin) Pages() []hub.Page {
	return []hub.Page{{
		Slug: "wordfilter", Title: "wordfilter.title", Render: p.render,
		Icon: "M4 5h16l-6 7.5V20l-4-3v-4.5z", // a funnel
	}}
}

// view is what the template shows.
type view struct {
	Done     string // a key of the texts: what the last form did
	Words    []word
	Filtered bool // the team and the AI, too
	Max      string

	Add      string // of the form, as it was sent
	Refuse   bool
	AddError string

	Team         bool
	Message      string
	MessageError string
	Default      string // our words for a refusal

	Try     string
	Tried   bool
	Refused bool
	Result  string // what would be shown, or what its author would be told
}

// done are what a form can have done, as the address after it says.
var done = map[string]bool{"added": true, "removed": true, "saved": true}

func newView(s settings) view {
	return view{Filtered: s.Team, Team: s.Team, Message: s.Message}
}

// render shows the list, or changes it as a form asks.
func (p *Plugin) render(ctx context.Context, r hub.PageRequest) (hub.PageContent, error) {
	if _, err := storage.DomainByID(ctx, r.Domain); err != nil {
		return hub.PageContent{}, err
	}
	s, err := load(ctx, r.Domain)
	if err != nil {
		return hub.PageContent{}, err
	}
	v := newView(s)
	if r.Post {
		did, err := p.post(ctx, r, &s, &v)
		if err != nil {
			return hub.PageContent{}, err
		}
		if did != "" {
			p.forget(r.Domain)
			return hub.PageContent{Redirect: r.Path + "?done=" + did}, nil
		}
	} else if code := r.Form.Get("done"); done[code] {
		v.Done = "wordfilter.done." + code
	}
	v.Words, v.Max, v.Default = s.words(), strconv.Itoa(maxEntries), p.host.Text(r.Lang, "wordfilter.refusal")
	var out bytes.Buffer
	t := template.Must(page.Clone()).Funcs(template.FuncMap{
		"t": func(key string, pairs ...string) string { return p.host.Text(r.Lang, key, pairs...) },
	})
	if err := t.Execute(&out, v); err != nil {
		return hub.PageContent{}, err
	}
	return hub.PageContent{HTML: template.HTML(out.String())}, nil // made by html/template
}

// errAsIs keeps a list as it is stored.
var errAsIs = errors.New("wordfilter: the form changes nothing")

// post does what the form asks that was sent. It tells what was done, or nothing,
// and fills in the form again, with what is wrong, beside the list as it is
// stored. A text that is tried changes nothing; it comes by POST all the same, to
// stay out of addresses.
func (p *Plugin) post(ctx context.Context, r hub.PageRequest, s *settings, v *view) (did string, err error) {
	if r.Form.Has("try") {
		p.try(r, *s, v)
		return "", nil
	}
	// Two owners may save at the same moment: each change is one of the list as the
	// other left it.
	err = storage.UpdateSettings(ctx, r.Domain, "wordfilter", settings{}, func(stored *settings) error {
		*s, *v = *stored, newView(*stored)
		if did = p.change(r, stored, v); did == "" {
			return errAsIs
		}
		return nil
	})
	if errors.Is(err, errAsIs) {
		err = nil
	}
	return did, err
}

// try shows what would become of a text.
func (p *Plugin) try(r hub.PageRequest, s settings, v *view) {
	v.Try = lines(r, "try")
	v.Tried = strings.TrimSpace(v.Try) != ""
	v.Result, v.Refused = compile(s.Mask, s.Refuse).check(v.Try)
	if v.Refused {
		v.Result = p.refusal(s, r.Lang)
	}
}

// change does what the form asks, its fields say which, or tells nothing where
// something is wrong with it.
func (p *Plugin) change(r hub.PageRequest, s *settings, v *view) (did string) {
	var what *problem
	switch {
	case r.Form.Has("add"):
		v.Add, v.Refuse = lines(r, "add"), r.Form.Get("action") == "refuse"
		entries, wrong := parseEntries(v.Add)
		if what = wrong; what == nil {
			s.add(entries, v.Refuse)
			what = s.full()
		}
		did, v.AddError = "added", p.say(r, what)
	case r.Form.Has("remove"):
		s.remove(r.Form.Get("remove"))
		did = "removed"
	case r.Form.Has("message"):
		v.Team, v.Message = r.Form.Get("team") == "on", r.Form.Get("message")
		s.Team = v.Team
		if s.Message, what = parseMessage(v.Message); what == nil {
			what = s.full()
		}
		did, v.MessageError = "saved", p.say(r, what)
	}
	if what != nil {
		return ""
	}
	return did
}

// say is a problem in the reader's language.
func (p *Plugin) say(r hub.PageRequest, what *problem) string {
	if what == nil {
		return ""
	}
	return p.host.Text(r.Lang, what.key, what.pairs...)
}

// lines is a field of several lines, with the line ends that we use.
func lines(r hub.PageRequest, name string) string {
	return strings.ReplaceAll(r.Form.Get(name), "\r\n", "\n")
}
