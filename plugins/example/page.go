package example

import (
	"bytes"
	"context"
	"html/template"
	"strconv"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// pages are parsed once; t is bound to a language when one is shown.
var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"t": func(string, ...string) string { return "" },
}).ParseFS(files, "page.html"))

// show renders a template for a reader. html/template escapes what visitors
// wrote, and lets no address through that is not one of a page.
func (p *Plugin) show(name, lang string, data any) (template.HTML, error) {
	var out bytes.Buffer
	err := template.Must(pages.Clone()).Funcs(template.FuncMap{
		"t": func(key string, pairs ...string) string { return p.host.Text(lang, key, pairs...) },
	}).ExecuteTemplate(&out, name, data)
	return template.HTML(out.String()), err
}

// Panels offers where the visitor is, beside the conversation.
func (p *Plugin) Panels() []hub.Panel {
	return []hub.Panel{{Title: "example.panel", Render: func(ctx context.Context, r hub.PanelRequest) (template.HTML, error) {
		at, err := pageOf(ctx, r.Room)
		if err != nil || at.URL == "" {
			return "", err // no panel
		}
		return p.show("panel", r.Lang, at)
	}}}
}

// Pages offers the pages that people call from.
func (p *Plugin) Pages() []hub.Page {
	return []hub.Page{{Slug: "example", Title: "example.title", Render: func(ctx context.Context, r hub.PageRequest) (hub.PageContent, error) {
		domain, err := storage.DomainByID(ctx, r.Domain)
		if err != nil {
			return hub.PageContent{}, err
		}
		all, err := mostCalled(ctx, domain.ID)
		if err != nil {
			return hub.PageContent{}, err
		}
		html, err := p.show("page", r.Lang, map[string]any{"All": all, "Days": strconv.Itoa(p.days), "Name": domain.Name})
		return hub.PageContent{HTML: html}, err
	}}}
}
