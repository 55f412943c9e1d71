package console

import (
	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// frame is what stands around every page: who is here, which domain, where one
// can go, and what is wrong with the mail.
type frame struct {
	Who     hub.Identity
	Domains []storage.Domain // that the admin may see
	Domain  storage.Domain   // the current one, or zero
	Menu    []menuEntry
	Waiting int64 // conversations that wait for a person
	Sick    int   // plugins that need a look; for operators

	MailOff bool  // nothing can be sent
	Held    int64 // emails that wait for it
	Nobody  bool  // no CC rule is active
}

func domainPath(id string) string { return "/console/domains/" + id }

// bareFrame stands around pages of no domain.
func (p *Plugin) bareFrame(rq *request) frame { return frame{Who: rq.who} }

// accountFrame stands around a signed-in admin's pages of no domain.
func (p *Plugin) accountFrame(rq *request) (frame, error) {
	f := frame{Who: rq.who, Sick: p.sickFor(rq.who)}
	var err error
	if f.Domains, err = storage.DomainsOf(rq.ctx, rq.who); err != nil {
		return f, err
	}
	if f.MailOff = p.mailOff(); f.MailOff {
		for _, d := range f.Domains {
			n, err := storage.HeldEmails(rq.ctx, d.ID)
			if err != nil {
				return f, err
			}
			f.Held += n
		}
	}
	return f, nil
}

// domainFrame stands around a domain's pages.
func (p *Plugin) domainFrame(rq *request, d storage.Domain) (frame, error) {
	f := frame{Who: rq.who, Domain: d, MailOff: p.mailOff(), Sick: p.sickFor(rq.who)}
	var err error
	if f.Domains, err = storage.DomainsOf(rq.ctx, rq.who); err != nil {
		return f, err
	}
	if f.Waiting, err = storage.CountWaiting(rq.ctx, d.ID); err != nil {
		return f, err
	}
	if f.MailOff {
		if f.Held, err = storage.HeldEmails(rq.ctx, d.ID); err != nil {
			return f, err
		}
	}
	active, err := storage.ActiveRules(rq.ctx, d.ID)
	if err != nil {
		return f, err
	}
	f.Nobody = len(active) == 0
	f.Menu = p.menu(rq, d.ID, f.Waiting)
	return f, nil
}

// mailOff tells that no email can leave, nor any other alert.
func (p *Plugin) mailOff() bool { return !p.host.CanAlert() }

// sickFor counts the plugins that need a look, where the reader may give them
// one.
func (p *Plugin) sickFor(who hub.Identity) int {
	if !who.Operator {
		return 0
	}
	return len(sick(cards(p.host.Plugins(), hub.Now())))
}
