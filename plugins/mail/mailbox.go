package mail

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// mailboxSize is how many emails the development mailbox keeps.
const mailboxSize = 200

// mailbox is the development receiver: it keeps messages as a recipient would,
// link and all, in memory and no longer than the process runs.
type mailbox struct {
	mu      sync.Mutex
	letters []letter // the oldest first
}

// letter is a message that arrived.
type letter struct {
	Message
	At time.Time
}

var _ Sender = (*mailbox)(nil)

// Send implements [Sender]. A second attempt takes the first one's place.
func (b *mailbox) Send(_ context.Context, m Message) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.letters = slices.DeleteFunc(b.letters, func(l letter) bool { return l.ID == m.ID })
	b.letters = append(b.letters, letter{m, hub.Now()})
	if over := len(b.letters) - mailboxSize; over > 0 {
		b.letters = slices.Delete(b.letters, 0, over)
	}
	return "mailbox", nil
}

// list returns what arrived, the newest first.
func (b *mailbox) list() []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := slices.Clone(b.letters)
	slices.Reverse(all)
	return all
}

func (b *mailbox) find(id string) (letter, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.letters, func(l letter) bool { return l.ID == id })
	if i < 0 {
		return letter{}, false
	}
	return b.letters[i], true
}
