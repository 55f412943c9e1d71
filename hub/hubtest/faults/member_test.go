package faults

//lint:file-ignore SA1019 the server's own library, from its other end

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"nhooyr.io/websocket"
)

const (
	answerTimeout = 15 * time.Second       // the widget's: a line silent for so long is dead
	backoff       = 60 * time.Millisecond  // of a reconnect, where the widget takes 0.5..30 s
	again         = 250 * time.Millisecond // of a frame that was refused, where the widget takes 1 s and more
	longBackoff   = 300 * time.Millisecond // after a restart or a flood
)

// comeBack are the close codes after which a client reconnects; 1006 stands for
// a connection that ended without one.
var comeBack = []int{1001, 1006, 1011, 1012, 1013, 4408, 4429}

// member is a client that keeps to the protocol as the widget does, and writes
// down all of it.
type member struct {
	w      *world
	tab    string         // begins its client ids
	hello  map[string]any // its data, but for after
	header http.Header
	slow   bool // it will stop reading
	window int  // frames that it has in flight
	next   func() (typ, text string, ok bool)

	grew chan struct{} // signalled when there is more on the screen

	mu       sync.Mutex
	rec      Member
	sock     *socket // nil while it has none
	conn     *Connection
	welcomed bool
	silence  *time.Timer
	attempt  int
	ids      map[string]*Send
	waiting  []*Send // sent and not acknowledged, in order

	view    []Event
	first   int64 // the number that the view begins with, 0 before the first page
	whole   bool  // the view begins with the room's first event
	held    map[int64]Event
	more    bool // newer events exist that the welcome left out
	asking  bool // for what is missing
	asked   int
	greedy  bool // it has asked for more than it reads
	reloads bool // the next hello is a new page's
}

func (w *world) newMember(name, tab string, header http.Header, hello map[string]any) *member {
	m := &member{
		w: w, tab: tab, header: header, hello: hello, grew: make(chan struct{}, 1), ids: map[string]*Send{},
		held: map[int64]Event{}, reloads: true, next: func() (string, string, bool) { return "", "", false },
	}
	m.rec.Name = name
	w.members = append(w.members, m)
	return m
}

// run stays connected until ctx ends.
func (m *member) run(ctx context.Context) {
	for ctx.Err() == nil {
		code, err := m.connection(ctx)
		wait, ok := m.lost(ctx, code, err)
		if !ok {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// connection is one connection, from dialling to its end.
func (m *member) connection(ctx context.Context) (code int, err error) {
	s, err := dial(ctx, m.w.url, m.header, m.slow)
	if err != nil {
		return 1006, err
	}
	defer s.CloseNow()
	m.open(s)
	for {
		_, b, err := s.Read(ctx)
		if err != nil {
			code := int(websocket.CloseStatus(err))
			if code < 0 {
				code = 1006
			}
			return code, err
		}
		if err := m.receive(b); err != nil {
			return 1006, err
		}
	}
}

// trace writes a line down. It is called with mu held, as all below are that do
// not say otherwise.
func (m *member) trace(what, id string, seq int64) {
	m.rec.Trace = append(m.rec.Trace, Entry{time.Since(m.w.began), what, id, seq})
}

// open says hello on a new connection. It takes mu.
func (m *member) open(s *socket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sock, m.welcomed, m.asking, m.more = s, false, false, false
	m.silence = time.AfterFunc(answerTimeout, func() { m.silent(s) })
	if m.reloads {
		m.reloads = false
		if len(m.view) > 0 {
			m.rec.Views = append(m.rec.Views, m.view)
		}
		m.view, m.first, m.whole = nil, 0, false
	}
	clear(m.held)
	m.rec.Connections = append(m.rec.Connections, Connection{After: -1})
	m.conn = &m.rec.Connections[len(m.rec.Connections)-1]
	hello := map[string]any{}
	for k, v := range m.hello {
		hello[k] = v
	}
	if m.first > 0 {
		m.conn.After = m.last()
		hello["after"] = m.conn.After
	}
	m.trace(fmt.Sprintf("connection %d, after %d", len(m.rec.Connections), m.conn.After), "", 0)
	m.write("hello", "hello", hello)
}

// silent gives up a line on which something is due and nothing comes. It takes
// mu.
func (m *member) silent(s *socket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sock != s {
		return
	}
	if m.welcomed && len(m.waiting) == 0 && !m.asking {
		m.silence.Reset(answerTimeout)
		return
	}
	m.trace("no answer for "+answerTimeout.String(), "", 0)
	m.w.count("silent")
	s.line.cut(true)
}

// lost notes a connection's end and says how long to wait before the next one,
// or that there may be none. It takes mu.
func (m *member) lost(ctx context.Context, code int, err error) (wait time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trace(fmt.Sprintf("lost: %d %v", code, err), "", 0)
	if m.sock != nil {
		m.silence.Stop()
		m.sock = nil
		for _, s := range m.waiting {
			s.Lost++
		}
		what := fmt.Sprint("closed ", code)
		if m.greedy {
			what += " of who did not read"
		}
		if ctx.Err() == nil {
			m.w.count(what)
		}
		m.greedy = false
	}
	if !slices.Contains(comeBack, code) {
		m.w.problem("%s: closed with %d, which forbids to come back: %v", m.rec.Name, code, err)
		return 0, false
	}
	m.attempt++
	wait = backoff/4 + time.Duration(rand.Int64N(int64(backoff)*int64(min(m.attempt, 4))))
	if code == 1012 || code == 4429 {
		wait += longBackoff
	}
	return wait, true
}

// write sends a frame. Read reports a lost connection.
func (m *member) write(typ, id string, data any) {
	b, err := json.Marshal(struct {
		Type string `json:"type"`
		ID   string `json:"id"`
		Data any    `json:"data,omitempty"`
	}{typ, id, data})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	_ = m.sock.Write(ctx, websocket.MessageText, b)
}

// transmit sends a message or a bell, for the first time or again.
func (m *member) transmit(s *Send) {
	s.Sent++
	m.trace("sent", s.ID, 0)
	field := "text"
	if s.Type == "contact-admin" {
		field = "reason"
	}
	m.write(s.Type, s.ID, map[string]any{field: s.Text})
}

// topUp fills the window with new frames.
func (m *member) topUp() {
	for len(m.waiting) < m.window {
		typ, text, ok := m.next()
		if !ok {
			return
		}
		m.add(typ, text)
	}
}

// add sends a new frame, now or once there is a connection.
func (m *member) add(typ, text string) {
	s := &Send{ID: fmt.Sprintf("%s.%d", m.tab, len(m.rec.Sends)+1), Type: typ, Text: text}
	m.rec.Sends = append(m.rec.Sends, s)
	m.ids[s.ID] = s
	m.waiting = append(m.waiting, s)
	if m.sock != nil && m.welcomed {
		m.transmit(s)
	}
}

// say adds a frame from outside. It takes mu.
func (m *member) say(typ, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(typ, text)
}

// last is the number of the newest event on the screen.
func (m *member) last() int64 { return m.first - 1 + int64(len(m.view)) }
