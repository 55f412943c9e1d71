package server

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/bellhub/bellhub/hub"
)

func TestFrameText(t *testing.T) {
	for _, c := range []struct {
		size   int
		header []byte
	}{
		{0, []byte{0x81, 0}},
		{125, []byte{0x81, 125}},
		{126, []byte{0x81, 126, 0, 126}},
		{65535, []byte{0x81, 126, 0xff, 0xff}},
		{65536, []byte{0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
	} {
		p := bytes.Repeat([]byte("x"), c.size)
		if got := frameText(p); !bytes.Equal(got, append(c.header, p...)) {
			t.Errorf("%d bytes: header % x, want % x", c.size, got[:len(got)-c.size], c.header)
		}
	}
}

func TestCloseFrame(t *testing.T) {
	for _, c := range []struct {
		name         string
		code, want   hub.CloseCode
		reason, sent string
	}{
		{"plain", hub.CloseDone, hub.CloseDone, "bye", "bye"},
		{"ours", hub.CloseFlood, hub.CloseFlood, "", ""},
		{"no status", 1005, hub.CloseInternal, "", ""},
		{"abnormal", 1006, hub.CloseInternal, "", ""},
		{"TLS", 1015, hub.CloseInternal, "", ""},
		{"reserved", 1004, hub.CloseInternal, "", ""},
		{"zero", 0, hub.CloseInternal, "", ""},
		{"too large", 70000, hub.CloseInternal, "", ""},
		{"exactly 123", hub.CloseDone, hub.CloseDone, strings.Repeat("a", 123), strings.Repeat("a", 123)},
		{"124", hub.CloseDone, hub.CloseDone, strings.Repeat("a", 124), strings.Repeat("a", 123)},
		{"cut in a rune", hub.CloseDone, hub.CloseDone, strings.Repeat("a", 121) + "€", strings.Repeat("a", 121)},
		{"not UTF-8", hub.CloseDone, hub.CloseDone, "a\xffb", "a\uFFFDb"},
	} {
		f := closeFrame(c.code, c.reason)
		if f[0] != 0x88 || int(f[1]) != len(f)-2 || len(f) > 127 {
			t.Fatalf("%s: header % x of %d bytes", c.name, f[:2], len(f))
		}
		if code := hub.CloseCode(binary.BigEndian.Uint16(f[2:])); code != c.want {
			t.Errorf("%s: code %d, want %d", c.name, code, c.want)
		}
		if reason := string(f[4:]); reason != c.sent || !utf8.ValidString(reason) {
			t.Errorf("%s: reason %q, want %q", c.name, reason, c.sent)
		}
	}
}

// Fed in any pieces, validText must agree with the standard library on the
// whole, and refuse no later than the byte that makes it wrong.
func TestValidText(t *testing.T) {
	for _, s := range []string{
		"", "ascii", "Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "\xF4\x8F\xBF\xBF", "\xEF\xBF\xBF", "\x00",
		"\xCE\xBA\xE1\xBD\xB9\xF4\x90\x80\x80", "\xED\xA0\x80", "\xC0\xAF", "\xF5\x80\x80\x80", "\x80", "\xBF", "a\xFF", "\xF0\x80\x80\xAF",
		"\xE1\xBD", "\xF0\x9F\x98", "a\xC3", "\xF4", "\xE2\x82\xE2",
	} {
		for first := range len(s) + 1 {
			checked, ok := 0, true
			for _, end := range []int{first, len(s)} {
				if ok {
					var n int
					n, ok = validText([]byte(s[checked:end]))
					checked += n
				}
			}
			if whole := ok && checked == len(s); whole != utf8.ValidString(s) {
				t.Errorf("%q split at %d: %v", s, first, whole)
			}
		}
	}
	if _, ok := validText([]byte("ok\xF4\x90")); ok {
		t.Error("F4 90 must fail before its third byte")
	}
	if n, ok := validText([]byte("ok\xF4\x8F\xBF")); n != 2 || !ok {
		t.Errorf("F4 8F BF may become a rune: %d %v", n, ok)
	}
}

// The meter must count the same whatever the pieces the stream comes in.
func TestMeterInPieces(t *testing.T) {
	stream := bytes.Join([][]byte{
		textFrame("one"), pingOf("x"), clientFrame(opText, "two "), pingOf(""), clientFrame(opContinuation, ""),
		clientFrame(bitFin|opContinuation, strings.Repeat("y", 300)), textFrame(strings.Repeat("z", 70_000)), textFrame(""),
	}, nil)
	for _, piece := range []int{1, 2, 3, 7, 100, len(stream)} {
		m := newMeter(1 << 20)
		for at := 0; at < len(stream); at += piece {
			end := min(at+piece, len(stream))
			if n, v := m.scan(stream[at:end]); v != nil || n != end-at {
				t.Fatalf("pieces of %d: %d %v at %d", piece, n, v, at)
			}
		}
		if m.messages != 4 || m.underWay() != 0 {
			t.Errorf("pieces of %d: %d messages, %d under way", piece, m.messages, m.underWay())
		}
	}
}

// What came before a bad frame in the same read is still good.
func TestMeterServesWhatWasGood(t *testing.T) {
	good := append(textFrame("a"), textFrame("b")...)
	m := newMeter(10)
	n, v := m.scan(append(append([]byte(nil), good...), textFrame("more than ten")...))
	if n != len(good) || v != verdictTooBig {
		t.Errorf("%d bytes good of %d, %v", n, len(good), v)
	}
	m = newMeter(10)
	m.scan(clientFrame(opText, "12345"))
	if _, v := m.scan(clientFrame(bitFin|opContinuation, "67890")); v != nil {
		t.Error("exactly ten in two fragments:", v)
	}
	if _, v := m.scan(clientHeader(bitFin|opText, 1<<62)); v != verdictTooBig {
		t.Error("an announced 4 EiB:", v)
	}
}
