package console

import (
	"errors"
	"net/http"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// joinForm is what a valid link shows: enough to know which conversation it is,
// nothing of what was said in it, and never the recipient's address.
type joinForm struct {
	Ref, Domain     string
	Name, NameError string
}

func roomPath(id string) string { return "/console/rooms/" + id }

// showJoin is where an emailed link leads. It changes nothing: mail scanners
// follow links, run scripts, and would use up or record what only a person
// should.
func (p *Plugin) showJoin(rq *request) error {
	l, err := storage.LinkByToken(rq.ctx, rq.Params("token"))
	if err != nil {
		return err
	}
	if l.State() != storage.LinkValid {
		return p.deadLink(rq, l)
	}
	in, err := storage.HasGrant(rq.ctx, rq.who.Session, l)
	if err != nil {
		return err
	}
	if in {
		return rq.see(roomPath(l.RoomID))
	}
	name := rq.who.Name
	for _, or := range []string{l.Label, storage.DefaultName} {
		if name == "" {
			name = or
		}
	}
	return p.renderJoin(rq, http.StatusOK, l, joinForm{Name: name})
}

func (p *Plugin) renderJoin(rq *request, status int, l storage.Link, form joinForm) error {
	d, err := storage.DomainByID(rq.ctx, l.DomainID)
	if err != nil {
		return err
	}
	room, err := storage.RoomIn(rq.ctx, l.DomainID, l.RoomID)
	if err != nil {
		return err
	}
	form.Ref, form.Domain = room.Ref, d.Name
	return p.render(rq, status, "join", page{
		Title: p.t(rq, "join.title", "ref", room.Ref), Body: form,
	})
}

// deadLink says what is wrong with a link that opens nothing. An expired one
// can be had anew, by email alone: whoever holds the old one learns nothing.
func (p *Plugin) deadLink(rq *request, l storage.Link) error {
	switch l.State() {
	case storage.LinkExpired:
		return p.render(rq, http.StatusGone, "expired", page{
			Title: p.t(rq, "linkExpired.title"), Body: struct{ Token string }{rq.Params("token")},
		})
	case storage.LinkRevoked:
		return p.message(rq, http.StatusGone, "linkRevoked")
	}
	return p.message(rq, http.StatusNotFound, "linkUnknown")
}

// join lets the browser's session into the link's room.
func (p *Plugin) join(rq *request) error {
	values, err := rq.form()
	if err != nil {
		return err
	}
	l, err := storage.LinkByToken(rq.ctx, rq.Params("token"))
	if err != nil {
		return err
	}
	if l.State() != storage.LinkValid {
		return p.deadLink(rq, l)
	}
	name, ok := hub.CleanName(values.Get("name"), maxName)
	if !ok {
		return p.renderJoin(rq, http.StatusUnprocessableEntity, l, joinForm{
			Name: values.Get("name"), NameError: p.t(rq, "error.name", "n", maxName),
		})
	}
	session, cookie := rq.who.Session, p.cookie(rq)
	if session == "" {
		if session, cookie, err = storage.StartSession(rq.ctx); err != nil {
			return err
		}
	}
	err = storage.AddGrant(rq.ctx, session, l, name)
	if errors.Is(err, hub.ErrNotFound) { // withdrawn or expired a moment ago
		return rq.see("/join/" + rq.Params("token"))
	}
	if err != nil {
		return err
	}
	if storage.MayAdmin(rq.ctx, rq.who, l.DomainID) == nil && name != rq.who.Name {
		// A member is in the room as itself, so that is who the name is for.
		if err := storage.RenameAdmin(rq.ctx, rq.who.ID, name); err != nil {
			return err
		}
	}
	until, err := storage.SessionUntil(rq.ctx, session)
	if err != nil {
		return err
	}
	p.setCookie(rq, cookie, until)
	return rq.see(roomPath(l.RoomID))
}

// renew emails a new link to whoever the expired one was sent to. Its answer is
// the same whether or not it did.
func (p *Plugin) renew(rq *request) error {
	l, err := storage.LinkByToken(rq.ctx, rq.Params("token"))
	if err != nil {
		return err
	}
	switch l.State() {
	case storage.LinkValid:
		return rq.see("/join/" + rq.Params("token"))
	case storage.LinkUnknown, storage.LinkRevoked:
		return p.deadLink(rq, l)
	}
	state := storage.EmailQueued
	if p.mailOff() {
		state = storage.EmailHeld
	}
	if _, err := storage.RenewLink(rq.ctx, l, state); err != nil {
		return err
	}
	return p.message(rq, http.StatusOK, "renewed")
}
