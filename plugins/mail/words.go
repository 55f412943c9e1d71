package mail

import (
	"strings"
	"unicode/utf8"

	"github.com/bellhub/bellhub/hub"
)

// emailLang is the language of emails: a domain has no language of its own yet.
const emailLang = hub.DefaultLang

// words are the texts of one language.
type words struct {
	lang string
	all  hub.Texts
}

func (w words) text(key string, pairs ...string) string { return w.all.Text(w.lang, key, pairs...) }

// textWidth is how wide a sentence of the plain text body may be, in
// characters; copy and links are not folded.
const textWidth = 68

// fold breaks a sentence into lines of at most textWidth characters.
func fold(s string) string {
	var out strings.Builder
	width := 0
	for i, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case width+1+n > textWidth:
			out.WriteByte('\n')
			width = 0
		default:
			out.WriteByte(' ')
			width++
		}
		out.WriteString(word)
		width += n
	}
	return out.String()
}

// column is a label with its colon, padded so that the values stand under each
// other.
func column(label string, width int) string {
	return label + ":" + strings.Repeat(" ", max(width-utf8.RuneCountInString(label), 0)+2)
}

// quote marks each line as somebody else's.
func quote(all []string) string {
	var out strings.Builder
	for i, l := range all {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(strings.TrimRight("> "+l, " "))
	}
	return out.String()
}
