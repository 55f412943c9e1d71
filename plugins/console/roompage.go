package console

import (
	"errors"
	"net/http"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// roomView is the body of the room's page: what stands beside the conversation.
// The conversation itself comes over the socket.
type roomView struct {
	Room    hub.Room
	Domain  storage.Domain
	Zone    *time.Location
	Member  bool
	Stop    bool            // its reader is emailed this domain's bells, and may stop that
	Emails  []storage.Email // members only
	Links   []storage.Link  // members only: the valid ones
	Panels  []panel
	MaxText int
}

// showRoom is the page on which an admin reads, takes over and answers.
func (p *Plugin) showRoom(rq *request, e entry) error {
	v := roomView{
		Room: e.room, Domain: e.domain, Zone: e.domain.Location(), Member: e.member(),
		MaxText: p.host.Limits().MaxText,
	}
	rule, err := p.readersRule(rq, e)
	if err != nil {
		return err
	}
	v.Stop = rule != ""
	v.Panels = p.panels(rq, e)
	f := p.bareFrame(rq)
	if v.Member {
		if f, err = p.domainFrame(rq, e.domain); err != nil {
			return err
		}
		if v.Emails, err = storage.EmailsOfRoom(rq.ctx, e.domain.ID, e.room.ID); err != nil {
			return err
		}
		if v.Links, err = storage.LinksOf(rq.ctx, e.domain.ID, e.room.ID); err != nil {
			return err
		}
	}
	return p.render(rq, http.StatusOK, "room", page{
		Title: e.room.Ref + " · " + e.domain.Name, Frame: f, Flash: p.flash(rq, e.domain), Wide: true, Body: v,
	})
}

// revokeLink ends one link into the room and closes what it let in.
func (p *Plugin) revokeLink(rq *request, e entry) error {
	if !e.member() {
		return hub.ErrNotFound
	}
	id, err := pathID(rq, "link")
	if err != nil {
		return err
	}
	links, err := storage.LinksOf(rq.ctx, e.domain.ID, e.room.ID)
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.ID != id {
			continue
		}
		if err := storage.RevokeLink(rq.ctx, e.domain.ID, id); err != nil {
			return err
		}
		p.host.Revoke(hub.Revocation{Link: id})
		return rq.see(withDone(roomPath(e.room.ID), "revoked"))
	}
	return hub.ErrNotFound
}

// readersRule is the CC rule by which the reader is emailed, or empty: that of
// the link it came by, or, for a member, the active one with its address.
func (p *Plugin) readersRule(rq *request, e entry) (string, error) {
	if !e.member() {
		return e.access.Rule, nil
	}
	rules, err := storage.ActiveRules(rq.ctx, e.domain.ID)
	for _, r := range rules {
		if r.Email == rq.who.Email {
			return r.ID, err
		}
	}
	return "", err
}

// askToStop asks a recipient whether it really wants no more emails.
func (p *Plugin) askToStop(rq *request, e entry) error {
	if rule, err := p.readersRule(rq, e); err != nil || rule == "" {
		return errors.Join(err, hub.ErrNotFound)
	}
	return p.render(rq, http.StatusOK, "stop", page{
		Title: p.t(rq, "stop.title"),
		Body:  struct{ Domain, Path string }{e.domain.Name, roomPath(e.room.ID)},
	})
}

// stopEmails switches the reader's CC rule off. Its links end with it, so for
// who came by one this is the last page that it sees.
func (p *Plugin) stopEmails(rq *request, e entry) error {
	rule, err := p.readersRule(rq, e)
	if err != nil || rule == "" {
		return errors.Join(err, hub.ErrNotFound)
	}
	if err := storage.SetRuleActive(rq.ctx, e.domain.ID, rule, false); err != nil {
		return err
	}
	p.host.Revoke(hub.Revocation{Rule: rule})
	return p.message(rq, http.StatusOK, "stopped")
}
