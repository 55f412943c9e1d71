package hubtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// patience is how long Want waits before a test fails. Nothing ever waits for
// it to pass in a test that succeeds.
const patience = 10 * time.Second

// Client is the far end of a connection in memory.
type Client struct {
	Room, Token string // of the welcome

	t     testing.TB
	conn  *pipe
	check func(frame []byte) error // nil: anything goes

	seen []string // every frame so far, for the transcript
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
	p := &pipe{in: make(chan []byte), closed: make(chan struct{})}
	p.wake = sync.NewCond(&p.mu)
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.Hub.Serve(k.ctx, p, &hs)
		p.Close(hub.CloseDone, "")
	}()
	t.Cleanup(func() {
		p.hangUp()
		<-done
	})
	return &Client{t: t, conn: p, check: k.check}
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
		c.t.Fatalf("closed with %d, want %d\n%s", got, code, c.Transcript())
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

// Transcript is everything sent and received so far.
func (c *Client) Transcript() string { return strings.Join(c.seen, "\n") }

func (c *Client) next() (Frame, bool) {
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
	code, reason := c.conn.end()
	c.t.Fatalf("%s (close %d %q)\n%s", why, code, reason, c.Transcript())
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

// pipe is a hub.Conn without a network.
type pipe struct {
	in     chan []byte // client to hub
	closed chan struct{}

	mu     sync.Mutex
	wake   *sync.Cond
	out    [][]byte // hub to client
	over   bool
	code   hub.CloseCode
	reason string
}

var errOver = errors.New("hubtest: the connection is over")

func (p *pipe) Read() ([]byte, error) {
	select {
	case <-p.closed:
		return nil, errOver
	default:
	}
	select {
	case b := <-p.in:
		return b, nil
	case <-p.closed:
		return nil, errOver
	}
}

func (p *pipe) Send(packet []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return errOver
	}
	// The kit's frames are bare JSON, which tells by itself where each ends.
	for d := json.NewDecoder(bytes.NewReader(packet)); ; {
		var frame json.RawMessage
		if d.Decode(&frame) != nil {
			break
		}
		p.out = append(p.out, frame)
	}
	p.wake.Signal()
	return nil
}

func (p *pipe) Close(code hub.CloseCode, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.over, p.code, p.reason = true, code, reason
	close(p.closed)
	p.wake.Signal()
}

func (p *pipe) Closed() hub.CloseCode {
	code, _ := p.end()
	return code
}

func (p *pipe) hangUp() { p.Close(0, "the client hung up") }

func (p *pipe) end() (hub.CloseCode, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.code, p.reason
}

// receive waits for the hub's next packet; false once the connection is over
// and everything sent before has been received.
func (p *pipe) receive() ([]byte, bool) {
	late := time.AfterFunc(patience, func() { p.Close(0, "nothing came") })
	defer late.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.out) == 0 && !p.over {
		p.wake.Wait()
	}
	if len(p.out) == 0 {
		return nil, false
	}
	b := p.out[0]
	p.out = p.out[1:]
	return b, true
}
