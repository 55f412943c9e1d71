// Package takeover is Live Agent mode: a person takes a room over from the AI,
// and gives it back.
//
// A room has one holder at a time. Who takes over names, by the room's epoch,
// the state they saw; the log compares and sets it in one transaction, so of
// two who try at once one wins and the other is told who holds the room. The
// raised epoch also fences the AI: whatever it was saying belongs to the epoch
// before and is refused.
//
// An admin's first reply takes over by itself. In a room that somebody else
// holds, a reply is refused until the room has been taken over from them, which
// asks for one confirmation: the takeover frame then carries the epoch that was
// confirmed.
//
// A holder whose access is withdrawn (its CC rule switched off, its link
// revoked) lets go of its rooms, so that no visitor waits for somebody who
// cannot come back.
package takeover

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/bellhub/bellhub/hub"
)

// tries bounds how often a takeover starts over because the room changed hands
// in between.
const tries = 5

// Plugin is Live Agent mode.
type Plugin struct{ host *hub.Host }

var (
	_ hub.Plugin = (*Plugin)(nil)
	_ hub.Runner = (*Plugin)(nil)
)

// New makes the plugin.
func New() *Plugin { return &Plugin{} }

// ID is takeover.
func (p *Plugin) ID() string { return "takeover" }

// Init takes the frames takeover and handback, and watches what admins say.
func (p *Plugin) Init(_ context.Context, h *hub.Host) error {
	p.host = h
	h.Handle("takeover", hub.From(hub.Admin), p.takeover)
	h.Handle("handback", hub.From(hub.Admin), p.handback)
	// Failing open would let two people, or a person and the AI, talk at once.
	h.Hooks.EventAppending.Bind(h, p.speaking, hub.FailClosed())
	return nil
}

// ack answers takeover and handback.
type ack struct {
	Seq   int64 `json:"seq"`
	Epoch int64 `json:"epoch"`
}

// confirmation is the data of takeover: the epoch in which its sender saw
// somebody else hold the room and meant it all the same. 0: not asked yet.
type confirmation struct {
	Epoch int64 `json:"epoch"`
}

func (p *Plugin) takeover(ctx context.Context, f hub.Frame) (any, error) {
	var c confirmation
	if err := f.Decode(&c); err != nil {
		return nil, err
	}
	a := hub.Append{Room: f.Room.ID, Type: hub.EventTakeover, Author: f.Author, ClientID: f.ID, Hash: f.Hash}
	if first, err := p.host.Known(ctx, a); err != nil || first.Again {
		return acked(first), err
	}
	return p.take(ctx, a, c.Epoch)
}

// acked acknowledges a takeover or a hand-back, also one sent again: by the
// epoch that it began, which may be over.
func acked(out hub.Appended) ack {
	var h hub.HandOver
	_ = json.Unmarshal(out.Event.Data, &h) // the log's own, see hub.Room.Next
	return ack{out.Event.Seq, h.Epoch}
}

// take makes a's author the room's holder. confirmed is the epoch in which the
// room may be taken from its holder.
func (p *Plugin) take(ctx context.Context, a hub.Append, confirmed int64) (ack, error) {
	for range tries {
		room, err := p.host.Room(ctx, a.Room)
		if err != nil {
			return ack{}, err
		}
		if room.Mode == hub.ModeLive && room.Holder.ID == a.Author.ID {
			return ack{room.Seq, room.Epoch}, nil // twice is once
		}
		if room.Held(a.Author) && room.Epoch != confirmed {
			return ack{}, held(room)
		}
		a.Epoch = room.Epoch
		out, err := p.host.Append(ctx, a)
		if errors.Is(err, hub.ErrStaleEpoch) {
			continue // somebody was faster: look who
		}
		return acked(out), err
	}
	return ack{}, hub.ErrStaleEpoch
}

func held(room hub.Room) error {
	return hub.Errorf(hub.CodeHeld, "%s is answering.", room.Holder.Name)
}

func (p *Plugin) handback(ctx context.Context, f hub.Frame) (any, error) {
	if err := f.Decode(&struct{}{}); err != nil {
		return nil, err
	}
	a := hub.Append{Room: f.Room.ID, Type: hub.EventHandback, Author: f.Author, ClientID: f.ID, Hash: f.Hash}
	if first, err := p.host.Known(ctx, a); err != nil || first.Again {
		return acked(first), err
	}
	for range tries {
		room, err := p.host.Room(ctx, f.Room.ID)
		if err != nil {
			return nil, err
		}
		switch {
		case room.Held(f.Author):
			return nil, held(room)
		case room.Mode == hub.ModeAI:
			return ack{room.Seq, room.Epoch}, nil // it is the AI's already
		}
		asked, err := p.host.HandingBack(ctx, hub.HandingBack{Room: room})
		if err != nil {
			return nil, err
		}
		if !asked.CanAnswer {
			return nil, hub.Errorf(hub.CodeNoResponder, "Nothing could answer here: the AI is off.")
		}
		a.Epoch = room.Epoch
		out, err := p.host.Append(ctx, a)
		if errors.Is(err, hub.ErrStaleEpoch) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return acked(out), nil
	}
	return nil, hub.ErrStaleEpoch
}

// speaking makes an admin's reply take the room over first, and refuses one in
// a room that somebody else holds. The reply then holds for that epoch only, so
// that it cannot slip in after the next takeover.
func (p *Plugin) speaking(ctx context.Context, e hub.EventAppending) (hub.EventAppending, error) {
	if e.Event.Type != hub.EventMessage || e.Event.Author.Kind != hub.Admin {
		return e, nil
	}
	taken, err := p.take(ctx, hub.Append{Room: e.Room.ID, Type: hub.EventTakeover, Author: e.Event.Author}, 0)
	if err != nil {
		return e, err
	}
	e.Epoch = taken.Epoch
	return e, nil
}
