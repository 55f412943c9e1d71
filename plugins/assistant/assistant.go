package assistant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// Kind is the kind of the jobs that answer questions.
const Kind = "assistant.turn"

// author signs every answer. The client id of an answer is unique with its
// author, so this must never change. Readers see a name in their own language.
var author = hub.Author{Kind: hub.AI, ID: "assistant", Name: "AI assistant"}

// Options says how visitors are answered.
type Options struct {
	// Responder finds the answers; nil is the built-in one.
	Responder Responder
	// Pace is the time between two frames of a growing answer; 0 is
	// DefaultPace, and a negative one sends each frame at once.
	Pace time.Duration
	// Concurrency is how many questions are answered at a time on this node;
	// 0 is 16.
	Concurrency int
}

// DefaultPace lets people read along, at 20 frames a second.
const DefaultPace = 50 * time.Millisecond

// turnTimeout bounds one attempt at an answer, and answerTimeout the Responder's
// part of it, so that there is time left to say that it failed.
const (
	turnTimeout   = 30 * time.Second
	answerTimeout = 20 * time.Second
)

// Plugin answers visitors.
type Plugin struct {
	opts  Options
	host  *hub.Host
	known *library
	rooms *rooms
}

var (
	_ hub.Plugin = (*Plugin)(nil)
	_ hub.Runner = (*Plugin)(nil)
)

// New makes the plugin.
func New(o Options) *Plugin {
	if o.Responder == nil {
		o.Responder = Quoting{}
	}
	if o.Pace == 0 {
		o.Pace = DefaultPace
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 16
	}
	return &Plugin{opts: o, known: newLibrary(), rooms: newRooms()}
}

// ID is "assistant".
func (p *Plugin) ID() string { return "assistant" }

// Init binds the hooks.
func (p *Plugin) Init(_ context.Context, h *hub.Host) error {
	p.host = h
	h.Hooks.EventAppending.Bind(h, p.appending)
	// Failing open would say that nothing can answer, and be believed.
	h.Hooks.HandingBack.Bind(h, p.handingBack, hub.FailClosed())
	return nil
}

// Run answers questions until ctx ends.
func (p *Plugin) Run(ctx context.Context) error {
	return storage.Work(ctx, storage.Worker{
		Kind: Kind, Concurrency: p.opts.Concurrency, Timeout: turnTimeout, Do: p.do,
	})
}

// appending has a question answered once it is stored. Where a person answers
// there is no job, and that must still be so at commit: a hand-back in between
// would leave the question to nobody. The other way round needs no such care,
// the turn looks again.
func (p *Plugin) appending(ctx context.Context, e hub.EventAppending) (hub.EventAppending, error) {
	if e.Event.Type != hub.EventMessage || e.Event.Author.Kind != hub.Visitor {
		return e, nil
	}
	if e.Room.Mode != hub.ModeAI {
		// With no holder the AI is off, or was when the room was last looked at.
		if on, err := p.switchedOn(ctx, e.Room); err != nil || !on {
			e.Epoch = e.Room.Epoch
			return e, err
		}
	}
	e.Jobs = append(e.Jobs, hub.Job{Kind: Kind, Key: jobKey(e)})
	return e, nil
}

// switchedOn tells whether nobody holds a live room and the domain's AI is on.
func (p *Plugin) switchedOn(ctx context.Context, r hub.Room) (bool, error) {
	if r.Mode != hub.ModeLive || r.Holder.ID != "" {
		return false, nil
	}
	on, err := storage.AIOn(ctx, r.Domain)
	return on, hub.Unavailable(err)
}

// jobKey is the same for the same message sent again. The client id is hashed
// because it may be longer than a key.
func jobKey(e hub.EventAppending) string {
	id := e.ClientID
	if id == "" {
		id = storage.NewID()
	}
	sum := sha256.Sum256([]byte(e.Event.Author.ID + "/" + id))
	return e.Room.ID + "/" + hex.EncodeToString(sum[:])
}

// handingBack answers for the assistant: it takes a room back where the
// domain's AI is on.
func (p *Plugin) handingBack(ctx context.Context, e hub.HandingBack) (hub.HandingBack, error) {
	d, err := storage.DomainByID(ctx, e.Room.Domain)
	if err != nil {
		return e, hub.Unavailable(err)
	}
	e.CanAnswer = e.CanAnswer || d.AI
	return e, nil
}
