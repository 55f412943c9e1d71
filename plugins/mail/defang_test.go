package mail

import "testing"

func TestDefang(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"https://evil.example", "hxxps://evil[.]example"},
		{"HTTP://Evil.Example/a.b?c=d.e", "hxxp://Evil[.]Example/a.b?c=d.e"},
		{"see http://localhost:8080/x", "see hxxp://localhost:8080/x"},
		{"http://2130706433/", "hxxp://2130706433/"},
		{"ftp://evil.example", "ftp[:]//evil[.]example"},
		{"coap+tcp://x.example", "coap+tcp[:]//x[.]example"},
		{"evil.example", "evil[.]example"},
		{"www.evil.example", "www[.]evil[.]example"},
		{"1.evil.example", "1[.]evil[.]example"},
		{"evil.c.example", "evil[.]c[.]example"},
		{"//evil.example/x", "//evil[.]example/x"},
		{"https:evil.example", "https[:]evil[.]example"},
		{"evil.xn--p1ai", "evil[.]xn--p1ai"},
		{"пример.рф", "пример[.]рф"},
		{"evil。example", "evil[.]example"},
		{"javascript:alert(1)", "javascript[:]alert(1)"},
		{"JavaScript:alert(1)", "JavaScript[:]alert(1)"},
		{"data:text/html,x", "data[:]text/html,x"},
		{"mailto:a@evil.example", "mailto[:]a[@]evil[.]example"},
		{"tel:+62812", "tel[:]+62812"},
		{"ana@shop.example", "ana[@]shop[.]example"},
		{"a@b@c", "a[@]b[@]c"},
		{"10.0.0.1 and 192.168.1.20:80", "10[.]0[.]0[.]1 and 192[.]168[.]1[.]20:80"},
		{"evil.example.", "evil[.]example."},
		{"(evil.example)", "(evil[.]example)"},
		{"thanks.Bye", "thanks[.]Bye"}, // a host for all we know

		{"I need an invoice in my company's name", "I need an invoice in my company's name"},
		{"Two bags, e.g. 3.5 kg, i.e. Rp 120.000.", "Two bags, e.g. 3.5 kg, i.e. Rp 120.000."},
		{"Thanks. Bye... really?", "Thanks. Bye... really?"},
		{"at 10.30 p.m. on 3.3.2026", "at 10.30 p.m. on 3.3.2026"},
		{"my data: none; note: call me @ 5", "my data: none; note: call me @ 5"},
		{"v1.2.3 of the app", "v1.2.3 of the app"},
		{"👩‍👩‍👧 terima kasih 🙏", "👩‍👩‍👧 terima kasih 🙏"},
	} {
		if got := defang(c.in); got != c.want {
			t.Errorf("defang(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// Defanged text has nothing left to defang: no rule makes work for another.
func FuzzDefang(f *testing.F) {
	for _, s := range []string{"https://evil.example", "a@b.cd", "javascript:x", "1.2.3.4", "a://b://c", "x.y.zz@q"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for i, l := range lines(s) {
			once := defang(l)
			if hostName.MatchString(once) || scheme.MatchString(once) && !hxxp(once) {
				t.Errorf("line %d: %q became %q, which is a link still", i, l, once)
			}
		}
	})
}

// hxxp tells whether the only schemes left are the disarmed ones.
func hxxp(s string) bool {
	for _, m := range scheme.FindAllStringSubmatch(s, -1) {
		if len(m[1]) < 4 || (m[1][len(m[1])-4:] != "hxxp" && m[1][len(m[1])-5:] != "hxxps") {
			return false
		}
	}
	return true
}

func TestClean(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"line ends in a name", "Kopi\r\nBcc: x@evil.example", "Kopi Bcc: x@evil.example"},
		{"other line ends", "a\u2028b\u2029c\vd\fe\u0085f\rg", "a b c d e f g"},
		{"control characters", "a\x00b\x1b[31mc\x7f", "ab[31mc"},
		{"directions", "\u202Eevil\u202C \u2066x\u2069\u200E\u061C", "evil x"},
		{"invisible", "e\u200Bv\u00ADi\uFEFFl", "evil"},
		{"joined emoji", "👩‍👩‍👧 😀", "👩‍👩‍👧 😀"},
		{"broken UTF-8", "a\xffb", "a\uFFFDb"},
		{"spaces", "  a \t  b  ", "a b"},
	} {
		if got := oneLine(c.in); got != c.want {
			t.Errorf("%s: oneLine(%q) = %q, want %q", c.name, c.in, got, c.want)
		}
	}
	if got := quote(lines("\n\n one\r\ntwo  \n\nthree\n")); got != ">  one\n> two\n>\n> three" {
		t.Errorf("quoted: %q", got)
	}
}
