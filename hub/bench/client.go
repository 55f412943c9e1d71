package bench

//lint:file-ignore SA1019 the server's own library, from its other end

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"nhooyr.io/websocket"

	"github.com/bellhub/bellhub/hub"
)

// dialer opens connections to one server.
type dialer struct {
	target string
	http   *http.Client
}

func newDialer(target string) *dialer {
	// Frames are small, and a connection keeps these buffers.
	return &dialer{target, &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10,
	}}}
}

// close ends what refused handshakes have left open.
func (d *dialer) close() { d.http.CloseIdleConnections() }

// client is one connection.
type client struct {
	ws    *websocket.Conn
	room  *room
	shown int // the newest message it was shown; under room.mu
}

// frame is what of the server's frames matters here.
type frame struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	Data struct {
		Code  hub.Code `json:"code"`
		Text  string   `json:"text"`
		Token string   `json:"token"`
		Room  struct {
			ID     string          `json:"id"`
			Mode   hub.Mode        `json:"mode"`
			Holder json.RawMessage `json:"holder"`
		} `json:"room"`
		Message string `json:"message"`
	} `json:"data"`
}

// refusal is why a connection did not come about, or ended, in a word to count
// it by.
type refusal struct {
	word string
	err  error
}

func (r *refusal) Error() string { return fmt.Sprintf("%s: %v", r.word, r.err) }
func (r *refusal) Unwrap() error { return r.err }

// dial opens a connection of a room: the first makes a visitor, the others come
// with its token.
func (d *dialer) dial(ctx context.Context, key string, r *room) (*client, error) {
	ws, resp, err := websocket.Dial(ctx, d.target, &websocket.DialOptions{
		HTTPClient: d.http, Subprotocols: []string{hub.Subprotocol},
	})
	switch {
	case err != nil && resp != nil:
		return nil, &refusal{fmt.Sprintf("HTTP %d", resp.StatusCode), err}
	case err != nil:
		return nil, &refusal{"no connection", err}
	}
	c := &client{ws: ws, room: r}
	hello := map[string]string{"domain": key}
	if r.token != "" {
		hello["token"], hello["room"] = r.token, r.id
	}
	if err := c.send(ctx, "hello", "hello", hello); err != nil {
		ws.CloseNow()
		return nil, &refusal{"no connection", err}
	}
	for {
		f, err := c.receive(ctx)
		switch {
		case err != nil:
			ws.CloseNow()
			return nil, ended(err)
		case f.Type == "error":
			ws.CloseNow()
			return nil, &refusal{string(f.Data.Code), errors.New(f.Data.Message)}
		case f.Type == "welcome":
			if r.token == "" {
				r.id, r.token = f.Data.Room.ID, f.Data.Token
				r.mode, r.held = f.Data.Room.Mode, string(f.Data.Room.Holder) != "null"
			}
			return c, nil
		}
	}
}

// ended names the end of a connection.
func ended(err error) error {
	if code := websocket.CloseStatus(err); code != -1 {
		return &refusal{fmt.Sprintf("close %d", code), err}
	}
	return &refusal{"no connection", err}
}

// listen takes what the server sends until ctx or the connection ends.
func (c *client) listen(ctx context.Context) {
	defer c.ws.CloseNow()
	for {
		f, err := c.receive(ctx)
		if err != nil {
			if ctx.Err() == nil {
				c.room.leave(c, ended(err))
			}
			return
		}
		now := time.Now()
		switch f.Type {
		case "ack":
			c.room.acked(number(f.ID), now)
		case "error":
			c.room.refused(number(f.ID), f.Data.Code)
		case "event":
			c.room.delivered(c, number(f.Data.Text), now)
		}
	}
}

// say sends the message of a number.
func (c *client) say(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, sayTimeout)
	defer cancel()
	id := strconv.Itoa(n)
	return c.send(ctx, "message", id, map[string]string{"text": "Bellhub is being measured by message " + id})
}

// number finds a message's number at the end of its id or text; 0 is no message
// of ours.
func number(s string) int {
	n, _ := strconv.Atoi(s[strings.LastIndexByte(s, ' ')+1:])
	return n
}

func (c *client) send(ctx context.Context, typ, id string, data map[string]string) error {
	b, err := json.Marshal(map[string]any{"type": typ, "id": id, "data": data})
	if err != nil {
		return err
	}
	return c.ws.Write(ctx, websocket.MessageText, b)
}

func (c *client) receive(ctx context.Context) (f frame, err error) {
	_, b, err := c.ws.Read(ctx)
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	return f, err
}
