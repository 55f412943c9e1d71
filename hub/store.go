package hub

import (
	"context"
	"slices"
)

// Store is what the hub needs to have kept. The storage package implements it
// on SQLite and MySQL, hubtest in memory; one suite holds them to it
// (hubtest.TestStore).
//
// Errors are [Error] values where a client may know the reason; anything else
// is taken for a fault of the store, which a client is told as
// [CodeUnavailable].
type Store interface {
	// DomainByKey finds an active domain by its widget key; ErrNotFound.
	DomainByKey(ctx context.Context, key string) (Domain, error)

	// EnterVisitor makes a visitor and a room (token empty) or finds the
	// token's: the named room, or the visitor's open one, made if need be. It
	// moves the token's expiry, at most daily. ErrExpired for a token that is
	// not valid in d, ErrNotFound for a room that is not the visitor's, ErrGone
	// for one that was closed.
	EnterVisitor(ctx context.Context, d Domain, token, room string) (Entry, error)

	// EnterAdmin lets an admin's session into a room, as a member of its domain
	// or by a link's grant; ErrNotFound where it may not.
	EnterAdmin(ctx context.Context, who Identity, room string) (Access, Room, error)

	// MayWatch is nil where who may see the domain's conversations; ErrNotFound
	// otherwise.
	MayWatch(ctx context.Context, who Identity, domain string) error

	// Touch starts the idle time of an admin's browser session anew.
	Touch(ctx context.Context, session string) error

	// Room reads a room; ErrNotFound.
	Room(ctx context.Context, id string) (Room, error)

	// Events reads a page of a room's log in order of Seq; more tells whether
	// the page ended before the log did, in the direction that p reads.
	Events(ctx context.Context, room string, p Range) (events []Event, more bool, err error)

	// Append adds to a room's log, durably, as [Append] and [Room.Next] say. It
	// answers within half a minute also where ctx has no deadline, as that of a
	// message has none.
	Append(ctx context.Context, a Append) (Appended, error)
}

// Domain is a website, or a part of one, with a widget of its own.
type Domain struct {
	ID      string
	Key     string // the widget key: public, and the domain's reference for people
	Name    string
	Origins []string // host[:port] of the pages that may embed the widget
	AI      bool     // the AI answers
}

// Clone returns a copy that shares no memory with d.
func (d Domain) Clone() Domain {
	d.Origins = slices.Clone(d.Origins)
	return d
}

// Entry is a visitor let in.
type Entry struct {
	Visitor Author
	Room    Room
	Token   string // only when it is new
}

// Range asks for a part of a room's log: after After (ascending from there),
// before Before (the newest below it), or, with both 0 and Newest set, the
// newest. Limit is at most MaxPage.
type Range struct {
	After, Before int64
	Newest        bool
	Limit         int
}

// MaxPage is the most events that one frame brings; the default is
// Centrifugo's for a recovery.
const MaxPage = 300
