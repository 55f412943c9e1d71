package mail

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// unsendable is an email that must not, or cannot, be sent any more: a sentence
// for its row.
type unsendable struct{ why string }

func (u *unsendable) Error() string { return u.why }

// write mints the attempt's link and renders the message. The error is an
// unsendable where no attempt will ever succeed.
func (p *Plugin) write(ctx context.Context, e storage.Email) (Message, storage.Link, error) {
	if e.Kind != storage.EmailBell && e.Kind != storage.EmailNewLink {
		return Message{}, storage.Link{}, &unsendable{fmt.Sprintf("There is no template for emails of the kind %q.", e.Kind)}
	}
	bell, err := e.Bell()
	if err != nil {
		return Message{}, storage.Link{}, &unsendable{"What the email is about cannot be read."}
	}
	if _, err := storage.ParseAddress(e.Recipient); err != nil {
		return Message{}, storage.Link{}, &unsendable{"The recipient is not an email address."}
	}
	room, err := p.host.Room(ctx, e.RoomID)
	switch {
	case errors.Is(err, hub.ErrNotFound):
		return Message{}, storage.Link{}, &unsendable{"The conversation no longer exists."}
	case err != nil:
		return Message{}, storage.Link{}, err
	}
	link, token, err := storage.MintRuleLink(ctx, storage.Link{
		DomainID: e.DomainID, RoomID: e.RoomID, RuleID: e.RuleID, EmailID: e.ID,
		Recipient: e.Recipient, Label: e.Label, ExpiresAt: hub.Now().Add(p.host.Limits().LinkTTL),
	})
	switch {
	case errors.Is(err, hub.ErrNotFound):
		return Message{}, storage.Link{}, &unsendable{"The recipient's rule was switched off."}
	case err != nil:
		return Message{}, storage.Link{}, err
	}
	m := Message{
		ID: e.ID, Kind: string(e.Kind), From: p.from, To: e.Recipient, Link: p.link(token), token: token,
		MessageID:  "<" + e.ID + "@" + p.mailID + ">",
		References: "<room." + e.RoomID + "@" + p.mailID + ">",
	}
	m.Subject, m.Text, m.HTML, err = render(words{emailLang, p.host.Texts()}, letterhead{
		kind: e.Kind, bell: bell, recipient: e.Recipient, label: e.Label,
		link: m.Link, until: link.ExpiresAt, ai: room.Mode == hub.ModeAI,
	})
	return m, link, err
}

// redact cuts the link's secret out of a body that people will see again.
func redact(body, token string) string { return strings.ReplaceAll(body, token, "…") }
