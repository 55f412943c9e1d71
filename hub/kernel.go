package hub

import (
	"context"
	"errors"
)

// kernelFrames registers what the hub answers itself, and what no plugin can
// take over.
func (h *Hub) kernelFrames() {
	members := []Kind{Visitor, Admin}
	h.frames["message"] = handler{from: members, fn: h.message, bounded: true}
	h.frames["typing"] = handler{from: members, fn: h.typing, bounded: true}
	h.frames["presence"] = handler{from: members, fn: h.presence, bounded: true}
	h.frames["history"] = handler{from: members, fn: h.history}
	h.frames["hello"] = handler{fn: func(context.Context, *session, inbound) error { return ErrForbidden }}
}

// message stores what a member says, acknowledges it, and then shows it to the
// room.
func (h *Hub) message(ctx context.Context, s *session, in inbound) error {
	if in.ID == "" {
		return Errorf(CodeBadField, "The field %q is missing.", "id")
	}
	said, err := messageText(in.Data)
	if err != nil {
		return err
	}
	text, err := CleanText(said, h.opts.Limits.MaxText, CodeBadText)
	if err != nil {
		return err
	}
	if s.guest != nil {
		if wait := s.guest.wait(); wait > 0 {
			return &Error{Code: CodeRateLimited, Message: "Too fast.", RetryAfter: wait}
		}
	}
	s.room.ask(s)
	defer s.room.pay(s)
	out, err := h.commit(ctx, Append{
		Room: s.room.id, Type: EventMessage, Author: s.who, Text: text, ClientID: in.ID, Hash: bodyHash(in), Lang: s.lang,
	})
	if errors.Is(err, ErrNotFound) {
		return ErrGone // it was there when the member came in
	}
	if err != nil {
		return err
	}
	ack := h.packet("ack", in.ID, ackData{out.Event.Seq, Stamp(out.Event.At)})
	h.opts.Observer.FramesOut("ack", 1)
	s.room.owe(s, ack)
	if !out.Again || !h.shown(out) {
		h.announce(out)
	}
	return nil
}

// messageText reads the data of a message.
func messageText(data []byte) (text string, err error) {
	if len(data) > 0 && !isObject(data) && string(data) != "null" {
		return "", wrongType("data")
	}
	for key, value := range members(data) {
		switch key {
		case "text":
			err = textField(key, value, &text)
		case "author":
			err = ErrForbidden // who sends it pretends to be somebody else
		default:
			err = unknownField(key)
		}
		if err != nil {
			return "", err
		}
	}
	return text, nil
}

// history answers with a page of the log.
func (h *Hub) history(ctx context.Context, s *session, in inbound) error {
	var q historyData
	if err := decode(in.Data, &q); err != nil {
		return err
	}
	p := Range{Limit: q.Limit}
	switch {
	case (q.Before == nil) == (q.After == nil):
		return Errorf(CodeBadField, "history takes one of %q and %q.", "before", "after")
	case q.Before != nil && *q.Before < 1, q.After != nil && *q.After < 0, q.Limit < 0:
		return Errorf(CodeBadField, "A number is out of range.")
	case q.Before != nil:
		p.Before = *q.Before
	default:
		p.After = *q.After
	}
	if q.After != nil {
		room, err := h.room(ctx, s.room.id)
		if err == nil && p.After > room.Seq { // or ahead of what was delivered here
			room, err = h.opts.Store.Room(ctx, s.room.id)
		}
		if err != nil {
			return err
		}
		if p.After > room.Seq {
			return ErrResync
		}
	}
	events, more, err := h.opts.Store.Events(ctx, s.room.id, p)
	if err != nil {
		return err
	}
	s.send("history", in.ID, h.pageOf(events, more, q.Before != nil))
	return nil
}

// typing passes on that a member writes, or stopped. It touches no database.
func (h *Hub) typing(_ context.Context, s *session, in inbound) error {
	var t typingIn
	if err := decode(in.Data, &t); err != nil {
		return err
	}
	h.publish(Signal{Room: s.room.id, Typing: &Typing{Author: s.who, On: t.On}})
	return nil
}

// presence notes whether the member's page is in view.
func (h *Hub) presence(_ context.Context, s *session, in inbound) error {
	var p presenceIn
	if err := decode(in.Data, &p); err != nil {
		return err
	}
	if p.State != online && p.State != away {
		return Errorf(CodeBadField, "The field %q is online or away.", "state")
	}
	if s.away.Swap(p.State == away) == (p.State == away) {
		return nil
	}
	s.room.presence()
	if s.kind == Visitor {
		if room, ok := s.room.now(); ok {
			h.summarise(room)
		}
	}
	return nil
}
