package faults

import (
	"fmt"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// History is what happened in one run: what the members of each room sent, were
// told and were shown, and what the database held at the end.
type History struct {
	Rooms []Room
	// Recipients is how many people a bell is emailed to.
	Recipients int
	// DatabaseFailed tells that the database went away during the run: a
	// message may then have been refused while the one behind it was stored.
	DatabaseFailed bool
}

// Room is one conversation. Log and Calls are the database's.
type Room struct {
	ID      string
	Log     []Event
	Calls   []Call
	Members []Member
}

// Event is an event of the log, as the database has it or as a member was shown
// it.
type Event struct {
	Seq      int64
	Type     hub.EventType
	Author   hub.Author
	Text     string
	Data     string // JSON, or empty
	At       string // as hub.Stamp writes it
	ClientID string // empty where there is none, and in what members are shown
}

// Call is an escalation, with the emails that were made for it.
type Call struct {
	ID      string
	Limited bool // too many: nobody is emailed
	Reasons []string
	Emails  []Email
}

// Email is one email of a call, and how many jobs are there to send it.
type Email struct {
	ID        string
	Recipient string
	Jobs      int
}

// Member is one client: a visitor's tab or an admin's page.
type Member struct {
	Name   string
	Author hub.Author
	Sends  []*Send // in the order sent
	// Views are what was on its screen: one for each time that it loaded the
	// room, the last one whole.
	Views [][]Event
	// Connections are what came over each connection, before the member put it
	// in order.
	Connections []Connection
	Trace       []Entry
}

// Send is a frame that must get through, a message or a bell.
type Send struct {
	ID      string
	Type    string // message or contact-admin
	Text    string // or the reason
	Acks    []Ack
	Sent    int    // how often it went out
	Refused int    // how often it was answered by an error that permits another try
	Lost    int    // how often its connection ended before an answer
	Final   string // the error that refused it for good, or empty
}

// Ack is an acknowledgement. Escalation and State are a bell's.
type Ack struct {
	Seq        int64
	At         string
	Escalation string
	State      string
}

// Connection is the numbers of the events that came over one, in the order they
// came: those of the welcome, then those that followed. Pages that the member
// asked for are no part of it.
type Connection struct {
	After   int64 // what the member had already, or -1 where it asked for the newest page
	Welcome []int64
	More    bool // the welcome left out newer events: the member has to ask for them
	Live    []int64
}

// Entry is a line of what a member did and saw, for people to read.
type Entry struct {
	At   time.Duration // since the run began
	What string
	ID   string // of the frame, or empty
	Seq  int64  // of the event, or 0
}

func (e Entry) String() string {
	s := fmt.Sprintf("%9.3fs %s", e.At.Seconds(), e.What)
	if e.ID != "" {
		s += " " + e.ID
	}
	if e.Seq != 0 {
		s += fmt.Sprintf(" (event %d)", e.Seq)
	}
	return s
}
