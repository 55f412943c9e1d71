package hubtest

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// patience is how long Want waits before a test fails. Nothing ever waits for
// it to pass in a test that succeeds.
const patience = 10 * time.Second

// Client is the far end of a connection in memory. It is one goroutine's at a
// time. Whatever the test fails for, what each of its clients said and heard is
// shown.
type Client struct {
	Room, Token string // of the welcome

	t     testing.TB
	name  string // in transcripts
	key   string // of the domain, for a visitor
	conn  *pipe
	check func(frame []byte) error // nil: anything goes

	seen  []string // every frame so far, for the transcript
	aside []Frame  // received, and still to be given out
}

// Frame is a frame as a client got it.
type Frame struct {
	Type string          `json:"type"`
	ID   string          `json:"id"`
	Data json.RawMessage `json:"data"`
}

// Get reads a field of the data by its path, as in "room.mode"; nil if absent.
func (f Frame) Get(path string) any {
	var v any
	_ = json.Unmarshal(f.Data, &v)
	for name := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// Dial opens a connection; nothing has been said on it yet.
func (k *Kit) Dial(t testing.TB, hs hub.Handshake) *Client {
	t.Helper()
	return k.dial(t, k.names.next("client"), hs)
}

func (k *Kit) dial(t testing.TB, name string, hs hub.Handshake) *Client {
	t.Helper()
	p := &pipe{in: make(chan []byte), closed: make(chan struct{})}
	p.wake = sync.NewCond(&p.mu)
	done := make(chan struct{})
	go pprof.Do(k.Ctx, k.label, func(ctx context.Context) {
		defer close(done)
		k.Hub.Serve(ctx, p, &hs)
		p.Close(hub.CloseDone, "")
	})
	c := &Client{t: t, name: name, conn: p, check: k.check}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.story())
		}
		p.hangUp()
		<-done
	})
	return c
}

// said numbers messages: their ids are their author's, who may have several
// connections, to several hubs.
var said atomic.Int64

// Say sends a message under a fresh id and waits for its acknowledgement, which
// it returns. What else arrives meanwhile is still there for Want.
func (c *Client) Say(text string) Frame {
	c.t.Helper()
	id := fmt.Sprint("say-", said.Add(1))
	c.Send("message", id, map[string]any{"text": text})
	var before []Frame
	for {
		f, ok := c.next()
		switch {
		case !ok:
			c.fail("wanted the acknowledgement of " + id)
		case f.ID != id:
			before = append(before, f)
			continue
		case f.Type != "ack":
			c.fail(fmt.Sprintf("%q was refused: %s", text, f.Data))
		}
		c.aside = append(before, c.aside...)
		return f
	}
}

// Send sends a frame. An id of "" is left out; so is data of nil.
func (c *Client) Send(typ, id string, data any) {
	c.t.Helper()
	f := map[string]any{"type": typ}
	if id != "" {
		f["id"] = id
	}
	if data != nil {
		f["data"] = data
	}
	b, err := json.Marshal(f)
	if err != nil {
		c.t.Fatal(err)
	}
	c.SendRaw(string(b))
}

// SendRaw sends text as it is.
func (c *Client) SendRaw(text string) {
	c.t.Helper()
	c.seen = append(c.seen, "→ "+text)
	select {
	case c.conn.in <- []byte(text):
	case <-c.conn.closed: // Closed tells
	case <-time.After(patience):
		c.fail("the hub does not read")
	}
}

// Want waits for the next frame of one of the types, skipping others.
func (c *Client) Want(types ...string) Frame {
	c.t.Helper()
	for {
		f, ok := c.next()
		if !ok {
			c.fail("wanted " + strings.Join(types, " or "))
		}
		if slices.Contains(types, f.Type) {
			return f
		}
	}
}

// WantEvent waits for an event of a type, skipping everything else.
func (c *Client) WantEvent(t hub.EventType) Frame {
	c.t.Helper()
	for {
		if f := c.Want("event"); f.Get("type") == string(t) {
			return f
		}
	}
}

// WantError waits for an error frame and checks its code.
func (c *Client) WantError(code hub.Code) Frame {
	c.t.Helper()
	f := c.Want("error", "ack", "welcome")
	if f.Type != "error" || f.Get("code") != string(code) {
		c.fail("wanted error " + string(code))
	}
	return f
}

// WantClosed waits for the connection's end and checks its code.
func (c *Client) WantClosed(code hub.CloseCode) {
	c.t.Helper()
	for {
		if _, ok := c.next(); !ok {
			break
		}
	}
	if got, _ := c.conn.end(); got != code {
		c.fail(fmt.Sprintf("closed with %d, want %d", got, code))
	}
}

// Next waits for the next frame, whatever it is; ok is false once the connection
// is over, of which Closed then tells.
func (c *Client) Next() (f Frame, ok bool) {
	c.t.Helper()
	return c.next()
}

// Closed is the code that ended the connection: 0 where the client hung up, or
// waited in vain.
func (c *Client) Closed() hub.CloseCode {
	code, _ := c.conn.end()
	return code
}

// Drain returns every frame that arrives up to the answer of a frame of its
// own, so that a test can say what did not come.
func (c *Client) Drain() []Frame {
	c.t.Helper()
	c.Send("history", "drain", map[string]any{"after": 0, "limit": 1})
	var all []Frame
	for {
		f, ok := c.next()
		if !ok {
			c.fail("wanted the end of what was sent")
		}
		if f.ID == "drain" {
			return all
		}
		all = append(all, f)
	}
}

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.conn.closed }

// HangUp ends the connection from the client's side.
func (c *Client) HangUp() { c.conn.hangUp() }

func (c *Client) next() (Frame, bool) {
	if len(c.aside) > 0 {
		f := c.aside[0]
		c.aside = c.aside[1:]
		return f, true
	}
	b, ok := c.conn.receive()
	if !ok {
		return Frame{}, false
	}
	c.seen = append(c.seen, "← "+string(b))
	var f Frame
	if err := json.Unmarshal(b, &f); err != nil {
		c.fail("not a frame")
	}
	if c.check != nil {
		if err := c.check(b); err != nil {
			c.fail(err.Error())
		}
	}
	return f, true
}

func (c *Client) fail(why string) {
	c.t.Helper()
	c.t.Fatalf("%s: %s", c.name, why)
}

func (c *Client) welcomed() {
	c.t.Helper()
	f := c.Want("welcome", "error")
	if f.Type == "error" {
		c.fail("wanted welcome")
	}
	c.Room, _ = f.Get("room.id").(string)
	c.Token, _ = f.Get("token").(string)
}
