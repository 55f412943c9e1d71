package hub

import "sync"

// Backplane carries signals from the node where something happened to every
// node, that one included. It may lose, double or reorder them: the log is the
// truth, and a room that sees a gap reads it.
type Backplane interface {
	// Publish sends a signal; it does not wait for it to arrive.
	Publish(Signal)
	// Subscribe names the one function that gets every signal. It is called
	// before the first Publish, and may be called concurrently.
	Subscribe(func(Signal))
	// Close ends delivery. Afterwards Publish does nothing.
	Close()
}

// Signal is what nodes tell each other. One of the pointers is set. All of it
// is data, so that it can cross a network.
type Signal struct {
	Room   string      `json:"room,omitempty"`
	Event  *Stored     `json:"event,omitempty"`
	Stream *Stream     `json:"stream,omitempty"`
	Typing *Typing     `json:"typing,omitempty"`
	Pushed *Pushed     `json:"pushed,omitempty"`
	Revoke *Revocation `json:"revoke,omitempty"`
}

// Stored is a committed event and the room as of it.
type Stored struct {
	Event Event `json:"event"`
	Room  Room  `json:"room"`
}

// Stream is what was added to an answer that is still growing.
type Stream struct {
	Turn  string `json:"turn"`
	Epoch int64  `json:"epoch"`
	Text  string `json:"text"`
}

// Typing is somebody who writes, or stopped.
type Typing struct {
	Author Author `json:"author"`
	On     bool   `json:"on"`
}

// Revocation names access that was withdrawn: of one session, of one link, or
// of every link of a CC rule. What is empty matches nothing.
type Revocation struct {
	Session string `json:"session,omitempty"`
	Link    string `json:"link,omitempty"`
	Rule    string `json:"rule,omitempty"`
}

func (r Revocation) matches(a Access) bool {
	return r.Session != "" && r.Session == a.Session ||
		r.Link != "" && r.Link == a.Link ||
		r.Rule != "" && r.Rule == a.Rule
}

// inProcess is the backplane of a single node: a function call.
type inProcess struct {
	mu   sync.RWMutex
	recv func(Signal)
}

func (b *inProcess) Publish(s Signal) {
	b.mu.RLock()
	recv := b.recv
	b.mu.RUnlock()
	if recv != nil {
		recv(s)
	}
}

func (b *inProcess) Subscribe(fn func(Signal)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recv = fn
}

func (b *inProcess) Close() { b.Subscribe(nil) }
