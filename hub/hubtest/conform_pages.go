package hubtest

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
)

// eachPage calls fn with each of the plugin's pages, in a hub of its own.
func (c *conformance) eachPage(t *testing.T, o Options, fn func(*testing.T, pageAt)) {
	p := c.create()
	pager, ok := p.(hub.Pager)
	if !ok {
		return
	}
	k := c.startWith(t, p, o)
	who := k.SignIn(t, "Ana")
	for _, page := range pager.Pages() {
		fn(t, pageAt{k, who, page})
	}
}

var fieldName = regexp.MustCompile(`\bname="([^"]+)"`)

// pages asks for the plugin's pages of a fresh domain, and sends them forms that
// they do not have.
func (c *conformance) pages(t *testing.T) { c.eachPage(t, Options{}, c.page) }

func (c *conformance) page(t *testing.T, p pageAt) {
	t.Helper()
	slug, domain := p.page.Slug, p.fresh(t)
	for lang := range c.o.Texts {
		out, err := p.ask(domain, lang, false, url.Values{})
		if err != nil || out.HTML == "" || out.Redirect != "" {
			t.Fatalf("%s in %s for a fresh domain: %q, to %q, %v", slug, lang, cut(string(out.HTML)), out.Redirect, err)
		}
	}
	fresh, _ := p.ask(domain, hub.DefaultLang, false, url.Values{})
	fields := []string{"id", "after", "before", "page", "action"}
	for _, m := range fieldName.FindAllStringSubmatch(string(fresh.HTML), -1) {
		fields = append(fields, m[1])
	}
	for _, value := range garbage {
		form := url.Values{}
		for _, f := range fields {
			form[f] = []string{value, value}
		}
		for _, post := range []bool{false, true} {
			what := fmt.Sprintf("%s, post %v, filled in with %.40q", slug, post, value)
			out, err := p.ask(domain, "zz", post, form)
			checkAnswer(t, what, string(out.HTML), out.Redirect, err)
		}
	}
	for _, post := range []bool{false, true} {
		form := url.Values{}
		for _, f := range fields {
			form.Set(f, "on")
		}
		out, err := p.ask("nothing", hub.DefaultLang, post, form)
		if broken(err) || err == nil {
			t.Errorf("%s of a domain that does not exist, post %v: %q, %v", slug, post, cut(string(out.HTML)), err)
		}
	}
}

// forms sends each form that a page has, with garbage in one part of it at a
// time: what its reader writes, chooses, and each of what is fixed. What it is for
// is then often still what it says.
func (c *conformance) forms(t *testing.T) {
	c.eachPage(t, Options{}, func(t *testing.T, p pageAt) {
		for i := 0; ; i++ {
			domain := p.filled(t, "amaranth") // anew for each: some forms remove what others need
			all := p.forms(t, domain)
			if i >= len(all) {
				return
			}
			f := all[i]
			for _, names := range f.parts() {
				for _, value := range garbage {
					form := f.fill(fillings("amaranth")[1])
					for _, name := range names {
						form.Set(name, value)
					}
					p.send(t, domain, fmt.Sprintf("%s, %q filled in with %.40q", f, names, value), form)
				}
			}
			p.views(t, domain)
		}
	})
}

// parts are the names of fields, by what a reader may do with them.
func (f pageForm) parts() [][]string {
	var typed []string
	for _, field := range f.typed {
		typed = append(typed, field.name)
	}
	all := [][]string{typed, slices.Collect(maps.Keys(f.chosen))}
	for _, name := range sortedKeys(f.fixed) {
		all = append(all, []string{name})
	}
	return slices.DeleteFunc(all, func(names []string) bool { return len(names) == 0 })
}

func sortedKeys[V any, M ~map[string]V](m M) []string { return slices.Sorted(maps.Keys(m)) }

var idOnAPage = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// domains sends one domain's page what another's has: its forms, and its ids in
// any form. Nothing of that may change the other's page, or show what is on it.
func (c *conformance) domains(t *testing.T) {
	c.eachPage(t, Options{}, func(t *testing.T, p pageAt) {
		const secret = "amaranth"
		own, other := p.filled(t, secret), p.filled(t, "vermilion")
		before := p.views(t, own)
		ids := idOnAPage.FindAllString(strings.Join(slices.Collect(maps.Values(before)), " "), -1)
		slices.Sort(ids)
		ids = slices.Compact(ids)
		leaks := func(what string) {
			t.Helper()
			for query, page := range p.views(t, other) {
				if strings.Contains(page, secret) {
					t.Errorf("%s, %s: another domain's page shows at %q what is not its own", p.page.Slug, what, query)
				}
			}
		}
		changes := func(what string) {
			t.Helper()
			for query, now := range p.views(t, own) {
				if was, ok := before[query]; ok && now != was {
					t.Errorf("%s, %s, sent to another domain, changes what is at %q", p.page.Slug, what, query)
					before[query] = now
				}
			}
		}
		for _, query := range sortedKeys(before) {
			values, _ := url.ParseQuery(query)
			out, _ := p.ask(other, hub.DefaultLang, false, values)
			if strings.Contains(string(out.HTML), secret) {
				t.Errorf("%s shows at %q what another domain has there", p.page.Slug, query)
			}
		}
		for _, f := range p.forms(t, other) {
			for _, name := range sortedKeys(f.fixed) {
				if !idOnAPage.MatchString(f.fixed.Get(name)) {
					continue
				}
				for _, id := range ids {
					form := f.fill(fillings("scarlet")[1])
					form.Set(name, id)
					p.send(t, other, f.String(), form)
				}
				what := fmt.Sprintf("%s with another's id as %s", f, name)
				leaks(what)
				changes(what)
			}
		}
		for _, f := range p.forms(t, own) {
			for _, how := range fillings("scarlet") {
				p.send(t, other, f.String(), f.fill(how))
			}
			changes(f.String())
		}
	})
}
