package hubtest

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/bellhub/bellhub/hub"
)

// pageForm is a form of a page, with one of its buttons.
type pageForm struct {
	fixed  url.Values  // hidden fields, and the button: what the form is for
	chosen url.Values  // boxes and lists, as many as can be
	typed  []pageField // what its reader writes
}

// pageField is a field that its reader writes in.
type pageField struct{ name, kind, value, placeholder string }

// filling is how a form's fields are written in.
type filling func(pageField) string

// fillings are three people: who writes a word wherever there is room, who also
// follows what the page suggests, and who leaves empty what has no suggestion.
// Between them they get most forms to do something.
func fillings(word string) []filling {
	return []filling{
		func(f pageField) string { return cmp.Or(format(f), word) },
		func(f pageField) string { return cmp.Or(f.value, format(f), f.placeholder, word) },
		func(f pageField) string { return cmp.Or(f.value, format(f), f.placeholder) },
	}
}

// format is what a field of a kind must look like. The host is one that Go looks
// up nowhere (RFC 7686): what the form does about it stays on this machine.
func format(f pageField) string {
	switch f.kind {
	case "url":
		return "https://shop.onion/"
	case "email":
		return "ana@shop.example"
	case "number":
		return "1"
	}
	return ""
}

// fill is the form as it is sent.
func (f pageForm) fill(how filling) url.Values {
	out := url.Values{}
	for _, part := range []url.Values{f.fixed, f.chosen} {
		for name, values := range part {
			out[name] = slices.Clone(values)
		}
	}
	for _, field := range f.typed {
		out.Set(field.name, how(field))
	}
	return out
}

// String names the form, for people.
func (f pageForm) String() string {
	var fields []string
	for _, field := range f.typed {
		fields = append(fields, field.name)
	}
	return fmt.Sprintf("the form %s of %q", cut(f.fixed.Encode()), fields)
}

// formsOf finds a page's forms that are sent by POST, once for each button.
func formsOf(t *testing.T, page string) []pageForm {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var all []pageForm
	for n := range root.Descendants() {
		if n.DataAtom == atom.Form && strings.EqualFold(attribute(n, "method"), "post") {
			all = append(all, readForm(n)...)
		}
	}
	return all
}

func readForm(form *html.Node) []pageForm {
	f := pageForm{fixed: url.Values{}, chosen: url.Values{}}
	buttons := []url.Values{}
	for n := range form.Descendants() {
		name, value, kind := attribute(n, "name"), attribute(n, "value"), strings.ToLower(attribute(n, "type"))
		switch {
		case n.DataAtom == atom.Button && (kind == "" || kind == "submit"), n.DataAtom == atom.Input && kind == "submit":
			button := url.Values{}
			if name != "" {
				button.Set(name, value)
			}
			buttons = append(buttons, button)
		case name == "":
		case n.DataAtom == atom.Input && kind == "hidden":
			f.fixed.Add(name, value)
		case n.DataAtom == atom.Input && (kind == "checkbox" || kind == "radio"):
			f.chosen.Add(name, cmp.Or(value, "on"))
		case n.DataAtom == atom.Input:
			f.typed = append(f.typed, pageField{name, kind, value, attribute(n, "placeholder")})
		case n.DataAtom == atom.Textarea:
			f.typed = append(f.typed, pageField{name, "", textOf(n), attribute(n, "placeholder")})
		case n.DataAtom == atom.Select:
			for o := range n.Descendants() {
				if o.DataAtom == atom.Option && (!f.chosen.Has(name) || attribute(o, "selected") != "") {
					f.chosen.Set(name, cmp.Or(attribute(o, "value"), textOf(o)))
				}
			}
		}
	}
	if len(buttons) == 0 {
		buttons = []url.Values{{}}
	}
	var all []pageForm
	for _, button := range buttons {
		one := pageForm{fixed: url.Values{}, chosen: f.chosen, typed: f.typed}
		for _, part := range []url.Values{f.fixed, button} {
			for name, values := range part {
				one.fixed[name] = append(one.fixed[name], values...)
			}
		}
		all = append(all, one)
	}
	return all
}

// linksOf finds the queries by which a page leads to itself.
func linksOf(t *testing.T, page, path string) []url.Values {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var all []url.Values
	seen := map[string]bool{"": true} // the page itself
	for n := range root.Descendants() {
		to, err := url.Parse(attribute(n, "href"))
		if n.DataAtom != atom.A || err != nil || to.Host != "" || to.Path != "" && to.Path != path || seen[to.RawQuery] {
			continue
		}
		seen[to.RawQuery] = true
		all = append(all, to.Query())
	}
	return all
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	text := ""
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			text += d.Data
		}
	}
	return text
}

// pageAt is one of the plugin's pages, for somebody whom the console has let in.
type pageAt struct {
	k    *Kit
	who  hub.Identity
	page hub.Page
}

// ask asks for a page of a domain, or sends a form to it.
func (p pageAt) ask(domain, lang string, post bool, form url.Values) (hub.PageContent, error) {
	ctx := hub.WithIdentity(p.k.Ctx, p.who)
	var out hub.PageContent
	err := safely(func() (err error) {
		out, err = p.page.Render(ctx, hub.PageRequest{Domain: domain, Path: p.path(domain), Post: post, Form: form, Lang: lang})
		return err
	})
	return out, err
}

func (p pageAt) path(domain string) string { return "/console/domains/" + domain + "/" + p.page.Slug }

// send sends a form, whose answer must be fit to be seen. what says which it is.
func (p pageAt) send(t *testing.T, domain, what string, form url.Values) {
	t.Helper()
	out, err := p.ask(domain, hub.DefaultLang, true, form)
	checkAnswer(t, fmt.Sprintf("%s, %s", p.page.Slug, what), string(out.HTML), out.Redirect, err)
}

// views are the page and where it leads to in itself, by query.
func (p pageAt) views(t *testing.T, domain string) map[string]string {
	t.Helper()
	show := func(query url.Values) string {
		out, err := p.ask(domain, hub.DefaultLang, false, query)
		checkAnswer(t, fmt.Sprintf("%s?%s", p.page.Slug, query.Encode()), string(out.HTML), out.Redirect, err)
		return string(out.HTML)
	}
	all := map[string]string{"": show(url.Values{})}
	for _, query := range linksOf(t, all[""], p.path(domain)) {
		all[query.Encode()] = show(query)
	}
	return all
}

// forms are those of all views, each once.
func (p pageAt) forms(t *testing.T, domain string) []pageForm {
	t.Helper()
	views := p.views(t, domain)
	var all []pageForm
	seen := map[string]bool{}
	for _, query := range sortedKeys(views) {
		for _, f := range formsOf(t, views[query]) {
			if !seen[fmt.Sprint(f)] {
				seen[fmt.Sprint(f)] = true
				all = append(all, f)
			}
		}
	}
	return all
}

// fresh makes a domain, and returns its id.
func (p pageAt) fresh(t *testing.T) (domain string) {
	t.Helper()
	return p.k.AddDomain(t, hub.Domain{Name: "Shop", AI: true}).ID
}

// filled makes a domain whose page somebody has filled in, so that there is
// something on it: each form that it has at first, in each way.
func (p pageAt) filled(t *testing.T, word string) (domain string) {
	t.Helper()
	domain = p.fresh(t)
	for _, f := range p.forms(t, domain) {
		for _, how := range fillings(word) {
			p.send(t, domain, f.String(), f.fill(how))
		}
	}
	return domain
}
