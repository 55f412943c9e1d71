package console

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// maxName bounds a person's name as visitors see it, in characters.
const maxName = 60

// askToSignIn tells how to come in. A signed-in admin does not need to know.
func (p *Plugin) askToSignIn(rq *request) error {
	if rq.who.SignedIn() {
		return rq.see("/console")
	}
	return p.render(rq, http.StatusUnauthorized, "signin", page{
		Title: p.t(rq, "signIn.title"), Frame: p.bareFrame(rq),
		Body: struct{ Development bool }{p.host.Development()},
	})
}

// signInForm is what a valid sign-in link shows.
type signInForm struct {
	Email, Name, NameError string
}

// showSignIn shows whom the link signs in. It uses nothing up: scanners fetch
// links before people do.
func (p *Plugin) showSignIn(rq *request) error {
	account, err := storage.PeekSignIn(rq.ctx, rq.Params("token"))
	if err != nil {
		return p.badSignIn(rq, err)
	}
	// Who is signed in already keeps the session, and what other tabs have
	// open with it; the link stays good.
	if rq.who.SignedIn() && rq.who.ID == account.ID {
		return rq.see(next(rq))
	}
	return p.renderSignIn(rq, http.StatusOK, signInForm{Email: account.Email, Name: account.Name})
}

// next is where signing in leads: what the link says, or the console.
func next(rq *request) string { return local(rq.Query("next"), "/console") }

func (p *Plugin) renderSignIn(rq *request, status int, form signInForm) error {
	return p.render(rq, status, "signinlink", page{
		Title: p.t(rq, "signIn.title"), Frame: frame{}, Body: form,
	})
}

// badSignIn is the one page for links that are unknown, used or too old.
func (p *Plugin) badSignIn(rq *request, err error) error {
	if !errors.Is(err, hub.ErrNotFound) {
		return err
	}
	return p.message(rq, http.StatusNotFound, "signInUsed")
}

// signIn uses the link.
func (p *Plugin) signIn(rq *request) error {
	values, err := rq.form()
	if err != nil {
		return err
	}
	token := rq.Params("token")
	account, err := storage.PeekSignIn(rq.ctx, token)
	if err != nil {
		return p.badSignIn(rq, err)
	}
	// The name first: a slip in it must not cost the link.
	name := strings.TrimSpace(values.Get("name"))
	if name != "" {
		if _, ok := hub.CleanName(name, maxName); !ok {
			return p.renderSignIn(rq, http.StatusUnprocessableEntity, signInForm{
				Email: account.Email, Name: name, NameError: p.t(rq, "error.name", "n", maxName),
			})
		}
	}
	cookie, account, err := storage.SignIn(rq.ctx, token, rq.who.Session)
	if err != nil {
		return p.badSignIn(rq, err)
	}
	if rq.who.Session != "" { // it is gone: its grants belong to the new one
		p.host.Revoke(hub.Revocation{Session: rq.who.Session})
	}
	if name != "" && name != account.Name {
		if err := storage.RenameAdmin(rq.ctx, account.ID, name); err != nil {
			return err
		}
	}
	who, err := storage.IdentityByToken(rq.ctx, cookie)
	if err != nil {
		return err
	}
	until, err := storage.SessionUntil(rq.ctx, who.Session) // a grant's may be later than the sign-in's
	if err != nil {
		return err
	}
	p.setCookie(rq, cookie, until)
	return rq.see(next(rq))
}

// signOut ends the session, with every grant and every socket it holds.
func (p *Plugin) signOut(rq *request) error {
	if id := rq.who.Session; id != "" {
		if err := storage.SignOut(rq.ctx, id); err != nil {
			return err
		}
		p.host.Revoke(hub.Revocation{Session: id})
	}
	p.setCookie(rq, "", time.Time{})
	return rq.see("/console")
}

// rename sets the name that visitors see of the signed-in admin, and goes back
// to where the form was.
func (p *Plugin) rename(rq *request) error {
	values, err := rq.form()
	if err != nil {
		return err
	}
	name, ok := hub.CleanName(values.Get("name"), maxName)
	if !ok {
		f, err := p.accountFrame(rq)
		if err != nil {
			return err
		}
		return p.render(rq, http.StatusUnprocessableEntity, "name", page{
			Title: p.t(rq, "name.title"), Frame: f,
			Body: signInForm{Name: values.Get("name"), NameError: p.t(rq, "error.name", "n", maxName)},
		})
	}
	if err := storage.RenameAdmin(rq.ctx, rq.who.ID, name); err != nil {
		return err
	}
	return rq.see(withDone(values.Get("back"), "named"))
}
