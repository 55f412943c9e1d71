package wordfilter

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestMasking(t *testing.T) {
	for name, tt := range map[string]struct {
		entries    []string
		text, want string // want empty: as it is
	}{
		"nothing listed":              {nil, "You idiot", ""},
		"nothing found":               {[]string{"idiot"}, "You are kind", ""},
		"a word":                      {[]string{"idiot"}, "You idiot!", "You •••••!"},
		"in any case":                 {[]string{"Idiot"}, "iDIOT, IDIOT", "•••••, •••••"},
		"not within a word":           {[]string{"ass"}, "Classic assets, grass", ""},
		"at either end":               {[]string{"ass"}, "ass of an ass", "••• of an •••"},
		"beside punctuation":          {[]string{"idiot"}, "(idiot) idiot's _idiot_ idiot-like", "(•••••) •••••'s _•••••_ •••••-like"},
		"beside a digit is a word":    {[]string{"idiot"}, "idiot1 2idiot", ""},
		"a beginning":                 {[]string{"idiot*"}, "idiotic idiots, idiot. nonidiot", "••••••• ••••••, •••••. nonidiot"},
		"a star within is a star":     {[]string{"f*ck"}, "f*ck fuck", "•••• fuck"},
		"a phrase":                    {[]string{"go away"}, "Go  away! go\naway. going away", "••  ••••! ••\n••••. going away"},
		"a phrase's beginning":        {[]string{"go aw*"}, "go awry and go on", "•• •••• and go on"},
		"overlapping":                 {[]string{"a b", "b c", "c"}, "a b c d", "• • • d"},
		"one within the other":        {[]string{"b", "a b c"}, "a b c, b", "• • •, •"},
		"the start of a longer one":   {[]string{"a b c d", "b"}, "a b c e", "a • c e"},
		"as such and as a beginning":  {[]string{"cat", "cat*"}, "cat cats", "••• ••••"},
		"full width":                  {[]string{"idiot"}, "ｉｄｉｏｔ", "•••••"},
		"dressed up":                  {[]string{"idiot"}, "𝓲𝓭𝓲𝓸𝓽 ⓘⓓⓘⓞⓣ", "••••• •••••"},
		"a ligature":                  {[]string{"fish"}, "ﬁsh", "•••"},
		"half a ligature":             {[]string{"f", "i"}, "ﬁ", ""},
		"composed or not":             {[]string{"crème"}, "cre\u0300me CRÈME", "••••• •••••"},
		"an accent makes another":     {[]string{"creme"}, "crème cre\u0300me", ""},
		"a mark that is not composed": {[]string{"x"}, "x\u0301 x", "x\u0301 •"},
		"sharp s":                     {[]string{"straße"}, "STRASSE Straße", "••••••• ••••••"},
		"sigmas":                      {[]string{"λόγος"}, "ΛΌΓΟΣ", "•••••"},
		"an invisible character":      {[]string{"idiot"}, "id\u200biot i\u00addiot \u2060idiot", "••••• ••••• \u2060•••••"},
		"invisible in the entry":      {[]string{"id\u200diot"}, "idiot", "•••••"},
		"many marks":                  {[]string{"idiot"}, "i" + strings.Repeat("\u0301", 50) + "diot idiot", "i" + strings.Repeat("\u0301", 50) + "diot •••••"},
		"Chinese has no spaces":       {[]string{"笨蛋"}, "你是笨蛋吗", "你是••吗"},
		"Chinese beside Latin":        {[]string{"笨蛋", "ok"}, "ok笨蛋ok", "••••••"},
		"Japanese":                    {[]string{"ばか"}, "おばかさん", "お••さん"},
		"Katakana words are whole":    {[]string{"バカ"}, "バカンス、バカな", "バカンス、••な"},
		"half-width Katakana":         {[]string{"バカ"}, "ﾊﾞｶです", "•••です"},
		"Thai":                        {[]string{"โง่"}, "คนโง่มาก", "คน••มาก"},
		"not half of a Thai syllable": {[]string{"กา"}, "ก่า", ""},
		"Korean is spaced":            {[]string{"바보", "멍청*"}, "바보 바보야 멍청이", "•• 바보야 •••"},
		"emoji":                       {[]string{"🖕"}, "ok🖕🖕", "ok••"},
		"one character, a sentence":   {[]string{"\ufdfa", "صلى"}, "\ufdfa \ufdfaa", "• \ufdfaa"},
		"Arabic":                      {[]string{"غبي"}, "انت غبي", "انت •••"},
		"not UTF-8 in the middle":     {[]string{"idiot"}, "idiot \xff idiot", "••••• \xff •••••"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.want == "" {
				tt.want = tt.text
			}
			got, refused := compile(tt.entries, nil).check(tt.text)
			if got != tt.want || refused {
				t.Errorf("%q becomes %q (refused %v), want %q", tt.text, got, refused, tt.want)
			}
			if _, refused = compile(nil, tt.entries).check(tt.text); refused != (tt.want != tt.text) {
				t.Errorf("%q: refused %v", tt.text, refused)
			}
		})
	}
}

func TestOneRefusedIsEnough(t *testing.T) {
	l := compile([]string{"darn", "bad luck"}, []string{"luck"})
	for text, want := range map[string]bool{"darn": false, "bad luck": true, "darn, luck": true, "lucky": false} {
		if _, refused := l.check(text); refused != want {
			t.Errorf("%q: refused %v", text, refused)
		}
	}
}

// FuzzCheck compares the automaton with the plainest search there is, over an
// alphabet small enough to meet, and holds it to what a mask may change.
func FuzzCheck(f *testing.F) {
	f.Add("a b", "ab*", "ab abb a b ba ﬁ")
	f.Add("啊a", "啊", "啊啊a 啊")
	f.Add("x\u0301", "i\u200bx", "ix x\u0301 "+strings.Repeat("\u0301", 70))
	f.Fuzz(func(t *testing.T, one, two, text string) {
		entries := []string{one, two}
		masked, refused := compile(nil, entries).check(text)
		symbols := fold(text)
		cut := boundaries(symbols)
		covered := make([]bool, len(symbols))
		found := false
		for _, e := range entries {
			word, prefix := strings.CutSuffix(e, "*")
			want := fold(word)
			for from := range symbols {
				to := from + len(want)
				if len(want) == 0 || to > len(symbols) || !cut[from] {
					continue
				}
				same := true
				for i, s := range want {
					same = same && symbols[from+i].r == s.r
				}
				for same && prefix && !cut[to] {
					to++
				}
				if same && cut[to] {
					found = true
					for i := from; i < to; i++ {
						covered[i] = true
					}
				}
			}
		}
		if refused != found {
			t.Fatalf("refused %v, found %v", refused, found)
		}
		for i, s := range symbols {
			if s.from < 0 || s.from >= s.to || int(s.to) > len(text) || i > 0 && s.from < symbols[i-1].from {
				t.Fatalf("symbol %d of %q is %+v", i, text, s)
			}
		}
		plain := func(s string) int { // what stands there besides bullets
			return utf8.RuneCountInString(strings.ReplaceAll(s, string(bullet), ""))
		}
		if !found && masked != text || utf8.RuneCountInString(masked) > utf8.RuneCountInString(text) || plain(masked) > plain(text) {
			t.Fatalf("%q became %q", text, masked)
		}
		if utf8.ValidString(text) && !utf8.ValidString(masked) {
			t.Fatalf("%q became %q", text, masked)
		}
		for i, s := range symbols {
			kept := strings.ContainsFunc(text[s.from:s.to], func(r rune) bool { return unicode.IsLetter(r) && r != bullet })
			if kept && covered[i] && strings.Count(text, text[s.from:s.to]) == 1 && strings.Contains(masked, text[s.from:s.to]) {
				t.Fatalf("%q became %q: %q is still there", text, masked, text[s.from:s.to])
			}
		}
	})
}

// BenchmarkCheck is a message of 4,000 characters, the longest, against a full
// list: as people write, and as somebody would who wants the filter to be slow.
func BenchmarkCheck(b *testing.B) {
	words := make([]string, maxEntries)
	for i := range words {
		words[i] = fmt.Sprintf("word%d", i)
	}
	nested := func(c string) (all []string) { // each the beginning and the end of the next
		for i := range maxEntry {
			all = append(all, strings.Repeat(c, i+1))
		}
		return all
	}
	r := rand.New(rand.NewPCG(1, 2))
	random := func(alphabet []rune) string {
		all := make([]rune, 4000)
		for i := range all {
			all[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(all)
	}
	for _, bb := range []struct {
		name    string
		entries []string
		text    string
	}{
		{"Prose", words, strings.Repeat("Do you ship the word7 grinder to Oslo? ", 103)[:4000]},
		{"NothingListed", nil, strings.Repeat("a", 4000)},
		{"NearMisses", words, strings.Repeat("word49", 667)[:4000]},
		{"NestedLatin", nested("a "), strings.Repeat("a ", 2000)},
		{"NestedChinese", nested("啊"), strings.Repeat("啊", 4000)},
		{"NestedBeginnings", []string{"a*", "aa*", "aaa*", strings.Repeat("a", 99) + "*"}, strings.Repeat("a", 4000)},
		{"Dressed", words, strings.Repeat("𝔀", 4000)},
		{"Marks", words, "a" + strings.Repeat("\u0301", 3999)},
		{"Expanding", words, strings.Repeat("\ufdfa", 4000)},
		{"Random", nested("啊"), random([]rune("aAàà啊ｗ\u200b\u0301 ﬁ한"))},
	} {
		b.Run(bb.name, func(b *testing.B) {
			l := compile(bb.entries, nil)
			b.ReportAllocs()
			for b.Loop() {
				l.check(bb.text)
			}
		})
	}
}

// BenchmarkCompile is a full list of the longest entries: what the first message
// after a change costs.
func BenchmarkCompile(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	all := make([]string, maxEntries)
	for i := range all {
		word := make([]byte, maxEntry)
		for j := range word {
			word[j] = 'a' + byte(r.IntN(26))
		}
		all[i] = string(word)
	}
	b.ReportAllocs()
	for b.Loop() {
		compile(all, nil)
	}
}
