package server

import (
	"fmt"
	"strings"
	"testing"
)

// Groups 1 to 4 of the suite: the sizes of a message, pings and pongs, reserved
// bits, reserved opcodes.

func TestMessageSizes(t *testing.T) {
	o := edgeOptions()
	o.MaxFrame = 64 << 10
	r := newEdgeRig(t, o, echoAll)
	var rows []exchange
	// Around the ends of the three encodings of a length, and of our buffers.
	for _, n := range []int{0, 1, 125, 126, 127, 128, 511, 512, 513, 2 << 10, 65535, 65536} {
		text := strings.Repeat("*", n)
		rows = append(
			rows,
			exchange{fmt.Sprint("text of ", n), framesOf(textFrame(text), closeOf(1000, "")), []string{"text:" + text, "close:1000"}},
			exchange{fmt.Sprint("binary of ", n), framesOf(clientFrame(bitFin|opBinary, text)), []string{"close:1003"}},
		)
	}
	// Longer forms of a length than needed: section 5.2 forbids them, the
	// library takes them, and nothing is gained by refusing.
	rows = append(rows, exchange{
		"a length of 16 bits that fits 7", framesOf(append([]byte{0x81, bitMasked | len16, 0, 2, 0, 0, 0, 0}, "hi"...), closeOf(1000, "")),
		[]string{"text:hi", "close:1000"},
	})
	converse(t, r, rows)
}

func TestPingsAndPongs(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	most := strings.Repeat("\xFE", 125)
	var ten [][]byte
	var tenPongs []string
	for i := range 10 {
		ten = append(ten, pingOf(fmt.Sprint("payload-", i)))
		tenPongs = append(tenPongs, fmt.Sprint("pong:payload-", i))
	}
	pong := func(s string) []byte { return clientFrame(bitFin|opPong, s) }
	end := closeOf(1000, "")
	converse(t, r, []exchange{
		{"a ping without payload", framesOf(pingOf(""), end), []string{"pong:", "close:1000"}},
		{"a ping with text", framesOf(pingOf("Hello"), end), []string{"pong:Hello", "close:1000"}},
		{"a ping that is not text", framesOf(pingOf("\x00\xFF\xFE\xFD\x00\xFF"), end), []string{"pong:\x00\xFF\xFE\xFD\x00\xFF", "close:1000"}},
		{"a ping of 125 bytes", framesOf(pingOf(most), end), []string{"pong:" + most, "close:1000"}},
		{"a ping of more than 125 bytes", framesOf(pingOf(most + "\xFE")), []string{"close:1002"}},
		{"a pong nobody asked for", framesOf(pong(""), end), []string{"close:1000"}},
		{"one with a payload", framesOf(pong("unasked"), end), []string{"close:1000"}},
		{"one, and a ping", framesOf(pong("unasked"), pingOf("asked"), end), []string{"pong:asked", "close:1000"}},
		{"a pong of more than 125 bytes", framesOf(pong(most + "\xFE")), []string{"close:1002"}},
		{"ten pings", append(ten, end), append(tenPongs, "close:1000")},
	})
}

func TestReservedBits(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	var rows []exchange
	for rsv := byte(0x10); rsv <= bitsRSV; rsv += 0x10 {
		for name, op := range map[string]byte{"text": opText, "binary": opBinary, "ping": opPing, "pong": opPong, "close": opClose} {
			bad := clientFrame(bitFin|rsv|op, "")
			rows = append(rows, exchange{
				fmt.Sprintf("RSV=%d on %s, after a good message, before a ping", rsv>>4, name),
				framesOf(textFrame("good"), bad, pingOf("")),
				[]string{"text:good", "close:1002"},
			})
		}
	}
	rows = append(
		rows,
		exchange{"on a text frame with a payload", framesOf(clientFrame(0xC1, "small")), []string{"close:1002"}},
		exchange{"on a continuation", framesOf(clientFrame(opText, "a"), clientFrame(0xC0, "b")), []string{"close:1002"}},
	)
	converse(t, r, rows)
}

func TestReservedOpcodes(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	var rows []exchange
	for _, op := range []byte{3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF} {
		for _, payload := range []string{"", "reserved"} {
			rows = append(rows, exchange{
				fmt.Sprintf("opcode %X with %q, after a good message, before a ping", op, payload),
				framesOf(textFrame("good"), clientFrame(bitFin|op, payload), pingOf("")),
				[]string{"text:good", "close:1002"},
			})
		}
	}
	converse(t, r, rows)
}
