package webhooks

import (
	"context"
	"sync"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// troubles are the decision endpoints that gave no answer, on their way to where
// their owners read of it: one a minute and domain. A message does not wait for
// that to be written, and what is too much is dropped: there will be more.
type troubles struct {
	found chan trouble

	mu   sync.Mutex
	told map[string]time.Time // by domain; those of the last minute
}

type trouble struct {
	domain, outcome string
	at              time.Time
}

// troubleEvery is how often an owner's page is told.
const troubleEvery = time.Minute

func newTroubles() *troubles {
	return &troubles{found: make(chan trouble, 64), told: map[string]time.Time{}}
}

// note passes on that a domain's endpoint gave no answer.
func (t *troubles) note(domain, outcome string) {
	now := hub.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.told[domain]) < troubleEvery {
		return
	}
	select {
	case t.found <- trouble{domain, outcome, now}:
	default:
		return
	}
	for other, at := range t.told {
		if now.Sub(at) >= troubleEvery {
			delete(t.told, other)
		}
	}
	t.told[domain] = now
}

// forget has the next trouble told at once: the owner has changed something.
func (t *troubles) forget(domain string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.told, domain)
}

// write puts one where the page finds it.
func (t trouble) write(ctx context.Context) error {
	return changeDecider(ctx, t.domain, map[string]any{"failed_at": t.at, "failed_by": t.outcome})
}
