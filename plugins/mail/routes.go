package mail

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
)

var mailboxPage = template.Must(template.New("mailbox.html").
	Funcs(template.FuncMap{"t": func(string) string { return "" }}). // bound to a language on use
	ParseFS(templates, "templates/mailbox.html"))

// MountRoot adds the development mailbox. Elsewhere its paths do
// not exist. Mailgun's webhook is not registered while nothing handles it, so
// that it is answered 404.
func (p *Plugin) MountRoot(r fiber.Router) {
	if p.box == nil {
		return
	}
	r.Get("/mailbox", p.signedIn(p.showList))
	r.Get("/mailbox/style.css", p.showStyle)
	r.Get("/mailbox/:id", p.signedIn(p.showLetter))
	r.Get("/mailbox/:id/html", p.signedIn(p.showHTML))
}

// The policies of the mailbox's own pages and of the email in its frame. The
// email is made by us of a visitor's words, and is treated as if it were not:
// no script, no request, no origin. It may open links, for that is what it is
// there for.
const (
	pagePolicy = "default-src 'none'; style-src 'self'; frame-src 'self'; img-src data:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	letterSandbox = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
	letterPolicy  = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; " +
		"frame-ancestors 'self'; sandbox " + letterSandbox
)

// mailView is what the mailbox's pages show.
type mailView struct {
	Lang, Base, Style string
	Asks              bool // the reader has to sign in
	Gone              bool // the email is not here
	Provider          bool // emails leave elsewhere
	Letters           []letter
	Letter            *letter
	Sandbox           string
}

// signedIn lets a signed-in admin in: the emails' links open rooms.
func (p *Plugin) signedIn(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		if !hub.IdentityOf(c.UserContext()).SignedIn() {
			return p.show(c, http.StatusUnauthorized, mailView{Asks: true})
		}
		return next(c)
	}
}

func (p *Plugin) showList(c *fiber.Ctx) error {
	return p.show(c, http.StatusOK, mailView{Letters: p.box.list(), Provider: p.sender != p.box})
}

func (p *Plugin) showLetter(c *fiber.Ctx) error {
	l, ok := p.box.find(c.Params("id"))
	if !ok {
		return p.show(c, http.StatusNotFound, mailView{Gone: true})
	}
	return p.show(c, http.StatusOK, mailView{Letter: &l, Sandbox: letterSandbox})
}

// showHTML is the email itself, for the frame around it. Its links open a page
// of their own: within the frame they would lose the reader's session.
func (p *Plugin) showHTML(c *fiber.Ctx) error {
	l, ok := p.box.find(c.Params("id"))
	if !ok {
		return p.show(c, http.StatusNotFound, mailView{Gone: true})
	}
	c.Set(fiber.HeaderContentSecurityPolicy, letterPolicy)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.SendString(strings.Replace(l.HTML, "<head>", `<head><base target="_blank">`, 1))
}

func (p *Plugin) showStyle(c *fiber.Ctx) error {
	css, err := templates.ReadFile("templates/mailbox.css")
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/css; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return c.Send(css)
}

// show renders a page of the mailbox in its reader's language.
func (p *Plugin) show(c *fiber.Ctx, status int, v mailView) error {
	v.Lang = p.host.Texts().Pick(c.Get(fiber.HeaderAcceptLanguage))
	v.Base, v.Style = p.host.Asset("console/base.css"), "/mailbox/style.css"
	t, err := mailboxPage.Clone()
	if err != nil {
		return err
	}
	t.Funcs(template.FuncMap{"t": func(key string) string { return p.host.Text(v.Lang, "mailbox."+key) }})
	var out bytes.Buffer
	if err := t.Execute(&out, v); err != nil {
		return fmt.Errorf("mail: mailbox: %w", err)
	}
	c.Set(fiber.HeaderContentSecurityPolicy, pagePolicy)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(status).Send(out.Bytes())
}

// Received is when the letter arrived, for people.
func (l letter) Received() string { return l.At.Format("Mon 2 Jan 2006, 15:04:05 UTC") }

// Stamp is the same for machines.
func (l letter) Stamp() string { return hub.Stamp(l.At) }
