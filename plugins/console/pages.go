package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// pageTimeout is what a plugin has to render a page: enough to ask a server that
// it depends on, which may take 10 s to answer, and no more than somebody would
// look at an empty window.
const pageTimeout = 15 * time.Second

// pluginPage frames a page that another plugin offers.
func (p *Plugin) pluginPage(rq *request, d storage.Domain) error {
	slug := rq.Params("slug")
	for _, pg := range p.host.Pages() {
		if pg.Slug != slug {
			continue
		}
		ask := hub.PageRequest{
			Domain: d.ID, Path: domainPath(d.ID) + "/" + slug,
			Post: rq.Method() == fiber.MethodPost, Lang: rq.lang,
		}
		var err error
		if ask.Post {
			ask.Form, err = rq.form()
		} else if ask.Form, err = url.ParseQuery(string(rq.Request().URI().QueryString())); err != nil {
			err = fiber.ErrBadRequest
		}
		if err != nil {
			return err
		}
		content, err := fenced(rq.ctx, &p.fence, "page "+slug, pageTimeout, func(ctx context.Context) (hub.PageContent, error) {
			return pg.Render(ctx, ask)
		})
		if err != nil {
			return p.pageFailed(rq, d, pg, ask, err)
		}
		if to := content.Redirect; to != "" {
			return rq.see(local(to, ask.Path))
		}
		return p.renderPluginPage(rq, http.StatusOK, d, pg, "plugin", content.HTML)
	}
	return hub.ErrNotFound
}

// failedPage stands in the place of a plugin's page that could not be shown.
type failedPage struct {
	Late bool   // it took too long
	Post bool   // a form was sent, and nobody knows what became of it
	Path string // of the page
}

// pageFailed answers for a page that could not be rendered. The frame stays, so
// that its reader can go elsewhere.
func (p *Plugin) pageFailed(rq *request, d storage.Domain, pg hub.Page, ask hub.PageRequest, err error) error {
	status, _ := answerTo(err)
	if status < http.StatusInternalServerError {
		return err // what the plugin meant to answer
	}
	p.blame(rq, pg.Plugin, "page "+pg.Slug, err)
	late := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errLeft)
	return p.renderPluginPage(rq, status, d, pg, "pluginfailed", failedPage{late, ask.Post, ask.Path})
}

// renderPluginPage renders what stands below the title of a plugin's page.
func (p *Plugin) renderPluginPage(rq *request, status int, d storage.Domain, pg hub.Page, view string, content any) error {
	f, err := p.domainFrame(rq, d)
	if err != nil {
		return err
	}
	title := p.host.Text(rq.lang, pg.Title)
	return p.render(rq, status, view, page{
		Title: title, Frame: f, Here: pg.Slug,
		Body: struct {
			Title   string
			Content any
		}{title, content},
	})
}
