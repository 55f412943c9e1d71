package assistant

import (
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

// A visitor who stays while the owner switches the AI off and on again.
func TestTheAIIsSwitchedOffAndOn(t *testing.T) {
	f := newFixture(t, nil)
	f.run(t, f.plugin, f.probe)
	turn := func(on bool) {
		f.domain.AI = on
		if err := storage.UpdateDomain(f.ctx, f.domain, nil); err != nil {
			t.Fatal(err)
		}
	}
	turn(false)
	f.ask("1", "Do you ship to Oslo?")
	f.visitor.WantEvent(hub.EventTakeover)
	f.ask("2", "Anybody?") // nobody: recorded, and that is all
	turn(true)
	f.ask("3", "Do you ship to Oslo?")
	if e := f.visitor.WantEvent(hub.EventHandback); e.Get("author.kind") != "system" {
		t.Errorf("the AI is back by %s", e.Data)
	}
	f.answered()
}

// While the database is away nothing is stored without its answer being seen to:
// what the assistant cannot look up is refused, and does not make the hub take
// the assistant for broken and store questions without it.
func TestTheDatabaseGoesAway(t *testing.T) {
	ctx, s := hubtest.SQLite(t)
	k := hubtest.Start(t, hubtest.Options{Ctx: ctx, Limits: &hub.Limits{}}, idle{New(Options{})})
	k.AddDomain(t, hub.Domain{Key: "off"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	off := k.Visitor(t, "off")
	for range 5 {
		off.Send("message", "1", map[string]any{"text": "Anybody?"})
		off.WantError(hub.CodeUnavailable)
	}
	on := k.Visitor(t)
	on.Send("message", "1", map[string]any{"text": "Do you ship to Oslo?"})
	on.Want("ack")
	if jobs := k.Memory.Jobs(); len(jobs) != 1 {
		t.Errorf("a question was stored with %d jobs to answer it", len(jobs))
	}
}
