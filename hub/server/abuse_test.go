package server

import (
	"bytes"
	"strings"
	"testing"
)

// What breaks the rules of framing, or costs the server more than the client
// who sends it: each is answered with its close code, after all that was good.
func TestAbuse(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	most := strings.Repeat("a", 32<<10) // the default limit of a message
	more := func(frame []byte, n int) []byte { return bytes.Repeat(frame, n) }
	cont := func(s string) []byte { return clientFrame(opContinuation, s) }
	pong := clientFrame(bitFin|opPong, "")
	converse(t, r, []exchange{
		{"unmasked text", framesOf([]byte{0x81, 2, 'h', 'i'}), []string{"close:1002"}},
		{"an unmasked ping", framesOf([]byte{0x89, 0}), []string{"close:1002"}},
		{"an unmasked close", framesOf([]byte{0x88, 2, 3, 0xE8}), []string{"close:1002"}},
		{"an unmasked continuation", framesOf(clientFrame(opText, "a"), []byte{0x80, 0}), []string{"close:1002"}},
		{"unmasked, after a good message", framesOf(textFrame("good"), []byte{0x81, 0}), []string{"text:good", "close:1002"}},

		{"a huge length, nothing behind it", framesOf(clientHeader(0x81, 1<<62)), []string{"close:1009"}},
		{"a huge length, after a good message", framesOf(textFrame("good"), clientHeader(0x81, 1<<30)), []string{"text:good", "close:1009"}},
		{"a huge length of a continuation", framesOf(clientFrame(opText, "a"), clientHeader(0x80, 1<<40)), []string{"close:1009"}},
		{"a length with its highest bit set", framesOf(clientHeader(0x81, 1<<63)), []string{"close:1002"}},
		{"a huge ping", framesOf(clientHeader(0x89, 1<<40), make([]byte, 4)), []string{"close:1002"}},
		{"32 KiB exactly", framesOf(textFrame(most), closeOf(1000, "")), []string{"text:" + most, "close:1000"}},
		{
			"32 KiB exactly, in fragments", framesOf(clientFrame(opText, most[:1000]), clientFrame(bitFin, most[1000:]), closeOf(1000, "")),
			[]string{"text:" + most, "close:1000"},
		},
		{"over 32 KiB by a byte", framesOf(textFrame(most + "a")), []string{"close:1009"}},
		{"over 32 KiB by a byte, in fragments", framesOf(clientFrame(opText, most), clientFrame(bitFin, "a")), []string{"close:1009"}},
		{"over 32 KiB, binary", framesOf(clientFrame(bitFin|opBinary, most+"a")), []string{"close:1009"}},

		{"endless fragments of one byte", framesOf(clientFrame(opText, ""), more(cont("a"), 5000)), []string{"close:4408 too many fragments"}},
		{"endless empty fragments", framesOf(clientFrame(opText, ""), more(cont(""), 5000)), []string{"close:4408 too many fragments"}},
		{"a binary message without end", framesOf(clientFrame(opBinary, ""), more(cont(""), 5000)), []string{"close:1003"}},

		{"a flood of pings", framesOf(more(pingOf(""), 101)), append(repeated("pong:", 100), "close:4429")},
		{"a flood of pongs", framesOf(more(pong, 101)), []string{"close:4429"}},
		{"a flood of pings within a message", framesOf(clientFrame(opText, "a"), more(pingOf(""), 101)), append(repeated("pong:", 100), "close:4429")},
		{
			"as many pings, with messages between", framesOf(more(append(pingOf(""), textFrame("m")...), 101), closeOf(1000, "")),
			append(repeatedPairs("pong:", "text:m", 101), "close:1000"),
		},
	})
}

func repeated(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func repeatedPairs(a, b string, n int) []string {
	var all []string
	for range n {
		all = append(all, a, b)
	}
	return all
}
