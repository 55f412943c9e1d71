package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// home leads to where the admin's work is.
func (p *Plugin) home(rq *request) error {
	if !rq.who.SignedIn() {
		return p.askToSignIn(rq)
	}
	f, err := p.accountFrame(rq)
	if err != nil {
		return err
	}
	if len(f.Domains) > 0 {
		return rq.see(domainPath(f.Domains[0].ID))
	}
	return p.renderNewDomain(rq, http.StatusOK, domainForm{})
}

// domainForm is the form for a new domain, as it was sent.
type domainForm struct {
	Name, Key           string
	NameError, KeyError string
}

// maxDomainName bounds a domain's name, in characters.
const maxDomainName = 100

// newDomain shows the form for one more domain.
func (p *Plugin) newDomain(rq *request) error {
	if !rq.who.Operator {
		return hub.ErrNotFound
	}
	return p.renderNewDomain(rq, http.StatusOK, domainForm{})
}

func (p *Plugin) renderNewDomain(rq *request, status int, form domainForm) error {
	f, err := p.accountFrame(rq)
	if err != nil {
		return err
	}
	return p.render(rq, status, "welcome", page{
		Title: p.t(rq, "welcome.title"), Frame: f, Body: form,
	})
}

// addDomain makes a domain; only an operator may.
func (p *Plugin) addDomain(rq *request) error {
	if !rq.who.Operator {
		return hub.ErrNotFound
	}
	values, err := rq.form()
	if err != nil {
		return err
	}
	form := domainForm{Name: values.Get("name"), Key: strings.TrimSpace(values.Get("key"))}
	name, ok := hub.CleanName(form.Name, maxDomainName)
	if !ok {
		form.NameError = p.t(rq, "error.domainName", "n", maxDomainName)
	}
	if form.Key != "" {
		if _, err := storage.ParseKey(form.Key); err != nil {
			form.KeyError = p.t(rq, "error.key")
		}
	}
	if form.NameError == "" && form.KeyError == "" {
		d, err := storage.AddDomain(rq.ctx, storage.Domain{Name: name, Key: form.Key, AI: true})
		if err == nil {
			return rq.see(domainPath(d.ID))
		}
		if !errors.Is(err, storage.ErrKeyTaken) {
			return err
		}
		form.KeyError = p.t(rq, "error.keyTaken")
	}
	return p.renderNewDomain(rq, http.StatusUnprocessableEntity, form)
}
