// Package escalation is the bell: a visitor calls for a person.
//
// A contact-admin frame becomes, in one transaction, the room's escalation
// event, the escalation's row, a snapshot of the domain's active CC rules, and
// one email with its job for each of them; only then is it acknowledged. From
// there the emails are the mail plugin's. The bell itself needs no mail: with
// nobody to email, or mail down, the call is recorded and says so.
//
// The conversation goes on as it was: nothing is reset, and the AI answers until
// somebody takes the room over. CC rules decide where emails go, never that.
//
// A room has one open escalation. Further bells join it, as events of their own
// and without further emails, until it has been answered (a person took over
// and handed back), until its links have run out, or if it reached nobody.
package escalation

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// Plugin is the bell.
type Plugin struct {
	host    *hub.Host
	rooms   *allowance // bells of a room, opened or joined
	address *hourly    // new escalations of an address
}

var (
	_ hub.Plugin = (*Plugin)(nil)
	_ hub.Runner = (*Plugin)(nil)
	_ hub.Pager  = (*Plugin)(nil)
)

// New makes the plugin.
func New() *Plugin { return &Plugin{rooms: newAllowance()} }

// ID is escalation.
func (p *Plugin) ID() string { return "escalation" }

// Init takes the frame contact-admin and follows what becomes of escalations.
func (p *Plugin) Init(_ context.Context, h *hub.Host) error {
	p.host = h
	p.address = newHourly(h.Limits().BellsPerIPHour)
	h.Handle("contact-admin", hub.From(hub.Visitor), p.bell)
	h.Hooks.EventAppending.Bind(h, p.follow)
	return nil
}

// request is the data of contact-admin.
type request struct {
	Reason string `json:"reason"`
}

// receipt acknowledges a bell. State is queued, or logged where nobody could be
// emailed.
type receipt struct {
	Seq        int64  `json:"seq"`
	Escalation string `json:"escalation"`
	State      string `json:"state"`
}

// bell answers contact-admin.
func (p *Plugin) bell(ctx context.Context, f hub.Frame) (any, error) {
	var r request
	if err := f.Decode(&r); err != nil {
		return nil, err
	}
	reason, err := hub.CleanText(r.Reason, hub.MaxReason, hub.CodeBadReason)
	if err != nil {
		return nil, err
	}
	if wait := p.rooms.wait(f.Room.ID); wait > 0 {
		return nil, &hub.Error{Code: hub.CodeRateLimited, Message: "Too fast.", RetryAfter: wait}
	}
	rung, err := p.host.BellRung(ctx, hub.BellRung{Domain: f.Room.Domain, Room: f.Room, Reason: reason, Lang: f.Lang})
	if err != nil {
		return nil, err
	}
	c := call{reason: reason, reachable: rung.Reachable, message: rung.Message, crowded: p.address.over(f.IP), at: hub.Now()}
	out, err := p.host.Append(ctx, hub.Append{
		Room: f.Room.ID, Type: hub.EventEscalation, Author: f.Author, Text: reason, ClientID: f.ID, Hash: f.Hash,
		Within: func(ctx context.Context, a *hub.Append) error { return p.record(ctx, c, a) },
	})
	if err != nil {
		return nil, err
	}
	var made hub.Progress
	if err := json.Unmarshal(out.Event.Data, &made); err != nil {
		return nil, err
	}
	if !out.Again && !made.Again {
		p.address.note(f.IP)
	}
	state := hub.StateQueued
	if made.State == hub.StateLogged {
		state = hub.StateLogged
	}
	return receipt{out.Event.Seq, made.Escalation, state}, nil
}

// call is one press of the bell.
type call struct {
	reason    string
	reachable bool   // emails can leave
	message   string // a plugin's wording of the confirmation
	crowded   bool   // the visitor's address has made too many
	at        time.Time
}

// record writes a call, in the transaction that appends its event: it joins the
// room's open escalation or opens one.
func (p *Plugin) record(ctx context.Context, c call, a *hub.Append) error {
	room, err := p.host.Room(ctx, a.Room) // the row that this transaction holds
	if err != nil {
		return err
	}
	made := hub.Progress{State: hub.StateLogged}
	open, err := openEscalation(ctx, room, c.at.Add(-p.host.Limits().LinkTTL)) // no longer than the emails' links
	switch {
	case err != nil:
		return err
	case open != "":
		made.Escalation, made.State, made.Again = open, room.Escalation.State, true
	default:
		var jobs []hub.Job
		made.Escalation, jobs, made.Limited, err = p.open(ctx, room, c)
		if err != nil {
			return err
		}
		a.Jobs = append(a.Jobs, jobs...)
		if len(jobs) > 0 && c.reachable {
			made.State = hub.StateQueued
		}
	}
	if !made.Limited { // the plugin that worded it took the call for one that is passed on
		made.Message = c.message
	}
	a.Data = hub.MarshalData(made)
	return addReason(ctx, reason{EscalationID: made.Escalation, DomainID: room.Domain, Reason: c.reason, CreatedAt: c.at})
}

// open makes an escalation with its recipients, and their emails. limited tells
// that there have been too many: it is recorded, and nobody is alerted.
func (p *Plugin) open(ctx context.Context, room hub.Room, c call) (id string, jobs []hub.Job, limited bool, err error) {
	recent, err := countSince(ctx, room, c.at.Add(-time.Hour))
	if err != nil {
		return "", nil, false, err
	}
	most := p.host.Limits().BellsPerRoomHour
	limited = c.crowded || most > 0 && recent >= most
	var rules []storage.CCRule
	if !limited {
		if rules, err = storage.ActiveRules(ctx, room.Domain); err != nil {
			return "", nil, false, err
		}
	}
	state := hub.StateLogged
	if c.reachable && len(rules) > 0 {
		state = hub.StateQueued
	}
	e := escalation{ID: storage.NewID(), DomainID: room.Domain, RoomID: room.ID, State: state, Limited: limited, CreatedAt: c.at}
	if err := addEscalation(ctx, e, rules); err != nil {
		return "", nil, false, err
	}
	emails, err := p.emails(ctx, room, e, rules, c)
	if err != nil {
		return "", nil, false, err
	}
	jobs, err = storage.AddEmails(ctx, emails...)
	return e.ID, jobs, limited, err
}

// emails makes one email a recipient, with the facts as of now.
func (p *Plugin) emails(ctx context.Context, room hub.Room, e escalation, rules []storage.CCRule, c call) ([]storage.Email, error) {
	if len(rules) == 0 {
		return nil, nil
	}
	domain, err := storage.DomainByID(ctx, room.Domain)
	if err != nil {
		return nil, err
	}
	state := storage.EmailQueued
	if !c.reachable {
		state = storage.EmailHeld
	}
	facts := string(hub.MarshalData(storage.Bell{
		Domain: domain.Name, DomainKey: domain.Key, TimeZone: domain.TimeZone, Room: room.Ref, Reason: c.reason, At: c.at,
	}))
	emails := make([]storage.Email, len(rules))
	for i, r := range rules {
		emails[i] = storage.Email{
			DomainID: room.Domain, RoomID: room.ID, EscalationID: e.ID, RuleID: r.ID,
			Kind: storage.EmailBell, Recipient: r.Email, Label: r.Label, Data: facts, State: state,
		}
	}
	return emails, nil
}

// jobProgress is the kind of the jobs that bring an escalation's row in line
// with its room's log.
const jobProgress = "escalation.progress"

// follow adds such a job to every event that may move an escalation on. The
// room's own state moves with the event itself.
func (p *Plugin) follow(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
	moves := slices.Contains([]hub.EventType{hub.EventTakeover, hub.EventHandback, hub.EventNotice}, e.Event.Type) ||
		e.Event.Author.Kind == hub.Admin && storage.Waiting(e.Room.Escalation.State)
	if moves && e.Room.Escalation.Escalation != "" {
		e.Jobs = append(e.Jobs, hub.Job{
			Kind: jobProgress, Key: storage.NewID(), Payload: hub.MarshalData(e.Room.Escalation.Escalation),
		})
	}
	return e, nil
}

// Run brings escalations in line until ctx ends.
func (p *Plugin) Run(ctx context.Context) error {
	return storage.Work(ctx, storage.Worker{Kind: jobProgress, Concurrency: 1, Timeout: 10 * time.Second, Do: p.progress})
}

func (p *Plugin) progress(ctx context.Context, t storage.Task) error {
	var id string
	if err := t.Decode(&id); err != nil {
		return storage.Permanent(err)
	}
	room, err := p.host.Room(ctx, t.Room)
	if errors.Is(err, hub.ErrNotFound) {
		return nil
	}
	if err != nil || room.Escalation.Escalation != id {
		return err // a newer escalation has jobs of its own
	}
	return setState(ctx, room.Domain, id, room.Escalation.State, room.Holder.Name)
}
