package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// maxLabel bounds a CC rule's label, in characters.
const maxLabel = 60

// ruleList is the body of Email Settings.
type ruleList struct {
	Rules                  []storage.CCRule
	Unopened               map[string]bool // by rule: nobody opened its emails for long
	Email, Label           string          // of the form, as it was sent
	EmailError, LabelError string
}

// showRules shows whom a domain's bells are emailed to.
func (p *Plugin) showRules(rq *request, d storage.Domain) error {
	return p.renderRules(rq, http.StatusOK, d, ruleList{})
}

func (p *Plugin) renderRules(rq *request, status int, d storage.Domain, list ruleList) error {
	var err error
	if list.Rules, err = storage.Rules(rq.ctx, d.ID); err != nil {
		return err
	}
	if list.Unopened, err = storage.UnopenedRules(rq.ctx, d.ID); err != nil {
		return err
	}
	f, err := p.domainFrame(rq, d)
	if err != nil {
		return err
	}
	return p.render(rq, status, "email", page{
		Title: p.t(rq, "email.title"), Frame: f, Flash: p.flash(rq, d), Here: "email", Body: list,
	})
}

// addRule adds a recipient.
func (p *Plugin) addRule(rq *request, d storage.Domain) error {
	values, err := rq.form()
	if err != nil {
		return err
	}
	list := ruleList{Email: values.Get("email"), Label: cleanLabel(values.Get("label"))}
	email, err := storage.ParseAddress(list.Email)
	if err != nil {
		list.EmailError = p.t(rq, "error.email")
	}
	if utf8.RuneCountInString(list.Label) > maxLabel {
		list.LabelError = p.t(rq, "error.label", "n", maxLabel)
	}
	if list.EmailError == "" && list.LabelError == "" {
		rule, err := storage.AddRule(rq.ctx, storage.CCRule{DomainID: d.ID, Email: email, Label: list.Label, AddedBy: rq.who.Email})
		if err == nil {
			return p.seeRules(rq, d, "added", rule.ID)
		}
		if !errors.Is(err, storage.ErrRuleExists) {
			return err
		}
		list.EmailError = p.t(rq, "error.ruleExists")
	}
	return p.renderRules(rq, http.StatusUnprocessableEntity, d, list)
}

// cleanLabel makes a label one line of readable characters: it will stand in
// the head of an email.
func cleanLabel(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == '\n', r == '\r', r == utf8.RuneError, !hub.Readable(r):
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// switchRule switches a recipient on or off. Off, the links it was sent end,
// and the rooms they opened close.
func (p *Plugin) switchRule(rq *request, d storage.Domain) error {
	id, err := pathID(rq, "rule")
	if err != nil {
		return err
	}
	values, err := rq.form()
	if err != nil {
		return err
	}
	on := values.Get("active") == "on"
	if err := storage.SetRuleActive(rq.ctx, d.ID, id, on); err != nil {
		return err
	}
	if on {
		return p.seeRules(rq, d, "on", id)
	}
	p.host.Revoke(hub.Revocation{Rule: id})
	return p.seeRules(rq, d, "off", id)
}

// removeRule deletes a recipient, with the same consequences.
func (p *Plugin) removeRule(rq *request, d storage.Domain) error {
	id, err := pathID(rq, "rule")
	if err != nil {
		return err
	}
	if err := storage.RemoveRule(rq.ctx, d.ID, id); err != nil {
		return err
	}
	p.host.Revoke(hub.Revocation{Rule: id})
	return p.seeRules(rq, d, "removed", id)
}

func (p *Plugin) seeRules(rq *request, d storage.Domain, done, rule string) error {
	return rq.see(domainPath(d.ID) + "/email?" + url.Values{"done": {done}, "rule": {rule}}.Encode())
}
