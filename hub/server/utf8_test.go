package server

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

const greek = "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5" // κόσμε

// encodings are the texts of the suite's group 6, after Markus Kuhn's list of
// what breaks decoders of UTF-8.
var encodings = []struct {
	name  string
	texts []string
	valid bool
}{
	{"text in many scripts", []string{"Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!", greek, "🔔👩\u200d👩\u200d👧"}, true},
	{"the first of each length", []string{"\x00", "\xC2\x80", "\xE0\xA0\x80", "\xF0\x90\x80\x80"}, true},
	{"the last of each length", []string{"\x7F", "\xDF\xBF", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"}, true},
	{"around the surrogates and the end", []string{"\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBD", "\xF4\x8F\xBF\xBF"}, true},
	{"beyond the end", []string{"\xF4\x90\x80\x80", "\xF7\xBF\xBF\xBF"}, false},
	{"five and six bytes", []string{
		"\xF8\x88\x80\x80\x80", "\xFC\x84\x80\x80\x80\x80", "\xFB\xBF\xBF\xBF\xBF", "\xFD\xBF\xBF\xBF\xBF\xBF",
	}, false},
	{"continuations without a start", []string{
		"\x80", "\xBF", "\x80\xBF", "\x80\xBF\x80", "\x80\xBF\x80\xBF", "\x80\xBF\x80\xBF\x80", "\x80\xBF\x80\xBF\x80\xBF", run(0x80, 0xBF, ""),
	}, false},
	{"starts without a continuation", []string{
		run(0xC0, 0xDF, " "), run(0xE0, 0xEF, " "), run(0xF0, 0xF7, " "), run(0xF8, 0xFB, " "), run(0xFC, 0xFD, " "),
	}, false},
	{"the last continuation missing", []string{
		"\xC0", "\xE0\x80", "\xF0\x80\x80", "\xF8\x80\x80\x80", "\xFC\x80\x80\x80\x80",
		"\xDF", "\xEF\xBF", "\xF7\xBF\xBF", "\xFB\xBF\xBF\xBF", "\xFD\xBF\xBF\xBF\xBF",
		"\xC0\xE0\x80\xF0\x80\x80\xF8\x80\x80\x80\xFC\x80\x80\x80\x80\xDF\xEF\xBF\xF7\xBF\xBF\xFB\xBF\xBF\xBF\xFD\xBF\xBF\xBF\xBF",
	}, false},
	{"bytes that never occur", []string{"\xFE", "\xFF", "\xFE\xFE\xFF\xFF"}, false},
	{"a slash, overlong", []string{"\xC0\xAF", "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\xF8\x80\x80\x80\xAF", "\xFC\x80\x80\x80\x80\xAF"}, false},
	{"the largest overlong forms", []string{"\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xF8\x87\xBF\xBF\xBF", "\xFC\x83\xBF\xBF\xBF\xBF"}, false},
	{"NUL, overlong", []string{"\xC0\x80", "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xF8\x80\x80\x80\x80", "\xFC\x80\x80\x80\x80\x80"}, false},
	{"single surrogates", []string{
		"\xED\xA0\x80", "\xED\xAD\xBF", "\xED\xAE\x80", "\xED\xAF\xBF", "\xED\xB0\x80", "\xED\xBE\x80", "\xED\xBF\xBF",
	}, false},
	{"paired surrogates", []string{
		"\xED\xA0\x80\xED\xB0\x80", "\xED\xA0\x80\xED\xBF\xBF", "\xED\xAD\xBF\xED\xB0\x80", "\xED\xAD\xBF\xED\xBF\xBF",
		"\xED\xAE\x80\xED\xB0\x80", "\xED\xAE\x80\xED\xBF\xBF", "\xED\xAF\xBF\xED\xB0\x80", "\xED\xAF\xBF\xED\xBF\xBF",
	}, false},
	{"non-characters, which are text", nonCharacters(), true},
	{"specials and the replacement character", []string{"\uFFF9", "\uFFFA", "\uFFFB", "\uFFFC", "\uFFFD", "\uFFFE", "\uFFFF"}, true},
	{"the byte order mark", []string{"\uFEFF", "a\uFEFFb"}, true},
}

// run is every byte from first to last, each followed by a text.
func run(first, last byte, after string) string {
	var b strings.Builder
	for c := first; ; c++ {
		b.WriteByte(c)
		b.WriteString(after)
		if c == last {
			return b.String()
		}
	}
}

// nonCharacters are the last two code points of each of the 17 planes.
func nonCharacters() []string {
	var all []string
	for plane := rune(0); plane <= 0x10; plane++ {
		all = append(all, string(plane<<16|0xFFFE), string(plane<<16|0xFFFF))
	}
	return all
}

// Group 6 of the suite: what is no UTF-8 is closed for with 1007, whether it
// comes in one frame, in two, or each of its bytes in a frame of its own.
func TestEncodings(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	try := func(t *testing.T, text string, valid bool) {
		t.Helper()
		if utf8.ValidString(text) != valid {
			t.Fatalf("%q: the table is wrong", text)
		}
		want := []string{"close:1007"}
		if valid {
			want = []string{"text:" + text, "close:1000"}
		}
		for _, size := range []int{max(len(text), 1), max((len(text)+1)/2, 1), 1} {
			send := append(fragmented(text, size), closeOf(1000, ""))
			r.converse(t, send, want)
			r.converse(t, pieces[0].cut(send), want)
		}
	}
	for _, group := range encodings {
		t.Run(group.name, func(t *testing.T) {
			for _, text := range group.texts {
				try(t, text, group.valid)
				try(t, greek+text+"edited", group.valid)
			}
		})
	}
	t.Run("prefixes of a text", func(t *testing.T) {
		for n := range len(greek) + 1 {
			try(t, greek[:n], utf8.ValidString(greek[:n]))
		}
	})
}

// fragmented is a message in frames of so many bytes.
func fragmented(text string, size int) [][]byte {
	var frames [][]byte
	op := byte(opText)
	for _, part := range chopped([]byte(text), size) {
		frames = append(frames, clientFrame(op, string(part)))
		op = opContinuation
	}
	frames[len(frames)-1][0] |= bitFin
	return frames
}

// What cannot become text any more is refused at once, though the message goes
// on: at the latest with the end of the frame that made it so.
func TestEncodingsFailFast(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	for _, c := range []struct {
		name string
		send [][]byte // not the whole message
	}{
		{"in the first fragment", framesOf(clientFrame(opText, "ok\xFF"))},
		{"in the second fragment", framesOf(clientFrame(opText, greek), clientFrame(opContinuation, "\xF4\x90\x80\x80"))},
		{"by the second fragment", framesOf(clientFrame(opText, greek+"\xF4"), clientFrame(opContinuation, "\x90"))},
		{"by an empty last fragment", framesOf(clientFrame(opText, "\xE2\x82"), clientFrame(bitFin|opContinuation, ""))},
		{"by the third of a rune in three", framesOf(clientFrame(opText, "\xE2"), clientFrame(opContinuation, "\x82"), clientFrame(opContinuation, "x"))},
		{"past a first buffer", framesOf(clientFrame(opText, strings.Repeat("€", 5000)+"\xFF"))},
		{"at the very end of one", framesOf(textFrame(strings.Repeat("a", messageBuffer-1) + "\xE2"))},
		{"across its end", framesOf(textFrame(strings.Repeat("a", messageBuffer-1) + "\xE2\x28\xA1"))},
	} {
		t.Run(c.name, func(t *testing.T) { r.converse(t, c.send, []string{"close:1007"}) })
	}
}

// Runes that lie across the end of a buffer are whole all the same.
func TestEncodingsAcrossBuffers(t *testing.T) {
	r := newEdgeRig(t, edgeOptions(), echoAll)
	for _, buffer := range []int{readBuffer, messageBuffer, 2 * messageBuffer} {
		for before := range 5 {
			text := strings.Repeat("a", buffer-before) + "🔔é"
			t.Run(fmt.Sprintf("%d bytes before %d", before, buffer), func(t *testing.T) {
				r.converse(t, framesOf(textFrame(text), closeOf(1000, "")), []string{"text:" + text, "close:1000"})
			})
		}
	}
}
