package mail

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// deliver makes one attempt at the email that a job names. It may run again
// after it had succeeded, if the node died before saying so: what the email's
// row says then decides what is left to do.
func (p *Plugin) deliver(ctx context.Context, t storage.Task) error {
	var id string
	if err := t.Decode(&id); err != nil {
		return storage.Permanent(fmt.Errorf("mail: the job names no email: %w", err))
	}
	e, err := storage.EmailByID(ctx, id)
	switch {
	case errors.Is(err, hub.ErrNotFound):
		return storage.Permanent(fmt.Errorf("mail: there is no email %s", id))
	case err != nil:
		return err
	}
	switch e.State {
	case storage.EmailSent:
		return p.tellAccepted(ctx, e)
	case storage.EmailFailed:
		return p.tellUnreachable(ctx, e)
	case storage.EmailExpired:
		return nil
	case storage.EmailHeld: // by a node without mail, while this one has it
		if hub.Now().Sub(e.CreatedAt) >= storage.HeldLife {
			e.State = storage.EmailExpired
			return storage.SaveEmail(ctx, e)
		}
		e.State = storage.EmailQueued
	}
	e.Attempts = t.Attempt
	return p.attempt(ctx, t, e)
}

func (p *Plugin) attempt(ctx context.Context, t storage.Task, e storage.Email) error {
	m, link, err := p.write(ctx, e)
	var no *unsendable
	switch {
	case errors.As(err, &no):
		return p.giveUp(ctx, e, no.Error(), no)
	case err != nil && t.Last:
		return p.giveUp(ctx, e, "The email could not be prepared.", err)
	case err != nil:
		return err
	}
	e.Subject, e.Text, e.HTML = m.Subject, redact(m.Text, m.token), redact(m.HTML, m.token)

	sending, cancel := context.WithTimeout(ctx, p.limit)
	providerID, err := p.sender.Send(sending, m)
	cancel()
	if err == nil {
		p.count(outcomeAccepted)
		return p.accepted(ctx, e, providerID)
	}
	var f *Failure
	if !errors.As(err, &f) {
		f = &Failure{Reason: Unknown}
	}
	p.count(string(f.Reason))
	if !f.lost() {
		// Nobody has this attempt's link: it need not stay open.
		if err := storage.RevokeLink(ctx, e.DomainID, link.ID); err != nil {
			p.host.Log.Warn("mail: revoke an unsent link", "email", e.ID, "err", err)
		}
	}
	return p.failed(ctx, t, e, f)
}

// accepted writes down that the email is on its way, and tells the room.
func (p *Plugin) accepted(ctx context.Context, e storage.Email, providerID string) error {
	now := hub.Now()
	e.State, e.Error, e.ProviderID, e.SentAt = storage.EmailSent, "", cut(providerID, 200), &now
	return p.tellAccepted(ctx, e)
}

// failed writes down a failed attempt and says when the next one is due.
func (p *Plugin) failed(ctx context.Context, t storage.Task, e storage.Email, f *Failure) error {
	again, wait := f.Retry()
	if f.Reason == Unauthorized {
		p.host.Log.Error("the mail provider refuses us: check the key, the account and the sending domain",
			"status", f.Status, "detail", f.Detail, "email", e.ID, "retry_in", wait)
	}
	if !again || t.Last {
		return p.giveUp(ctx, e, f.Public(), f)
	}
	e.Error = f.Public()
	if err := storage.SaveEmail(ctx, e); err != nil {
		p.host.Log.Error("mail: save an attempt", "email", e.ID, "err", err)
	}
	if wait > 0 {
		return storage.After(wait, f)
	}
	return f
}

// giveUp ends the email visibly, and tells the room where it was the last hope.
// A row that cannot be written is tried again with the job.
func (p *Plugin) giveUp(ctx context.Context, e storage.Email, why string, cause error) error {
	e.State, e.Error = storage.EmailFailed, why
	if err := storage.SaveEmail(ctx, e); err != nil {
		return err
	}
	if err := p.tellUnreachable(ctx, e); err != nil {
		return err
	}
	return storage.Permanent(cause)
}
