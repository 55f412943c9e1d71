package server

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
)

func framesOf(frames ...[]byte) [][]byte { return frames }

// Frames as RFC 6455 wants them answered, after the cases of the Autobahn
// test suite; the numbers in front are those of the bad input that every
// release is tried with. Each case ends with the server's close.
func TestConformance(t *testing.T) {
	const euro = "\xE2\x82\xAC"
	cont := byte(opContinuation)
	big := strings.Repeat("a", 32<<10)
	for _, c := range []struct {
		name string
		send [][]byte
		want []string
	}{
		{
			"text of 0, 125, 126 and 127 bytes", framesOf(
				textFrame(""), textFrame(big[:125]), textFrame(big[:126]), textFrame(big[:127]), closeOf(1000, "")),
			[]string{"text:", "text:" + big[:125], "text:" + big[:126], "text:" + big[:127], "close:1000"},
		},
		{"text of the limit", framesOf(textFrame(big), closeOf(1000, "")), []string{"text:" + big, "close:1000"}},
		{
			"the limit in two fragments", framesOf(clientFrame(opText, big[:1000]), clientFrame(bitFin|cont, big[1000:]), closeOf(1000, "")),
			[]string{"text:" + big, "close:1000"},
		},

		{
			"ping", framesOf(pingOf("a\x00\xff"), pingOf(""), pingOf(big[:125]), closeOf(1000, "")),
			[]string{"pong:a\x00\xff", "pong:", "pong:" + big[:125], "close:1000"},
		},
		{
			"pongs nobody asked for", framesOf(clientFrame(bitFin|opPong, "x"), pingOf("y"), clientFrame(bitFin|opPong, ""), closeOf(1000, "")),
			[]string{"pong:y", "close:1000"},
		},

		{
			"fragments", framesOf(clientFrame(opText, "a"), clientFrame(cont, "b"), clientFrame(cont, ""), clientFrame(bitFin|cont, "c"), closeOf(1000, "")),
			[]string{"text:abc", "close:1000"},
		},
		{
			"empty fragments", framesOf(clientFrame(opText, ""), clientFrame(cont, ""), clientFrame(bitFin|cont, ""), closeOf(1000, "")),
			[]string{"text:", "close:1000"},
		},
		{
			"a ping between fragments", framesOf(clientFrame(opText, "a"), pingOf("p"), clientFrame(bitFin|cont, "b"), closeOf(1000, "")),
			[]string{"pong:p", "text:ab", "close:1000"},
		},
		{"a close between fragments", framesOf(clientFrame(opText, "a"), closeOf(1000, "")), []string{"close:1000"}},

		{"13 unmasked", framesOf([]byte{0x81, 2, 'h', 'i'}), []string{"close:1002"}},
		{"13 unmasked ping", framesOf([]byte{0x89, 0}), []string{"close:1002"}},
		{"13 unmasked, after a good one", framesOf(textFrame("good"), []byte{0x81, 0}), []string{"text:good", "close:1002"}},
		{"14 RSV1", framesOf(clientFrame(0xC1, "a")), []string{"close:1002"}},
		{"14 RSV2", framesOf(clientFrame(0xA1, "a")), []string{"close:1002"}},
		{"14 RSV3", framesOf(clientFrame(0x91, "a")), []string{"close:1002"}},
		{"14 RSV on a ping", framesOf(clientFrame(0xC9, "a")), []string{"close:1002"}},
		{"14 RSV on a close", framesOf(clientFrame(0xF8, "")), []string{"close:1002"}},
		{"15 opcode 3", framesOf(clientFrame(0x83, "")), []string{"close:1002"}},
		{"15 opcode 7", framesOf(clientFrame(0x87, "x")), []string{"close:1002"}},
		{"15 opcode B", framesOf(clientFrame(0x8B, "")), []string{"close:1002"}},
		{"15 opcode F", framesOf(clientFrame(0x8F, "x")), []string{"close:1002"}},
		{"16 ping of 126", framesOf(pingOf(big[:126])), []string{"close:1002"}},
		{"16 close of 126", framesOf(closeOf(1000, big[:124])), []string{"close:1002"}},
		{"17 fragmented ping", framesOf(clientFrame(opPing, "a")), []string{"close:1002"}},
		{"17 fragmented close", framesOf(clientFrame(opClose, "")), []string{"close:1002"}},
		{"18 orphan continuation", framesOf(clientFrame(bitFin|cont, "a")), []string{"close:1002"}},
		{"18 orphan after a message", framesOf(textFrame("a"), clientFrame(cont, "b")), []string{"text:a", "close:1002"}},
		{"19 interleaved messages", framesOf(clientFrame(opText, "a"), textFrame("b")), []string{"close:1002"}},
		{"20 length of 2^62, nothing sent", framesOf(clientHeader(0x81, 1<<62)), []string{"close:1009"}},
		{"20 length of 1 GiB, after a good one", framesOf(textFrame("a"), clientHeader(0x81, 1<<30)), []string{"text:a", "close:1009"}},
		{"20 length with its highest bit set", framesOf(clientHeader(0x81, 1<<63)), []string{"close:1002"}},
		{"21 one byte over", framesOf(textFrame(big + "a")), []string{"close:1009"}},
		{"21 one byte over, in fragments", framesOf(clientFrame(opText, big), clientFrame(bitFin|cont, "a")), []string{"close:1009"}},
		{"22 one-byte fragments", framesOf(clientFrame(opText, ""), []byte(strings.Repeat(string(clientFrame(cont, "a")), 5000))), []string{"close:4408 too many fragments"}},
		{"22 empty fragments", framesOf(clientFrame(opText, ""), []byte(strings.Repeat(string(clientFrame(cont, "")), 5000))), []string{"close:4408 too many fragments"}},
		{"24 binary", framesOf(clientFrame(bitFin|opBinary, "a")), []string{"close:1003"}},
		{"24 fragmented binary", framesOf(clientFrame(opBinary, "a"), clientFrame(bitFin|cont, "b")), []string{"close:1003"}},
		{"25 close of one byte", framesOf(clientFrame(0x88, "a")), []string{"close:1002"}},
		{"26 pings", framesOf([]byte(strings.Repeat(string(pingOf("")), 101))), append(repeated("pong:", 100), "close:4429")},
		{"26 pongs", framesOf([]byte(strings.Repeat(string(clientFrame(0x8A, "")), 101))), []string{"close:4429"}},
		{"26 pings within a message", framesOf(clientFrame(opText, "a"), []byte(strings.Repeat(string(pingOf("")), 101))), append(repeated("pong:", 100), "close:4429")},

		{"text", framesOf(textFrame("κόσμε "+euro+" 🔔"), closeOf(1000, "")), []string{"text:κόσμε " + euro + " 🔔", "close:1000"}},
		{
			"a rune in three fragments", framesOf(clientFrame(opText, "\xE2"), clientFrame(cont, "\x82"), clientFrame(bitFin|cont, "\xAC"), closeOf(1000, "")),
			[]string{"text:" + euro, "close:1000"},
		},
		{"non-characters", framesOf(textFrame("\uFFFE\uFFFF\U0010FFFF"), closeOf(1000, "")), []string{"text:\uFFFE\uFFFF\U0010FFFF", "close:1000"}},
		{"23 not UTF-8", framesOf(textFrame("a\xFFb")), []string{"close:1007"}},
		{"23 surrogate", framesOf(textFrame("\xED\xA0\x80")), []string{"close:1007"}},
		{"23 overlong", framesOf(textFrame("\xC0\xAF")), []string{"close:1007"}},
		{"23 too large", framesOf(textFrame("\xF4\x90\x80\x80")), []string{"close:1007"}},
		{"23 a rune cut short", framesOf(textFrame("\xE2\x82")), []string{"close:1007"}},
		{"23 a rune cut short in fragments", framesOf(clientFrame(opText, "\xE2"), clientFrame(bitFin|cont, "")), []string{"close:1007"}},
		{"23 at once, though the message goes on", framesOf(clientFrame(opText, "ok\xFF")), []string{"close:1007"}},
		{"23 at once, within a rune", framesOf(clientFrame(opText, "ok\xF4"), clientFrame(cont, "\x90")), []string{"close:1007"}},
		{"23 past a first buffer", framesOf(textFrame(strings.Repeat(euro, 5000) + "\xE2")), []string{"close:1007"}},

		{"close without a code", framesOf(clientFrame(0x88, "")), []string{"close:"}},
		{"close with a reason", framesOf(closeOf(1000, "bye")), []string{"close:1000 "}},
		{"close with a reason of 123 bytes", framesOf(closeOf(1000, big[:123])), []string{"close:1000 "}},
		{"reason not UTF-8", framesOf(closeOf(1000, "a\xFF")), []string{"close:1007"}},
		{"text after a close", framesOf(closeOf(1000, ""), textFrame("late")), []string{"close:1000"}},
		{"ping after a close", framesOf(closeOf(1000, ""), pingOf("late")), []string{"close:1000"}},
		{"two closes", framesOf(closeOf(1000, ""), closeOf(1001, "")), []string{"close:1000"}},
		{"bytes after a bad frame", framesOf(clientFrame(0x83, ""), []byte(big)), []string{"close:1002"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newEdgeRig(t, edgeOptions(), echoAll)
			client := r.open()
			client.send(c.send...)
			client.expect(c.want[:len(c.want)-1]...)
			client.expectClosed(c.want[len(c.want)-1])
		})
	}
}

func repeated(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestCloseCodes(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 3000, 3999, 4000, 4999} {
		c := r.open()
		c.send(closeOf(code, ""))
		c.expect("close:" + strconv.Itoa(code))
		c.expectEnd()
	}
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		c := r.open()
		c.send(closeOf(code, ""))
		c.expectClosed("close:1002")
	}
}

// A byte at a time, the answers are the same.
func TestChoppedFrames(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	c := r.open()
	c.SetNoDelay(true)
	for _, f := range framesOf(textFrame("µ"), pingOf("p"), clientFrame(opText, "\xC2"), clientFrame(bitFin, "\xB5"), closeOf(1000, "")) {
		for i := range f {
			c.send(f[i : i+1])
		}
	}
	c.expect("text:µ", "pong:p", "text:µ", "close:1000")
	c.expectEnd()
}

// Row 22: whoever begins a message has to end it in time; whoever says nothing
// has all the time.
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
