package console

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// request is one request and who makes it.
type request struct {
	*fiber.Ctx
	ctx  context.Context // carries the store and the identity
	who  hub.Identity
	lang string
}

// handler answers a request. An error becomes a page: see [Plugin.fail].
type handler func(*request) error

// contentPolicy lets a page run our own modules and talk to us, nothing else:
// what a visitor writes can never become code here.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// serve makes a handler of Fiber's out of ours.
func (p *Plugin) serve(fn handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentSecurityPolicy, contentPolicy)
		c.Set(fiber.HeaderReferrerPolicy, "same-origin")
		c.Set(fiber.HeaderCacheControl, "no-store")
		c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		ctx := c.UserContext()
		rq := &request{
			Ctx: c, ctx: ctx, who: hub.IdentityOf(ctx),
			lang: p.host.Texts().Pick(c.Get(fiber.HeaderAcceptLanguage)),
		}
		if err := fn(rq); err != nil {
			return p.fail(rq, err)
		}
		return nil
	}
}

// answerTo is how a handler's error is answered: the status, and what the page
// for it is called among the texts. A 500 is ours to log, and not to tell.
func answerTo(err error) (status int, key string) {
	var f *fiber.Error
	switch {
	case errors.Is(err, hub.ErrNotFound):
		return http.StatusNotFound, "notFound"
	case errors.As(err, &f) && f.Code < http.StatusInternalServerError:
		return f.Code, "badRequest"
	}
	return http.StatusInternalServerError, "failed"
}

// fail answers with the page for an error. What is not ours to tell is logged
// and answered with a page that says nothing of it.
func (p *Plugin) fail(rq *request, err error) error {
	status, key := answerTo(err)
	if status == http.StatusInternalServerError {
		p.logFailure(rq, "console: page failed", err)
	}
	return p.message(rq, status, key)
}

// logFailure logs what a request has come to, with more of where it was.
func (p *Plugin) logFailure(rq *request, what string, err error, more ...any) {
	p.host.Log.ErrorContext(rq.ctx, what, append([]any{
		"request", rq.GetRespHeader(fiber.HeaderXRequestID), "route", rq.Route().Path, "err", err,
	}, more...)...)
}

// signedIn asks those who are not to sign in.
func (p *Plugin) signedIn(fn handler) handler {
	return func(rq *request) error {
		if !rq.who.SignedIn() {
			return p.askToSignIn(rq)
		}
		return fn(rq)
	}
}

// inDomain lets in those who may see the domain that the path names.
func (p *Plugin) inDomain(fn func(*request, storage.Domain) error) handler {
	return p.signedIn(func(rq *request) error {
		id, err := pathID(rq, "domain")
		if err != nil {
			return err
		}
		d, err := storage.DomainFor(rq.ctx, id)
		if err != nil {
			return err
		}
		return fn(rq, d)
	})
}

// entry is somebody let into a room, and the room.
type entry struct {
	access hub.Access
	room   hub.Room
	domain storage.Domain
}

// member tells whether it was as a member of the domain, not by a link.
func (e entry) member() bool { return e.access.Link == "" }

// inRoom lets in those who may see the room that the path names, as members of
// its domain or by a link's grant.
func (p *Plugin) inRoom(fn func(*request, entry) error) handler {
	return func(rq *request) error {
		id, err := pathID(rq, "room")
		if err != nil {
			return err
		}
		access, room, err := storage.From(rq.ctx).EnterAdmin(rq.ctx, rq.who, id)
		if err != nil {
			return err
		}
		d, err := storage.DomainByID(rq.ctx, room.Domain)
		if err != nil {
			return err
		}
		return fn(rq, entry{access, room, d})
	}
}

// pathID reads an id from the path. What is no id is not found before a
// database is asked, whose idea of equality (padding, case) may differ.
func pathID(rq *request, name string) (string, error) {
	id := rq.Params(name)
	if len(id) != 36 {
		return "", hub.ErrNotFound
	}
	for i := range len(id) {
		c := id[i]
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !hex {
			return "", hub.ErrNotFound
		}
	}
	return id, nil
}

// form reads the form that a POST carries.
func (rq *request) form() (url.Values, error) {
	kind, _, err := mime.ParseMediaType(rq.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEApplicationForm {
		return nil, fiber.ErrUnsupportedMediaType
	}
	form, err := url.ParseQuery(string(rq.Body()))
	if err != nil {
		return nil, fiber.ErrBadRequest
	}
	return form, nil
}

// local returns a path of this server, or the fallback where to is anything
// else: an address that a form or a plugin names never leads away.
func local(to, fallback string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return fallback
	}
	return to
}

// see sends the browser on after a POST, so that a reload repeats nothing.
func (rq *request) see(path string) error { return rq.Redirect(path, http.StatusSeeOther) }

// setCookie gives the browser its session, or with a zero expiry takes it away.
func (p *Plugin) setCookie(rq *request, token string, expires time.Time) {
	rq.Append(fiber.HeaderSetCookie, hub.SessionCookie(p.host.BaseURL(), token, expires).String())
}

// cookie is the session's token as the browser sent it.
func (p *Plugin) cookie(rq *request) string {
	return rq.Cookies(hub.SessionCookieName(p.host.BaseURL()))
}
