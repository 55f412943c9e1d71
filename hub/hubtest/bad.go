package hubtest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// BadKinds are the ways in which [Bad] plugins misbehave: in each of their
// hooks, each time.
//
//   - panics
//   - hangs: does not return before it is released, whatever its context says
//   - scribbles: writes over the memory that it was given, and goes on doing so
//   - spoils: returns what cannot be stored
//   - floods: answers each event with events and frames without end
//   - leaks: starts goroutines that do not end before it is released
var BadKinds = []string{"panics", "hangs", "scribbles", "spoils", "floods", "leaks"}

// Bad is a plugin that misbehaves, to have as a neighbour: with it installed,
// conversations go on. Its hooks have a timeout of their own; 0 is
// [hub.HookTimeout].
type Bad struct {
	id, kind string
	timeout  time.Duration
	host     *hub.Host
	push     func(room string, data any)
	free     chan struct{}
	release  sync.Once
}

// NewBad makes one of a kind.
func NewBad(id, kind string, timeout time.Duration) *Bad {
	if timeout == 0 {
		timeout = hub.HookTimeout
	}
	return &Bad{id: id, kind: kind, timeout: timeout, free: make(chan struct{})}
}

// Release lets what hangs return and what was leaked end.
func (b *Bad) Release() { b.release.Do(func() { close(b.free) }) }

// ID implements [hub.Plugin].
func (b *Bad) ID() string { return b.id }

// Init binds every hook.
func (b *Bad) Init(_ context.Context, h *hub.Host) error {
	b.host = h
	b.push = h.Push(b.id, hub.To(hub.Visitor, hub.Admin))
	o := hub.Timeout(b.timeout)
	h.Hooks.SessionOpening.Bind(h, func(_ context.Context, e hub.SessionOpening) (hub.SessionOpening, error) {
		for i := range e.Domain.Origins {
			b.scribble(func() { e.Domain.Origins[i] = "evil.example" })
		}
		err := b.misbehave(e.Room.ID)
		e.Room, e.Author = hub.Room{}, hub.Author{}
		return e, err
	}, o)
	h.Hooks.EventAppending.Bind(h, func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
		b.scribble(func() { fill(e.Event.Data) })
		for i := range e.Jobs {
			b.scribble(func() { fill(e.Jobs[i].Payload); e.Jobs[i].Kind = "evil" })
		}
		err := b.misbehave(e.Event.Room)
		if b.kind == "spoils" {
			e.Event.Text, e.Event.Data = strings.Repeat("\x00", 100_000), json.RawMessage("{")
			e.Jobs = append(e.Jobs, hub.Job{Payload: json.RawMessage("nonsense")})
		}
		return e, err
	}, o)
	h.Hooks.BellRung.Bind(h, func(_ context.Context, e hub.BellRung) (hub.BellRung, error) {
		err := b.misbehave(e.Room.ID)
		if b.kind == "spoils" {
			e.Message = "\xff"
		}
		return e, err
	}, o)
	h.Hooks.HandingBack.Bind(h, func(_ context.Context, e hub.HandingBack) (hub.HandingBack, error) {
		return e, b.misbehave(e.Room.ID)
	}, o)
	h.Hooks.EventStored.Bind(h, func(ctx context.Context, e hub.EventStored) {
		b.scribble(func() { fill(e.Event.Data) })
		_ = b.misbehave(e.Event.Room)
		b.flood(ctx, e.Event.Room)
	}, o)
	h.Hooks.RoomOpened.Bind(h, func(_ context.Context, e hub.RoomOpened) { _ = b.misbehave(e.Room.ID) }, o)
	h.Hooks.SessionClosed.Bind(h, func(_ context.Context, e hub.SessionClosed) { _ = b.misbehave(e.Room) }, o)
	return nil
}

// misbehave is what all hooks of a kind have in common. The error of what
// scribbles has its result thrown away.
func (b *Bad) misbehave(room string) error {
	switch b.kind {
	case "panics":
		panic("a bad plugin panics")
	case "hangs":
		<-b.free
	case "leaks":
		go func() { <-b.free }()
	case "scribbles":
		return errors.New("a bad plugin fails")
	case "floods":
		for range 1000 {
			b.host.Typing(room, hub.SystemAuthor, true)
			b.push(room, strings.Repeat("x", 20_000)) // too large
			b.push(room, "x")
		}
	}
	return nil
}

// flood answers an event with events, until it is refused.
func (b *Bad) flood(ctx context.Context, room string) {
	if b.kind != "floods" {
		return
	}
	for {
		_, err := b.host.Append(ctx, hub.Append{
			Room: room, Type: hub.EventNotice, Author: hub.SystemAuthor, Data: hub.MarshalData(hub.Progress{State: "evil"}),
		})
		if err != nil {
			return
		}
	}
}

func (b *Bad) scribble(fn func()) {
	if b.kind == "scribbles" {
		fn()
	}
}

func fill(b []byte) {
	for i := range b {
		b[i] = '!'
	}
}
