package assistant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/spec/spectest"
	"github.com/bellhub/bellhub/storage"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// probe gives a test the host of a plugin, and tells it of every event.
type probe struct {
	host   *hub.Host
	stored chan hub.EventStored
}

func (p *probe) ID() string { return "probe" }

func (p *probe) Init(_ context.Context, h *hub.Host) error {
	p.host = h
	h.Hooks.EventStored.Bind(h, func(_ context.Context, e hub.EventStored) { p.stored <- e })
	return nil
}

// responder answers as a test says.
type responder func(ctx context.Context, q Question) iter.Seq2[string, error]

func (r responder) Answer(ctx context.Context, q Question) iter.Seq2[string, error] { return r(ctx, q) }

// saying yields the pieces of an answer, then err if any.
func saying(err error, pieces ...string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, p := range pieces {
			if !yield(p, nil) {
				return
			}
		}
		if err != nil {
			yield("", err)
		}
	}
}

// fixture is a hub with a domain, its visitor and the assistant.
type fixture struct {
	ctx     context.Context
	plugin  *Plugin
	probe   *probe
	domain  storage.Domain
	visitor *hubtest.Client
}

func start(t *testing.T, r Responder) *fixture {
	t.Helper()
	f := newFixture(t, r)
	f.run(t, f.plugin, f.probe)
	return f
}

// idle is a plugin whose Runner the test does not run.
type idle struct{ *Plugin }

func (idle) Run(context.Context) error { return nil }

func newFixture(t *testing.T, r Responder) *fixture {
	t.Helper()
	ctx, _ := hubtest.SQLite(t)
	d, err := storage.AddDomain(ctx, storage.Domain{Key: "shop", Name: "Shop", AI: true})
	if err != nil {
		t.Fatal(err)
	}
	err = storage.AddKnowledge(ctx, d.ID, storage.Knowledge{Title: "Shipping", Text: "We ship to Oslo in four days."})
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{
		ctx: ctx, domain: d,
		plugin: New(Options{Responder: r, Pace: -1}),
		probe:  &probe{stored: make(chan hub.EventStored, 100)},
	}
}

func (f *fixture) run(t *testing.T, plugins ...hub.Plugin) {
	t.Helper()
	k := hubtest.Start(t, hubtest.Options{Ctx: f.ctx, Store: storage.From(f.ctx), Check: spectest.Open(t).Check}, plugins...)
	f.visitor = k.Visitor(t, "shop")
}

// task is the job of the question seq.
func (f *fixture) task(seq int64) storage.Task {
	return storage.Task{Room: f.visitor.Room, Seq: seq, Attempt: 1}
}

// log is the room's log, an event a line.
func (f *fixture) log(t *testing.T) []string {
	t.Helper()
	events, _, err := f.probe.host.Events(f.ctx, f.visitor.Room, hub.Range{})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range events {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Author.Kind, e.Type, e.Text)))
	}
	return lines
}

func (f *fixture) wantLog(t *testing.T, want ...string) {
	t.Helper()
	if got := f.log(t); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the log is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// change has a person take the room over, or hand it back.
func (f *fixture) change(t *testing.T, what hub.EventType, epoch int64) {
	t.Helper()
	_, err := f.probe.host.Append(f.ctx, hub.Append{
		Room: f.visitor.Room, Type: what, Author: hub.Author{Kind: hub.Admin, ID: "ana", Name: "Ana"}, Epoch: epoch,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) ask(id, text string) {
	f.visitor.Send("message", id, map[string]any{"text": text})
	f.visitor.Want("ack")
}

// answered waits for the next message of the AI.
func (f *fixture) answered() hubtest.Frame {
	for {
		if e := f.visitor.WantEvent(hub.EventMessage); e.Get("author.kind") == "ai" {
			return e
		}
	}
}

func TestAnswerStreamsAndIsStored(t *testing.T) {
	f := start(t, nil)
	f.ask("1", "Do you ship to Oslo?")
	typing := f.visitor.Want("typing", "stream")
	if typing.Type != "typing" || typing.Get("on") != true {
		t.Errorf("the first sign of an answer is %s %s", typing.Type, typing.Data)
	}
	var grown strings.Builder
	for {
		frame := f.visitor.Want("stream", "event")
		if frame.Type == "stream" {
			if frame.Get("turn") != "t1" || frame.Get("epoch") != 1.0 {
				t.Fatalf("a stream frame says %s", frame.Data)
			}
			grown.WriteString(frame.Get("text").(string))
			continue
		}
		if frame.Get("author.kind") != "ai" {
			continue
		}
		const want = "We ship to Oslo in four days.\n\nFrom *Shipping*"
		if got := frame.Get("text"); got != want || got != grown.String() {
			t.Errorf("the answer is %q, streamed as %q, want %q", got, grown.String(), want)
		}
		if got := frame.Get("data.turn"); got != "t1" {
			t.Errorf("the answer's turn is %v", got)
		}
		break
	}
	if off := f.visitor.Want("typing"); off.Get("on") != false {
		t.Errorf("after the answer: %s", off.Data)
	}
}

func TestTurnIsIdempotent(t *testing.T) {
	calls := 0
	f := newFixture(t, responder(func(context.Context, Question) iter.Seq2[string, error] {
		calls++
		return saying(nil, "Yes.")
	}))
	f.run(t, idle{f.plugin}, f.probe)
	f.ask("1", "Hello?")
	for range 3 { // as after a crash between doing and saying so
		if err := f.plugin.answer(f.ctx, f.task(1)); err != nil {
			t.Fatal(err)
		}
	}
	f.wantLog(t, "visitor message Hello?", "ai message Yes.")
	if calls != 1 {
		t.Errorf("the responder was asked %d times", calls)
	}
	// Two attempts at once, both past the look at the log.
	room, _ := f.probe.host.Room(f.ctx, f.visitor.Room)
	again, err := f.probe.host.Append(f.ctx, hub.Append{
		Room: room.ID, Type: hub.EventMessage, Author: author, Text: "Another wording.", Epoch: room.Epoch, ClientID: "turn:1", Hash: Kind,
	})
	if err != nil || !again.Again {
		t.Errorf("a second answer was stored: %v, %v", again, err)
	}
}

func TestTakeoverEndsATurn(t *testing.T) {
	asked, on := make(chan struct{}), make(chan struct{})
	f := start(t, responder(func(context.Context, Question) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			close(asked)
			<-on
			yield("Too late.", nil)
		}
	}))
	f.ask("1", "Hello?")
	<-asked
	f.change(t, hub.EventTakeover, 1)
	close(on)
	for f.visitor.Want("typing").Get("on") == true { // off: the turn is over
	}
	for _, frame := range f.visitor.Drain() {
		if frame.Type == "stream" {
			t.Errorf("a stream frame after the takeover: %s", frame.Data)
		}
	}
	f.wantLog(t, "visitor message Hello?", "admin takeover")
	if err := f.plugin.do(f.ctx, f.task(1)); err != nil {
		t.Errorf("another attempt: %v", err)
	}
}

func TestAPersonsQuestionsAreTheirs(t *testing.T) {
	f := newFixture(t, responder(func(context.Context, Question) iter.Seq2[string, error] { return saying(nil, "Me!") }))
	f.run(t, idle{f.plugin}, f.probe)
	f.ask("1", "Before")
	f.change(t, hub.EventTakeover, 1)
	f.ask("2", "Meanwhile")
	f.change(t, hub.EventHandback, 2)
	f.ask("3", "After")
	for _, seq := range []int64{1, 3, 5} {
		if err := f.plugin.answer(f.ctx, f.task(seq)); err != nil {
			t.Fatal(err)
		}
	}
	f.wantLog(t, "visitor message Before", "admin takeover", "visitor message Meanwhile", "admin handback",
		"visitor message After", "ai message Me!")
}

func TestNoJobForWhatIsNotAQuestion(t *testing.T) {
	p := New(Options{})
	for name, e := range map[string]hub.EventAppending{
		"live":       {Room: hub.Room{Mode: hub.ModeLive, Holder: hub.Author{Kind: hub.Admin, ID: "ana"}}, Event: hub.Event{Type: hub.EventMessage, Author: hub.Author{Kind: hub.Visitor}}},
		"an answer":  {Room: hub.Room{Mode: hub.ModeAI}, Event: hub.Event{Type: hub.EventMessage, Author: author}},
		"an admin's": {Room: hub.Room{Mode: hub.ModeAI}, Event: hub.Event{Type: hub.EventMessage, Author: hub.Author{Kind: hub.Admin}}},
		"the bell":   {Room: hub.Room{Mode: hub.ModeAI}, Event: hub.Event{Type: hub.EventEscalation, Author: hub.Author{Kind: hub.Visitor}}},
	} {
		if out, err := p.appending(t.Context(), e); err != nil || len(out.Jobs) != 0 {
			t.Errorf("%s: %v, %v", name, out.Jobs, err)
		}
	}
	live := hub.EventAppending{Room: hub.Room{Mode: hub.ModeLive, Epoch: 7, Holder: hub.Author{Kind: hub.Admin, ID: "ana"}}, Event: hub.Event{Type: hub.EventMessage, Author: hub.Author{Kind: hub.Visitor}}}
	if out, err := p.appending(t.Context(), live); err != nil || out.Epoch != 7 {
		t.Errorf("a room may be handed back unseen: epoch %d, %v", out.Epoch, err)
	}
	q := hub.EventAppending{
		Room:     hub.Room{ID: strings.Repeat("r", 36), Mode: hub.ModeAI},
		Event:    hub.Event{Type: hub.EventMessage, Author: hub.Author{Kind: hub.Visitor, ID: "v"}},
		ClientID: strings.Repeat("c", 64),
	}
	first, _ := p.appending(t.Context(), q)
	again, _ := p.appending(t.Context(), q)
	if len(first.Jobs) != 1 || first.Jobs[0].Key != again.Jobs[0].Key || len(first.Jobs[0].Key) > 190 {
		t.Errorf("a question's jobs: %v, %v", first.Jobs, again.Jobs)
	}
}

func TestQuestionsAreAnsweredInOrder(t *testing.T) {
	f := start(t, responder(func(_ context.Context, q Question) iter.Seq2[string, error] {
		return saying(nil, "To ", q.Text)
	}))
	const n = 8
	var want []string
	for i := range n {
		f.visitor.Send("message", fmt.Sprint(i), map[string]any{"text": fmt.Sprint("question ", i)})
		want = append(want, fmt.Sprint("To question ", i))
	}
	for _, w := range want {
		if got := f.answered().Get("text"); got != w {
			t.Fatalf("the next answer is %q, want %q", got, w)
		}
	}
}

func TestFailureIsTold(t *testing.T) {
	broken := errors.New("the model is away")
	for name, c := range map[string]struct {
		answer  iter.Seq2[string, error]
		attempt int
		want    string // "" or the notice's state
	}{
		"the first failure is tried again": {saying(broken, "Half an ans"), 1, ""},
		"the last one is told":             {saying(broken, "Half an ans"), attempts, hub.StateAIFailed},
		"so is one for good":               {saying(fmt.Errorf("refused: %w", ErrFinal)), 1, hub.StateAIFailed},
		"and an empty answer":              {saying(nil, "", " "), attempts, hub.StateAIFailed},
		"and a panic":                      {func(func(string, error) bool) { panic("boom") }, attempts, hub.StateAIFailed},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, responder(func(context.Context, Question) iter.Seq2[string, error] { return c.answer }))
			f.run(t, idle{f.plugin}, f.probe)
			f.ask("1", "Hello?")
			task := f.task(1)
			task.Attempt = c.attempt
			for range 2 { // the notice, too, comes once
				if err := f.plugin.do(f.ctx, task); err == nil {
					t.Error("the failure was swallowed")
				}
			}
			events, _, err := f.probe.host.Events(f.ctx, f.visitor.Room, hub.Range{After: 1})
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				if len(events) != 0 {
					t.Errorf("events after a first failure: %v", events)
				}
				return
			}
			var p hub.Progress
			if len(events) != 1 || json.Unmarshal(events[0].Data, &p) != nil || p.State != c.want || events[0].Type != hub.EventNotice {
				t.Errorf("events after the failure: %v", events)
			}
		})
	}
}

func TestNoNoticeWhereAPersonIs(t *testing.T) {
	f := newFixture(t, nil)
	f.run(t, idle{f.plugin}, f.probe)
	f.ask("1", "Hello?")
	f.change(t, hub.EventTakeover, 1)
	if err := f.plugin.giveUp(f.ctx, f.task(1), errors.New("late")); err == nil {
		t.Error("the job was not given up")
	}
	f.wantLog(t, "visitor message Hello?", "admin takeover")
}

func TestDomainWithoutAI(t *testing.T) {
	f := newFixture(t, nil)
	f.run(t, idle{f.plugin}, f.probe)
	f.ask("1", "Do you ship to Oslo?")
	room := hub.Room{Domain: f.domain.ID}
	for _, on := range []bool{true, false} {
		f.domain.AI = on
		if err := storage.UpdateDomain(f.ctx, f.domain, nil); err != nil {
			t.Fatal(err)
		}
		if e, err := f.probe.host.HandingBack(f.ctx, hub.HandingBack{Room: room}); err != nil || e.CanAnswer != on {
			t.Errorf("with AI %v: HandingBack says %v, %v", on, e.CanAnswer, err)
		}
	}
	if err := f.plugin.answer(f.ctx, f.task(1)); err != nil {
		t.Fatal(err)
	}
	// Switched off while the visitor was there, who is told by the room.
	f.wantLog(t, "visitor message Do you ship to Oslo?", "system takeover")
	if room, err := f.probe.host.Room(f.ctx, f.visitor.Room); err != nil || room.Mode != hub.ModeLive || room.Holder.ID != "" {
		t.Errorf("the room: %+v, %v", room, err)
	}
}

func TestLaterAttemptIsAnotherTurn(t *testing.T) {
	if got := turnID(storage.Task{Seq: 7, Attempt: 1}); got != "t7" {
		t.Errorf("turnID = %s", got)
	}
	second := turnID(storage.Task{Seq: 7, Attempt: 2})
	e := hub.Event{Data: hub.MarshalData(turnData{second})}
	if second == "t7" || !answers(e, 7) || answers(e, 2) || answers(e, 72) {
		t.Errorf("turn %s", second)
	}
}
