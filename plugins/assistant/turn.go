package assistant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// attempts is how often an answer is tried: by the jobs' schedule, three take
// less than a minute. Nobody waits longer in front of a chat.
const attempts = 3

// historyLength is how many events before the question a Responder may see.
const historyLength = 20

// do answers one question, or says at last that it cannot.
func (p *Plugin) do(ctx context.Context, t storage.Task) error {
	leave, err := p.await(ctx, t)
	if err == nil {
		defer leave()
		err = p.answer(ctx, t)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, hub.ErrStaleEpoch), errors.Is(err, hub.ErrGone), errors.Is(err, hub.ErrNotFound):
		return nil // a person took over, or there is no room to answer in
	case t.Attempt < attempts && !t.Last && !errors.Is(err, ErrFinal):
		return err
	}
	return p.giveUp(ctx, t, err)
}

// giveUp puts a notice in the answer's place, unless a person is there by now.
func (p *Plugin) giveUp(ctx context.Context, t storage.Task, cause error) error {
	ctx = context.WithoutCancel(ctx) // cause may be that the time is over; the store has its own limit
	room, err := p.host.Room(ctx, t.Room)
	if err == nil && room.Mode == hub.ModeAI {
		_, err = p.host.Append(ctx, hub.Append{
			Room: t.Room, Type: hub.EventNotice, Author: hub.SystemAuthor, Epoch: room.Epoch,
			Data:     hub.MarshalData(hub.Progress{State: hub.StateAIFailed}),
			ClientID: "failed:" + strconv.FormatInt(t.Seq, 10), Hash: Kind,
		})
	}
	var public *hub.Error
	if err != nil && (!errors.As(err, &public) || public.Retryable()) {
		return errors.Join(cause, err) // once more, notice and all
	}
	return storage.Permanent(cause)
}

// answer is one attempt at a turn.
func (p *Plugin) answer(ctx context.Context, t storage.Task) error {
	// The room first: what changes hands after this is refused by its epoch.
	room, err := p.host.Room(ctx, t.Room)
	if err != nil || room.Held(author) {
		return err
	}
	d, err := storage.DomainByID(ctx, room.Domain)
	if err != nil {
		return err
	}
	if d.AI && room.Mode == hub.ModeLive { // switched on again since
		out, err := p.host.Append(ctx, hub.Append{Room: room.ID, Type: hub.EventHandback, Author: hub.SystemAuthor, Epoch: room.Epoch})
		if err != nil {
			return err
		}
		room = out.Room
	}
	if !d.AI && room.Mode == hub.ModeLive {
		return nil
	}
	if !d.AI { // switched off while the visitor was there, who learns it now
		_, err := p.host.Append(ctx, hub.Append{Room: room.ID, Type: hub.EventTakeover, Author: hub.SystemAuthor, Epoch: room.Epoch})
		return err
	}
	question, open, err := p.question(ctx, t)
	if err != nil || !open {
		return err
	}
	p.host.Typing(room.ID, author, true)
	defer p.host.Typing(room.ID, author, false)
	q, err := p.prepare(ctx, d, question)
	if err != nil {
		return err
	}
	turn := turnID(t)
	text, err := p.ask(ctx, q, room, turn)
	if err != nil {
		return err
	}
	_, err = p.host.Append(ctx, hub.Append{
		Room: room.ID, Type: hub.EventMessage, Author: author, Text: text, Epoch: room.Epoch,
		Data:     hub.MarshalData(turnData{turn}),
		ClientID: "turn:" + strconv.FormatInt(t.Seq, 10), Hash: Kind,
	})
	return err
}

// ask streams the answer into the room and returns the whole of it.
func (p *Plugin) ask(ctx context.Context, q Question, room hub.Room, turn string) (text string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	defer func() { // a Responder's fault is a failed answer like any other
		if v := recover(); v != nil {
			p.host.Log.Error("the responder panicked", "room", room.ID, "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("assistant: the responder panicked: %v", v)
		}
	}()
	hurry := func() bool { return p.rooms.crowded(room.ID) }
	return grow(ctx, p.opts.Responder.Answer(ctx, q), p.opts.Pace, hurry, func(added string) {
		p.host.Stream(room.ID, turn, room.Epoch, added)
	})
}

// question reads the question, and whether it is still open: not answered, and
// no person has come or gone since it was asked.
func (p *Plugin) question(ctx context.Context, t storage.Task) (q hub.Event, open bool, err error) {
	for after, more := t.Seq-1, true; more; {
		var page []hub.Event
		page, more, err = p.host.Events(ctx, t.Room, hub.Range{After: after, Limit: hub.MaxPage})
		if err != nil || len(page) == 0 {
			break
		}
		for _, e := range page {
			switch {
			case e.Seq == t.Seq:
				q, open = e, e.Author.Kind == hub.Visitor
			case e.Type == hub.EventHandback && e.Author.Kind == hub.System: // the AI was switched on
			case e.Type == hub.EventTakeover, e.Type == hub.EventHandback, e.Author.Kind == hub.AI && answers(e, t.Seq):
				return q, false, nil
			}
		}
		after = page[len(page)-1].Seq
	}
	return q, open, err
}

// prepare gathers what a Responder is given.
func (p *Plugin) prepare(ctx context.Context, d storage.Domain, e hub.Event) (Question, error) {
	before, _, err := p.host.Events(ctx, e.Room, hub.Range{Before: e.Seq, Limit: historyLength})
	if err != nil {
		return Question{}, err
	}
	q := Question{Domain: d.Name, Text: e.Text}
	for _, b := range before {
		if b.Type == hub.EventMessage {
			q.History = append(q.History, Turn{b.Author.Kind, b.Text})
		}
	}
	index, err := p.known.of(ctx, d.ID)
	if err != nil {
		return Question{}, err
	}
	index.consult(&q)
	return q, nil
}

// turnData is the Data of an answer, by which clients know what it grew from.
type turnData struct {
	Turn string `json:"turn"`
}

// turnID names a turn by its question. A later attempt has a name of its own,
// so that clients start its text anew.
func turnID(t storage.Task) string {
	id := "t" + strconv.FormatInt(t.Seq, 10)
	if t.Attempt > 1 {
		id += "." + strconv.Itoa(t.Attempt)
	}
	return id
}

// answers tells whether e is the answer to the question seq.
func answers(e hub.Event, seq int64) bool {
	var d turnData
	if json.Unmarshal(e.Data, &d) != nil {
		return false
	}
	id, _, _ := strings.Cut(d.Turn, ".")
	return id == "t"+strconv.FormatInt(seq, 10)
}
