package server

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// The tables of this folder follow the public Autobahn test suite, group by
// group, over real sockets: framing_test.go its groups 1 to 4, fragment_test.go
// group 5, utf8_test.go 6, closing_test.go 7, large_test.go 9 and 10. Groups 12
// and 13 are compression, which is off. Binary messages, which the suite wants
// echoed, are refused here, in each of its sizes.
//
// abuse_test.go has what costs a server more than its sender, and edge_test.go
// what the suite does not see: that the library's close cuts off nothing that is
// queued, and that no reset overtakes our close frame.

// exchange is a row of such a table: what a client sends and what it must get.
// The last frame wanted is the server's close; after it the stream ends.
type exchange struct {
	name string
	send [][]byte
	want []string
}

func framesOf(frames ...[]byte) [][]byte { return frames }

// pieces are the ways in which a client's bytes may come.
var pieces = []struct {
	name string
	cut  func(frames [][]byte) [][]byte
}{
	{"in one segment", func(f [][]byte) [][]byte { return [][]byte{bytes.Join(f, nil)} }},
	{"frame by frame", func(f [][]byte) [][]byte { return f }},
	{"byte by byte", func(f [][]byte) [][]byte {
		size := 1
		all := bytes.Join(f, nil)
		if len(all) > 2<<10 {
			size = 997 // the suite's: no buffer is a multiple of it
		}
		return chopped(all, size)
	}},
}

func chopped(b []byte, size int) [][]byte {
	var all [][]byte
	for ; len(b) > size; b = b[size:] {
		all = append(all, b[:size])
	}
	return append(all, b)
}

// converse has each exchange over a connection of its own, in all ways.
func converse(t *testing.T, r *edgeRig, rows []exchange) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for _, way := range pieces {
				t.Run(way.name, func(t *testing.T) { r.converse(t, way.cut(row.send), row.want) })
			}
		})
	}
}

// converse sends and reads at the same time, as neither side may wait for the
// other to have done with more than the network holds.
func (r *edgeRig) converse(t *testing.T, send [][]byte, want []string) {
	t.Helper()
	c := (&edgeRig{t: t, addr: r.addr}).open()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for _, piece := range send {
			c.send(piece)
		}
	}()
	last := len(want) - 1
	c.expect(want[:last]...)
	c.expect(want[last])
	<-sent
	c.send(closeOf(1000, "")) // the answer, where we have not closed first
	c.expectEnd()
}

// Whoever begins a message has to end it in time; whoever says nothing has all
// the time.
func TestMessageTimeout(t *testing.T) {
	o := edgeOptions()
	o.ReadTimeout = 50 * time.Millisecond
	for _, c := range []struct {
		name  string
		begun []byte
	}{
		{"half a header", textFrame("a")[:1]},
		{"a header", textFrame("a")[:3]},
		{"half a payload", textFrame("abc")[:7]},
		{"a fragment", clientFrame(opText, "abc")},
		{"a fragment and a ping", append(clientFrame(opText, "abc"), pingOf("")...)},
		{"half a ping", pingOf("abc")[:4]},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newEdgeRig(t, o, echoAll)
			client := r.open()
			client.send(textFrame("quick"))
			client.expect("text:quick")
			// A silence between messages is in order, also after one whose
			// clock ran: the pong shows that its half was waited for.
			time.Sleep(2 * o.ReadTimeout)
			client.send(clientFrame(opText, "two "), pingOf(""))
			client.expect("pong:")
			client.send(clientFrame(bitFin, "fragments"))
			client.expect("text:two fragments")
			time.Sleep(2 * o.ReadTimeout)
			client.send(c.begun)
			if strings.HasSuffix(c.name, "and a ping") {
				client.expect("pong:")
			}
			client.expectClosed("close:4408")
		})
	}
}

// A message is delivered whole or not: the library alone takes a connection
// that ends between two fragments for the message's end.
func TestHalfAMessage(t *testing.T) {
	type result struct {
		msg []byte
		err error
	}
	read := make(chan result, 1)
	r := newEdgeRig(t, edgeOptions(), func(c hub.Conn) {
		m, err := c.Read()
		read <- result{m, err}
	})
	for _, half := range [][]byte{clientFrame(opText, "pay me 10"), clientFrame(bitFin|opText, "pay me 100")[:15]} {
		c := r.open()
		c.send(half)
		c.CloseWrite()
		if got := receive(t, read); got.err == nil {
			t.Errorf("half a message was read: %q", got.msg)
		}
	}
}

// What comes in one segment with the handshake is
// not lost, however much of it the HTTP server has read.
func TestEarlyBytes(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	long := strings.Repeat("early ", 4000)
	c := r.open(textFrame("first"), textFrame(long), pingOf("p"))
	c.expect("text:first", "text:"+long, "pong:p")
	c.send(textFrame("late"), closeOf(1000, ""))
	c.expect("text:late", "close:1000")
	c.expectEnd()

	cut := textFrame("cut in two")
	c = r.open(cut[:5])
	c.send(cut[5:], closeOf(1000, ""))
	c.expect("text:cut in two", "close:1000")
	c.expectEnd()
}
