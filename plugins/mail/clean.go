package mail

import (
	"strings"
	"unicode"

	"github.com/bellhub/bellhub/hub"
)

// lineEnds are the characters, or pairs, that some program breaks a line at.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// lines splits what somebody wrote into lines fit for an email: no control,
// direction or invisible characters, no space at a line's end, no empty lines
// around it all.
func lines(s string) []string {
	s = lineEnds.Replace(strings.ToValidUTF8(s, "\uFFFD"))
	all := strings.Split(strings.Map(visible, s), "\n")
	for i := range all {
		all[i] = strings.TrimRightFunc(all[i], unicode.IsSpace)
	}
	for len(all) > 0 && all[0] == "" {
		all = all[1:]
	}
	for len(all) > 0 && all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	return all
}

// oneLine is s as it may stand in a header or a sentence: line ends and runs of
// spaces are single spaces.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.Join(lines(s), " ")), " ")
}

// visible maps what must not be in an email to nothing. The two joiners stay:
// emoji and several scripts are written with them.
func visible(r rune) rune {
	switch {
	case r == '\u200C', r == '\u200D':
		return r
	case !hub.Readable(r), unicode.Is(unicode.Cf, r):
		return -1
	}
	return r
}
