package takeover

import (
	"context"
	"errors"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// Run looks after the rooms of holders whose access was withdrawn, until ctx
// ends.
func (p *Plugin) Run(ctx context.Context) error {
	return storage.Work(ctx, storage.Worker{Kind: storage.JobRelease, Concurrency: 1, Timeout: 30 * time.Second, Do: p.release})
}

// release hands the rooms that a holder cannot enter any more back to the AI,
// or, where that is off, leaves them to whoever comes next.
func (p *Plugin) release(ctx context.Context, t storage.Task) error {
	var holder string
	if err := t.Decode(&holder); err != nil {
		return storage.Permanent(err)
	}
	rooms, err := storage.StrandedRooms(ctx, holder)
	if err != nil {
		return err
	}
	var errs []error
	for _, room := range rooms {
		asked, err := p.host.HandingBack(ctx, hub.HandingBack{Room: room})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		a := hub.Append{Room: room.ID, Type: hub.EventHandback, Author: room.Holder, Epoch: room.Epoch}
		if !asked.CanAnswer {
			a.Type, a.Author = hub.EventTakeover, hub.SystemAuthor
		}
		// Stale: it has changed hands by itself.
		if _, err := p.host.Append(ctx, a); err != nil && !errors.Is(err, hub.ErrStaleEpoch) && !errors.Is(err, hub.ErrGone) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
