package hubtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// frames sends the plugin's frames with data that no widget sends.
func (c *conformance) frames(t *testing.T) {
	c.nonsenseOf(t, c.start(t, Options{}, nil, nil))
}

func (c *conformance) nonsenseOf(t *testing.T, k *Kit) {
	t.Helper()
	admin := k.SignIn(t, "Ana")
	for _, frame := range c.info(k).Frames {
		visitor := k.Visitor(t)
		c.nonsense(t, visitor, frame)
		c.nonsense(t, k.Admin(t, admin, visitor.Room), frame)
		k.Visitor(t).Say("still here?")
	}
}

// nonsense sends one frame with all kinds of data. Each is answered, and the
// connection stays.
func (c *conformance) nonsense(t *testing.T, client *Client, frame string) {
	t.Helper()
	for i, data := range hostileData {
		id := fmt.Sprint("n-", i)
		if data != "" {
			data = `,"data":` + data
		}
		client.SendRaw(fmt.Sprintf(`{"type":%q,"id":%q%s}`, frame, id, data))
		for {
			f, ok := client.Next()
			if !ok {
				t.Errorf("%s with %s: the connection ended with %d", frame, cut(data), client.Closed())
				return
			}
			if f.Type == "error" && f.Get("code") == string(hub.CodeInternal) {
				t.Errorf("%s with %s: %s", frame, cut(data), f.Data)
			}
			if f.Type == "error" || f.Type == "ack" && f.ID == id {
				break
			}
		}
	}
}

// neighbours has the plugin stand between two bad ones, of each kind.
func (c *conformance) neighbours(t *testing.T) {
	const patient = 20 * time.Millisecond // of the hub's, with what hangs
	for _, kind := range BadKinds {
		t.Run(kind, func(t *testing.T) {
			first, last := NewBad("bad-first", kind, patient), NewBad("bad-last", kind, patient)
			k := c.start(t, Options{}, []hub.Plugin{first}, []hub.Plugin{last})
			t.Cleanup(first.Release)
			t.Cleanup(last.Release)
			converse(t, k)
			if info := c.info(k); info.Open {
				t.Errorf("the plugin itself is taken for broken: %+v", info)
			}
		})
	}
}
