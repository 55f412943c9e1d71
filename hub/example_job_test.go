package hub_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

// ledger has something to do for every message, which must not be lost.
type ledger struct{ done chan string }

func (ledger) ID() string { return "ledger" }

func (p ledger) Init(_ context.Context, h *hub.Host) error {
	h.Hooks.EventAppending.Bind(h, func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
		if e.Event.Type == hub.EventMessage {
			e.Jobs = append(e.Jobs, hub.Job{
				Kind: "ledger.entry", Key: e.Room.ID + " " + e.ClientID, Payload: hub.MarshalData(e.Event.Text),
			})
		}
		return e, nil
	})
	return nil
}

// Run does the jobs, on whichever node claims them.
func (p ledger) Run(ctx context.Context) error {
	return storage.Work(ctx, storage.Worker{Kind: "ledger.entry", Concurrency: 1, Timeout: time.Second, Do: p.enter})
}

// enter may be called twice for one job, and fails it until it succeeds.
func (p ledger) enter(_ context.Context, t storage.Task) error {
	var text string
	if err := t.Decode(&text); err != nil {
		return storage.Permanent(err)
	}
	p.done <- fmt.Sprintf("entry %d: %s", t.Seq, text)
	return nil
}

// A job is committed with the event that it belongs to, or not at all, and is
// done after the commit, again if need be, also by another node.
func Example_job() {
	hubtest.Outside(func(t testing.TB) {
		plugin := ledger{done: make(chan string)}
		k := hubtest.Start(t, hubtest.Options{Database: hubtest.SQLite}, plugin)

		k.Visitor(t).Say("Two bags, please.")
		fmt.Println(<-plugin.done)
	})
	// Output: entry 1: Two bags, please.
}
