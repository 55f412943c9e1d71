// Package welcome greets visitors: who has opened the chat and says nothing is
// told, after a while, what the domain's owner wrote for the page they are on.
//
// # Which greeting, and when
//
// A domain has a list of greetings (console page "Welcome"), each with a text,
// the pages it is for, and a delay. Of those that are active, the first whose
// pages the visitor's is among greets, once its delay is over since the visitor
// opened the chat. The page is the one that the visitor is on by then, so a
// site that changes pages without loading them is served as any other.
//
// # The two frames
//
// A script in the widget (folder widget) asks as soon as the chat is open, and
// then whenever it was told to ask again; there is no clock on the server, and
// nothing that a restart or another node would have to know:
//
//	→ {"type":"greeting","id":"…","data":{"page":"/products/kopi","open":0}}
//	← {"type":"ack","id":"…","data":{"after":10}}     ask again in 10 s
//	→ {"type":"greeting","id":"…","data":{"page":"/products/kopi","open":10}}
//	← {"type":"ack","id":"…","data":{}}               nothing more to ask
//	← {"type":"event","data":{"seq":1,"type":"message","author":{"kind":"ai",…},…}}
//
// How long the chat has been open is the script's to say: who lies about it
// greets nobody else. Where no greeting is for the page, after is the next delay
// of any, since the visitor may be on another page then; so a script asks at most
// once a delay. It stops when the chat is closed or somebody speaks, and holds
// while the visitor is writing.
//
// # Once, and never late
//
// The greeting is a message of the AI's, the log's first event or none: it is
// refused where anything was said before, also by whom nobody has heard yet, and
// where a person answers, or nobody. It has one client id a room, so two tabs, or
// a frame that is sent again, greet once.
//
// The assistant answers visitors alone, so a greeting wakes nobody; when the
// visitor replies, it is history like any other words of the AI's. A room in which
// the AI alone has spoken is not listed in the console (see [hub.Room.Last]), and
// forgotten like an empty one.
package welcome

import (
	"context"
	"errors"

	"github.com/bellhub/bellhub/hub"
)

// frame is what the script asks by.
const frame = "greeting"

// author signs greetings. The client id of one is unique with its author, so
// this must never change. Readers see a name in their own language.
var author = hub.Author{Kind: hub.AI, ID: "welcome", Name: "AI assistant"}

// Plugin greets visitors.
type Plugin struct{ host *hub.Host }

var (
	_ hub.Plugin   = (*Plugin)(nil)
	_ hub.Pager    = (*Plugin)(nil)
	_ hub.Scripter = (*Plugin)(nil)
	_ hub.Worded   = (*Plugin)(nil)
)

// New makes the plugin.
func New() *Plugin { return &Plugin{} }

// ID is "welcome".
func (p *Plugin) ID() string { return "welcome" }

// Init takes the frame greeting.
func (p *Plugin) Init(_ context.Context, h *hub.Host) error {
	p.host = h
	h.Handle(frame, hub.From(hub.Visitor), p.greet)
	return nil
}

// question is the data of greeting.
type question struct {
	Page string `json:"page"` // the path of the page that the visitor is on
	Open int    `json:"open"` // for how many seconds the chat has been open
}

// answer acknowledges it.
type answer struct {
	After int `json:"after,omitempty"` // ask again in so many seconds; 0: there is no more to ask
}

// maxAsked bounds the bytes of a question's page. Paths come percent-encoded, at
// up to nine bytes a character.
const maxAsked = 2000

// errSpoken ends the transaction of a greeting that comes too late.
var errSpoken = hub.Errorf(hub.CodeVetoed, "The conversation has begun.")

// greet answers greeting.
func (p *Plugin) greet(ctx context.Context, f hub.Frame) (any, error) {
	var q question
	if err := f.Decode(&q); err != nil {
		return nil, err
	}
	if len(q.Page) > maxAsked {
		return nil, hub.Errorf(hub.CodeBadField, "The field %q is too long.", "page")
	}
	if q.Open < 0 {
		return nil, hub.Errorf(hub.CodeBadField, "The field %q is negative.", "open")
	}
	if f.Room.Seq > 0 || f.Room.Mode != hub.ModeAI {
		return answer{}, nil
	}
	all, err := list(ctx, f.Room.Domain)
	if err != nil {
		return nil, hub.Unavailable(err)
	}
	text, after := choose(all, clean(q.Page), q.Open)
	if text == "" {
		return answer{after}, nil
	}
	_, err = p.host.Append(ctx, hub.Append{
		Room: f.Room.ID, Type: hub.EventMessage, Author: author, Text: text, Epoch: f.Room.Epoch,
		ClientID: frame, Hash: frame, // one a room, whichever greeting
		Within: func(ctx context.Context, a *hub.Append) error {
			room, err := p.host.Room(ctx, a.Room) // the row that this transaction holds
			if err == nil && room.Seq > 0 {
				err = errSpoken
			}
			return err
		},
	})
	if errors.Is(err, errSpoken) || errors.Is(err, hub.ErrStaleEpoch) {
		err = nil // somebody was faster: there is nothing to greet any more
	}
	return answer{}, err
}
