package console

import (
	"html/template"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

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
		content, err := pg.Render(rq.ctx, ask)
		if err != nil {
			return err
		}
		if to := content.Redirect; to != "" {
			return rq.see(local(to, ask.Path))
		}
		f, err := p.domainFrame(rq, d)
		if err != nil {
			return err
		}
		title := p.host.Text(rq.lang, pg.Title)
		return p.render(rq, http.StatusOK, "plugin", page{
			Title: title, Frame: f, Here: slug,
			Body: struct {
				Title   string
				Content template.HTML
			}{title, content.HTML},
		})
	}
	return hub.ErrNotFound
}
