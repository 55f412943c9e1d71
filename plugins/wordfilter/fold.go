package wordfilter

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// symbol is a character as it is compared, and the bytes of the text that it was
// made of. Several can come of the same bytes, as two of the ligature ﬁ.
type symbol struct {
	r        rune
	from, to int32
}

// maxSymbols is how many symbols one character becomes at most. Those that stand
// for a word or a unit stay below; past it is the Arabic for “God's blessing and
// peace be upon him”, of which a message would become eighteen times as long.
const maxSymbols = 8

// fold brings a text into the form in which it is compared: compatibility
// characters as their plain ones (Unicode's NFKC, so that ｆｕｌｌ width is full
// width), case folded, runs of white space as one space, and without what nobody
// sees, since an invisible character in a word hides it from a program alone.
func fold(text string) []symbol {
	out := make([]symbol, 0, len(text))
	lower := cases.Fold()
	var buf [4 * norm.MaxSegmentSize]byte
	var it norm.Iter
	it.InitString(norm.NFKC, text)
	from, first := int32(0), 0 // where the bytes, and the symbols, of what is being read begin
	for !it.Done() {
		segment := it.Next()
		if len(segment) == 1 && segment[0] > ' ' && segment[0] < utf8.RuneSelf {
			c := segment[0]
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			out = append(out, symbol{r: rune(c), from: from})
		} else if len(out)-first < maxSymbols {
			var folded []byte
			if n, _, err := lower.Transform(buf[:], segment, true); err == nil {
				folded = buf[:n]
			} else {
				folded = lower.Bytes(segment) // too long for buf
			}
			for len(folded) > 0 {
				r, n := utf8.DecodeRune(folded)
				folded = folded[n:]
				switch {
				case unseen(r):
				case !unicode.IsSpace(r):
					out = append(out, symbol{r: r, from: from})
				case len(out) > 0 && out[len(out)-1].r == ' ':
					first = min(first, len(out)-1) // one longer space
				default:
					out = append(out, symbol{r: ' ', from: from})
				}
			}
		}
		// A character may come in several segments; the last one moves on.
		if to := int32(it.Pos()); to > from {
			for i := first; i < len(out); i++ {
				out[i].to = to
			}
			from, first = to, len(out)
		}
	}
	return out
}

// unseen tells whether a character shows nothing by itself: joiners, soft
// hyphens, variation selectors, fillers.
func unseen(r rune) bool {
	return r >= 0xAD && unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// unspaced are the scripts that write words without anything between them. Where
// one ends only a dictionary could say, so an entry in these matches wherever it
// stands. Katakana is not among them: it is what words from abroad are written
// in, between others that are not.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

// joins tells whether a character is part of a word that goes on in a neighbour
// of which the same is true.
func joins(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.N) && !unicode.In(r, unspaced...)
}

// boundaries tells for each place before, between and after symbols whether a
// word may begin or end there: never within what one character became, nor
// before a mark that belongs to the character it stands on.
func boundaries(text []symbol) []bool {
	cut := make([]bool, len(text)+1)
	cut[0], cut[len(text)] = true, true
	before := len(text) > 0 && joins(text[0].r)
	for i := 1; i < len(text); i++ {
		here := joins(text[i].r)
		cut[i] = !(before && here) && text[i].from >= text[i-1].to && !unicode.Is(unicode.M, text[i].r)
		before = here
	}
	return cut
}
