package assistant

import (
	"testing"

	"github.com/bellhub/bellhub/hub"
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
