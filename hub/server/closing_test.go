package server

import (
	"fmt"
	"strings"
	"testing"
)

// Group 7 of the suite: the closing handshake.
func TestClosing(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	end := closeOf(1000, "")
	long := strings.Repeat("a", 20<<10)
	converse(t, r, []exchange{
		{"after a message", framesOf(textFrame("Hello"), end), []string{"text:Hello", "close:1000"}},
		{"twice", framesOf(end, closeOf(1001, "")), []string{"close:1000"}},
		{"and then a ping", framesOf(end, pingOf("late")), []string{"close:1000"}},
		{"and then a message", framesOf(end, textFrame("late")), []string{"close:1000"}},
		{"between fragments", framesOf(clientFrame(opText, "a"), end, clientFrame(bitFin|opContinuation, "b")), []string{"close:1000"}},
		{
			"after a long message, and then a ping", framesOf(textFrame(long), textFrame("Hello"), end, pingOf("late")),
			[]string{"text:" + long, "text:Hello", "close:1000"},
		},
		{"and then what is no frame", framesOf(end, []byte("GET / HTTP/1.1\r\n\r\n"), make([]byte, 4<<10)), []string{"close:1000"}},

		{"without a code", framesOf(clientFrame(bitFin|opClose, "")), []string{"close:"}},
		{"with one byte", framesOf(clientFrame(bitFin|opClose, "\x03")), []string{"close:1002"}},
		{"with a code", framesOf(closeOf(1000, "")), []string{"close:1000 "}},
		{"with a reason, which is not echoed", framesOf(closeOf(1000, "Hello World!")), []string{"close:1000 "}},
		{"with a reason of 123 bytes", framesOf(closeOf(1000, long[:123])), []string{"close:1000 "}},
		{"with a reason of 124 bytes", framesOf(closeOf(1000, long[:124])), []string{"close:1002"}},
		{"with a reason that is no text", framesOf(closeOf(1000, greek+"\xED\xA0\x80")), []string{"close:1007"}},
		{"with a reason cut in a rune", framesOf(closeOf(1000, greek[:3])), []string{"close:1007"}},

		{"a bad frame, and more", framesOf(clientFrame(bitFin|3, ""), []byte(long)), []string{"close:1002"}},
	})
}

// Codes that a peer may send are echoed; those that stand for the lack of one,
// are reserved, or belong to nobody, are a breach of the protocol.
func TestCloseCodes(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 3000, 3999, 4000, 4401, 4999} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			r.converse(t, framesOf(closeOf(code, "")), []string{fmt.Sprint("close:", code)})
			r.converse(t, framesOf(closeOf(code, "why")), []string{fmt.Sprint("close:", code)})
		})
	}
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			r.converse(t, framesOf(closeOf(code, "")), []string{"close:1002"})
			r.converse(t, framesOf(closeOf(code, "why")), []string{"close:1002"})
		})
	}
}
