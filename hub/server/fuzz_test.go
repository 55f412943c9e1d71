package server

import (
	"strings"
	"testing"
)

// FuzzFrame feeds a connection whatever comes. It has to answer in whole
// frames, of which a close is the last, and to end when the client does.
func FuzzFrame(f *testing.F) {
	r := newEdgeRig(f, edgeOptions(), echoAll)
	for _, seed := range [][]byte{
		textFrame("hello"),
		append(clientFrame(opText, "a"), clientFrame(bitFin|opContinuation, "b")...),
		append(pingOf("p"), closeOf(1000, "bye")...),
		clientHeader(bitFin|opText, 1<<40),
		clientFrame(bitFin|opBinary, "x"),
		textFrame("\xF4\x90"),
		{0x81, 0},
		[]byte(strings.Repeat(string(clientFrame(bitFin|opPong, "")), 101)),
	} {
		f.Add(seed, len(seed)/2)
	}
	f.Fuzz(func(t *testing.T, stream []byte, early int) {
		r := &edgeRig{t: t, addr: r.addr}
		cut := max(0, min(early, len(stream)))
		c := r.open(stream[:cut])
		c.send(stream[cut:])
		c.CloseWrite()
		closed := false
		for {
			frame, err := c.serverFrame()
			if err != nil {
				if err.Error() != "EOF" || !closed {
					t.Fatalf("closed %v, then %v", closed, err)
				}
				return
			}
			if closed {
				t.Fatalf("%q after the close", frame)
			}
			closed = strings.HasPrefix(frame, "close:")
		}
	})
}
