package mail

import (
	"context"
	"errors"
	"fmt"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// errMoot is a notice that says nothing new: a person has joined, or other
// emails of the call are still alive.
var errMoot = fmt.Errorf("mail: %w", hub.ErrMoot)

// tellAccepted saves an accepted email and, with the first one of a call, tells
// the room, in one transaction. It may be repeated.
func (p *Plugin) tellAccepted(ctx context.Context, e storage.Email) error {
	if e.Kind != storage.EmailBell || e.EscalationID == "" {
		return storage.SaveEmail(ctx, e)
	}
	out, err := p.notice(ctx, e, "notified:", p.state, func(ctx context.Context) error {
		return storage.SaveEmail(ctx, e)
	})
	if err == nil && !out.Again {
		return nil
	}
	// The notice stands already, or could not be made: the email was accepted
	// all the same.
	if err := storage.SaveEmail(ctx, e); err != nil {
		return err
	}
	return said(err)
}

// tellUnreachable tells the room that nobody was reached, once no email of the
// call is sent or may still be. The email's own failure was committed before:
// of two that fail at the same moment, the later sees both.
func (p *Plugin) tellUnreachable(ctx context.Context, e storage.Email) error {
	if e.Kind != storage.EmailBell || e.EscalationID == "" {
		return nil
	}
	_, err := p.notice(ctx, e, "unreachable:", hub.StateUnreachable, func(ctx context.Context) error {
		all, err := storage.EmailsOfEscalation(ctx, e.DomainID, e.EscalationID)
		if err != nil {
			return err
		}
		for _, other := range all {
			switch other.State {
			case storage.EmailFailed, storage.EmailExpired:
			default:
				return errMoot
			}
		}
		return nil
	})
	return said(err)
}

// notice appends an escalation's state to the room's log, at most once, unless
// a person has answered the call in the meantime: the state would go backwards.
func (p *Plugin) notice(ctx context.Context, e storage.Email, key, state string, within func(context.Context) error) (hub.Appended, error) {
	return p.host.Append(ctx, hub.Append{
		Room: e.RoomID, Type: hub.EventNotice, Author: hub.SystemAuthor,
		ClientID: key + e.EscalationID,
		Data:     hub.MarshalData(hub.Progress{Escalation: e.EscalationID, State: state}),
		Within: func(ctx context.Context, _ *hub.Append) error {
			room, err := storage.RoomIn(ctx, e.DomainID, e.RoomID)
			if err != nil {
				return err
			}
			if room.Escalation.Escalation == e.EscalationID && !storage.Waiting(room.Escalation.State) {
				return errMoot
			}
			return within(ctx)
		},
	})
}

// said is the error of a notice that should be tried again, or nil: a room that
// was closed, or deleted, needs none.
func said(err error) error {
	switch {
	case err == nil, errors.Is(err, errMoot), errors.Is(err, hub.ErrGone), errors.Is(err, hub.ErrNotFound):
		return nil
	}
	return fmt.Errorf("mail: tell the room: %w", err)
}
