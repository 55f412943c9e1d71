package story

//lint:file-ignore SA1019 the server's own library, from its other end

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nhooyr.io/websocket"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/spec/spectest"
)

// client is the far end of a WebSocket. Every frame that goes over it is held to
// the protocol's description.
type client struct {
	t    *testing.T
	ws   *websocket.Conn
	talk *spectest.Dialogue
	seen []string

	room, token string
	frames      []string // what it may send
	events      []frame  // every event so far, welcome's included
	streamed    string   // of stream frames since the last AI message
}

type frame struct {
	Type string         `json:"type"`
	ID   string         `json:"id"`
	Data map[string]any `json:"data"`
}

func (p *program) dial(t *testing.T, header http.Header) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(p.url, "http")+"/ws", &websocket.DialOptions{
		HTTPHeader: header, Subprotocols: []string{hub.Subprotocol},
	})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(1 << 20)
	t.Cleanup(func() { ws.CloseNow() })
	return &client{t: t, ws: ws, talk: described(t).Dialogue()}
}

// described is the protocol's description, and what of it the tests have seen.
func described(t *testing.T) *spectest.Protocol {
	t.Helper()
	once.Do(func() { protocol = spectest.Open(t) })
	return protocol
}

var (
	once     sync.Once
	protocol *spectest.Protocol
)

// visit connects as the widget on the demo page does; data resumes an earlier
// visit.
func (p *program) visit(t *testing.T, data map[string]any) *client {
	t.Helper()
	c := p.dial(t, http.Header{"Origin": {p.url}})
	hello := map[string]any{"domain": "demo"}
	for k, v := range data {
		hello[k] = v
	}
	c.hello(hello)
	return c
}

// open connects to a room as the console does for a browser.
func (b *browser) open(room string) *client {
	b.t.Helper()
	c := b.p.dial(b.t, http.Header{"Origin": {b.p.url}, "Cookie": {b.cookies()}})
	c.hello(map[string]any{"room": room})
	return c
}

func (c *client) hello(data map[string]any) {
	c.t.Helper()
	c.send("hello", "hello", data)
	w := c.want("welcome")
	c.room = w.Data["room"].(map[string]any)["id"].(string)
	c.token, _ = w.Data["token"].(string)
	for _, name := range w.Data["frames"].([]any) {
		c.frames = append(c.frames, name.(string))
	}
	for _, e := range w.Data["events"].([]any) {
		c.events = append(c.events, frame{Type: "event", Data: e.(map[string]any)})
	}
}

func (c *client) send(typ, id string, data any) {
	c.t.Helper()
	f := map[string]any{"type": typ, "id": id}
	if data != nil {
		f["data"] = data
	}
	b, err := json.Marshal(f)
	if err != nil {
		c.t.Fatal(err)
	}
	c.seen = append(c.seen, "→ "+string(b))
	if err := c.talk.Sent(b); err != nil {
		c.t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := c.ws.Write(ctx, websocket.MessageText, b); err != nil {
		c.t.Fatalf("%v\n%s", err, strings.Join(c.seen, "\n"))
	}
}

// ask sends a frame and returns its acknowledgement.
func (c *client) ask(typ, id string, data any) frame {
	c.t.Helper()
	c.send(typ, id, data)
	for {
		if f := c.want("ack", "error"); f.ID == id {
			if f.Type == "error" {
				c.t.Fatalf("refused\n%s", strings.Join(c.seen, "\n"))
			}
			return f
		}
	}
}

func (c *client) say(id, text string) frame {
	c.t.Helper()
	return c.ask("message", id, map[string]any{"text": text})
}

func (c *client) next() frame {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, b, err := c.ws.Read(ctx)
	if err != nil {
		c.t.Fatalf("%v\n%s", err, strings.Join(c.seen, "\n"))
	}
	c.seen = append(c.seen, "← "+string(b))
	if err := c.talk.Received(b); err != nil {
		c.t.Error(err)
	}
	var f frame
	if err := json.Unmarshal(b, &f); err != nil {
		c.t.Fatal(err)
	}
	switch {
	case f.Type == "event":
		if n := len(c.events); n > 0 && f.Data["seq"] != c.events[n-1].Data["seq"].(float64)+1 {
			c.t.Errorf("event %v after %v", f.Data["seq"], c.events[n-1].Data["seq"])
		}
		c.events = append(c.events, f)
	case f.Type == "stream":
		c.streamed += f.Data["text"].(string)
	}
	return f
}

func (c *client) want(types ...string) frame {
	c.t.Helper()
	for {
		if f := c.next(); slices.Contains(types, f.Type) {
			return f
		}
	}
}

// wantEvent waits for an event of a type by a kind of author, which may have
// come already: after is the number of the last one seen before.
func (c *client) wantEvent(after int, typ hub.EventType, kind hub.Kind) frame {
	c.t.Helper()
	for i := after; ; i++ {
		for i >= len(c.events) {
			c.next()
		}
		e := c.events[i]
		if e.Data["type"] == string(typ) && e.Data["author"].(map[string]any)["kind"] == string(kind) {
			return e
		}
	}
}

// thread is what the room's log says, for comparing.
func (c *client) thread() string {
	var b strings.Builder
	for _, e := range c.events {
		data, _ := json.Marshal(e.Data)
		b.Write(data)
		b.WriteByte('\n')
	}
	return b.String()
}

func TestTheStoryOverSockets(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			p := start(t, database(t))
			began := time.Now()
			tellOverSockets(t, p)
			t.Logf("told in %s", time.Since(began).Round(time.Millisecond))
		})
	}
}

func tellOverSockets(t *testing.T, p *program) {
	v := p.visit(t, nil)

	// The visitor asks, and the AI streams an answer.
	n := len(v.events)
	v.say("c-1", "Do you ship to Oslo?")
	answer := v.wantEvent(n, hub.EventMessage, hub.AI)
	if text := answer.Data["text"].(string); !strings.Contains(text, "Norway") || strings.TrimSpace(v.streamed) != strings.TrimSpace(text) {
		t.Errorf("answer %q, streamed %q", text, v.streamed)
	}

	// The bell; and the conversation goes on.
	n = len(v.events)
	ack := v.ask("contact-admin", "c-2", map[string]any{"reason": "I need an invoice, see http://evil.example 🧾"})
	if ack.Data["state"] != "queued" {
		t.Errorf("acknowledgement %v", ack.Data)
	}
	v.say("c-3", "What does the house blend cost?")
	v.wantEvent(n, hub.EventMessage, hub.AI)

	// One email, with its five facts.
	owner := p.browser(t)
	owner.signIn("the mailbox")
	v.wantEvent(n, hub.EventNotice, hub.System) // it has been captured
	text := theEmail(t, owner)
	for _, fact := range []string{"Kopi Tugu (demo)", "Room:", "Asia/Jakarta (UTC+7)", "> I need an invoice, see hxxp://evil[.]example 🧾", p.url + "/join/"} {
		if !strings.Contains(text, fact) {
			t.Errorf("the email lacks %q:\n%s", fact, text)
		}
	}
	link := text[strings.Index(text, p.url+"/join/"):]
	link = strings.Fields(link)[0]

	// Its link, opened by somebody who is not signed in.
	admin := p.browser(t)
	if _, status, body := admin.get(link); status != http.StatusOK || strings.Contains(body, "Do you ship") || strings.Contains(body, "you@kopitugu.example") {
		t.Fatalf("join page: %d %s", status, body)
	}
	at, status, body := admin.post(link, url.Values{"name": {"Ana"}})
	if status != http.StatusOK || at.Path != "/console/rooms/"+v.room {
		t.Fatalf("joined at %s: %d %s", at, status, body)
	}
	a := admin.open(v.room)
	if a.thread() != v.thread() {
		t.Errorf("the admin reads\n%s\nthe visitor reads\n%s", a.thread(), v.thread())
	}

	// Takeover: the AI is silent to three messages, and a person answers.
	n = len(v.events)
	a.ask("takeover", "a-1", nil)
	if e := v.wantEvent(n, hub.EventTakeover, hub.Admin); e.Data["author"].(map[string]any)["name"] != "Ana" {
		t.Errorf("the visitor sees %v", e.Data)
	}
	n = len(v.events)
	for _, id := range []string{"c-4", "c-5", "c-6"} {
		v.say(id, "Do you ship to Oslo? "+id)
	}
	a.say("a-2", "Hello, this is **Ana**. Your invoice is on its way.")
	if e := v.wantEvent(n, hub.EventMessage, hub.Admin); !strings.Contains(e.Data["html"].(string), "<strong>Ana</strong>") {
		t.Errorf("the visitor reads %v", e.Data)
	}

	// Hand back: the AI answers again.
	a.ask("handback", "a-3", nil)
	v.wantEvent(n, hub.EventHandback, hub.Admin)
	for _, e := range v.events[n:] {
		if e.Data["author"].(map[string]any)["kind"] == "ai" {
			t.Errorf("the AI spoke while Ana answered: %v", e.Data)
		}
	}
	n = len(v.events)
	v.say("c-7", "And do you ship to Oslo?")
	v.wantEvent(n, hub.EventMessage, hub.AI)

	// Both come back, and read the same.
	again := p.visit(t, map[string]any{"token": v.token, "room": v.room})
	back := admin.open(v.room)
	if again.thread() != v.thread() || back.thread() != v.thread() {
		t.Errorf("after a reload the visitor reads\n%s\nthe admin reads\n%s\nbefore it was\n%s", again.thread(), back.thread(), v.thread())
	}
	theEmail(t, owner) // still the only one
}

var (
	emailID   = regexp.MustCompile(`data-email-id="([^"]+)"`)
	emailText = regexp.MustCompile(`(?s)<pre data-email-text[^>]*>(.*?)</pre>`)
)

// theEmail is the text of the only email in the mailbox.
func theEmail(t *testing.T, b *browser) string {
	t.Helper()
	ids := emailID.FindAllStringSubmatch(mailbox(t, b), -1)
	if len(ids) != 1 {
		t.Fatalf("%d emails, want 1", len(ids))
	}
	_, _, page := b.get("/mailbox/" + ids[0][1])
	m := emailText.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no email in %s", page)
	}
	return html.UnescapeString(m[1])
}

func mailbox(t *testing.T, b *browser) string {
	t.Helper()
	_, status, body := b.get("/mailbox")
	if status != http.StatusOK {
		t.Fatalf("mailbox: %d %s", status, body)
	}
	return body
}
