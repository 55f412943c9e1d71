package server

import (
	"bytes"
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

// FuzzMeter cuts a stream in two anywhere. The meter has to see the same in it,
// and to find nothing good behind the frame that it stops at.
func FuzzMeter(f *testing.F) {
	for _, seed := range [][]byte{
		append(textFrame("one"), pingOf("x")...),
		append(clientFrame(opText, "two "), clientFrame(bitFin|opContinuation, strings.Repeat("y", 300))...),
		clientHeader(bitFin|opText, 1<<62), clientHeader(bitFin|opText, 1<<63), textFrame(strings.Repeat("z", 1025)),
		bytes.Repeat(clientFrame(opContinuation, ""), 400), bytes.Repeat(pingOf(""), 101),
	} {
		f.Add(seed, len(seed)/2)
	}
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		whole := newMeter(1 << 10)
		good, verdict := whole.scan(stream)
		if good < 0 || good > len(stream) || verdict == nil && good != len(stream) {
			t.Fatalf("%d of %d bytes are good, %v", good, len(stream), verdict)
		}
		cut = max(0, min(cut, len(stream)))
		halves := newMeter(1 << 10)
		n, v := halves.scan(stream[:cut])
		if v == nil {
			n, v = halves.scan(stream[cut:])
			n += cut
		}
		// Where the bad frame began before the cut, what came of it was let by.
		if v != verdict || n != good && n != max(good, cut) {
			t.Errorf("cut at %d: %d %v, whole: %d %v", cut, n, v, good, verdict)
		}
		if verdict == nil && (whole.messages != halves.messages || whole.underWay() != halves.underWay() || whole.bytes > 1<<10) {
			t.Errorf("cut at %d: %+v, whole: %+v", cut, halves, whole)
		}
	})
}
