package server

import "testing"

// Group 5 of the suite: messages in fragments, and control frames, which have
// none and may come between them.
func TestFragments(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	first := func(s string) []byte { return clientFrame(opText, s) }
	next := func(s string) []byte { return clientFrame(opContinuation, s) }
	final := func(s string) []byte { return clientFrame(bitFin|opContinuation, s) }
	end := closeOf(1000, "")
	converse(t, r, []exchange{
		{"a ping in fragments", framesOf(clientFrame(opPing, "a"), final("b")), []string{"close:1002"}},
		{"a pong in fragments", framesOf(clientFrame(opPong, "a"), final("b")), []string{"close:1002"}},
		{"a close in fragments", framesOf(clientFrame(opClose, "\x03"), final("\xE8")), []string{"close:1002"}},

		{"two", framesOf(first("fragment1"), final("fragment2"), end), []string{"text:fragment1fragment2", "close:1000"}},
		{"four, one of them empty", framesOf(first("a"), next("b"), next(""), final("c"), end), []string{"text:abc", "close:1000"}},
		{"all of them empty", framesOf(first(""), next(""), final(""), end), []string{"text:", "close:1000"}},
		{"only the last empty", framesOf(first("all"), final(""), end), []string{"text:all", "close:1000"}},
		{"two, with a ping between", framesOf(first("a"), pingOf("p"), final("b"), end), []string{"pong:p", "text:ab", "close:1000"}},
		{
			"five, with two pings and a pong between",
			framesOf(first("1"), next("2"), pingOf("one"), next("3"), clientFrame(bitFin|opPong, ""), next("4"), pingOf("two"), final("5"), end),
			[]string{"pong:one", "pong:two", "text:12345", "close:1000"},
		},
		{"a close between", framesOf(first("a"), end), []string{"close:1000"}},

		{"an orphan continuation, final", framesOf(final("orphan"), textFrame("good")), []string{"close:1002"}},
		{"an orphan continuation, not final", framesOf(next("orphan"), textFrame("good")), []string{"close:1002"}},
		{"an orphan continuation of nothing", framesOf(final("")), []string{"close:1002"}},
		{
			"a message, then an orphan continuation", framesOf(first("1"), final("2"), next("orphan"), textFrame("good")),
			[]string{"text:12", "close:1002"},
		},
		{
			"orphans before messages, twice", framesOf(next("x"), first("1"), final("2"), next("x"), first("1"), final("2")),
			[]string{"close:1002"},
		},
		{"messages interleaved", framesOf(first("a"), textFrame("b")), []string{"close:1002"}},
		{"fragmented messages interleaved", framesOf(first("a"), first("b"), final("c")), []string{"close:1002"}},
		{"a binary message interleaved", framesOf(first("a"), clientFrame(bitFin|opBinary, "b")), []string{"close:1002"}},
		{"a binary message in fragments", framesOf(clientFrame(opBinary, "a"), final("b")), []string{"close:1003"}},
	})
}

// Fragments may be far apart, as long as the message ends in time.
func TestSlowFragments(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	c := r.open()
	for _, step := range []struct {
		send []byte
		want string
	}{
		{clientFrame(opText, "a"), ""},
		{pingOf("one"), "pong:one"},
		{clientFrame(opContinuation, "b"), ""},
		{pingOf("two"), "pong:two"},
		{clientFrame(bitFin|opContinuation, "c"), "text:abc"},
		{closeOf(1000, ""), "close:1000"},
	} {
		c.send(step.send)
		if step.want != "" {
			c.expect(step.want) // and so what came before has been read by now
		}
	}
	c.expectEnd()
}

// What comes in one segment with the handshake is not lost, however much of it
// the HTTP server has read.
func TestEarlyFragments(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	stream := append(append(clientFrame(opText, "early "), clientFrame(bitFin|opContinuation, "bird")...), closeOf(1000, "")...)
	for cut := range len(stream) {
		c := (&edgeRig{t: t, addr: r.addr}).open(stream[:cut])
		c.send(stream[cut:])
		c.expect("text:early bird", "close:1000")
		c.expectEnd()
	}
}
