package assistant

import (
	"iter"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// words yields the words of a text in lower case and without accents: runs of
// letters and digits. An apostrophe joins ("don't" is one word), and so do the
// points and commas within a number ("95.000"). Words with a hyphen come in
// parts and as a whole, as people write Wi-Fi and wifi.
func words(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		var word, whole strings.Builder
		parts := 0
		runes := []rune(norm.NFD.String(text))
		for i := 0; i <= len(runes); i++ {
			var r, next rune
			if i < len(runes) {
				r = runes[i]
			}
			if i+1 < len(runes) {
				next = runes[i+1]
			}
			switch {
			case unicode.IsLetter(r) || unicode.IsDigit(r):
				word.WriteRune(unicode.ToLower(r))
				whole.WriteRune(unicode.ToLower(r))
				continue
			case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’':
				continue
			case (r == '.' || r == ',') && i > 0 && unicode.IsDigit(runes[i-1]) && unicode.IsDigit(next):
				continue
			}
			if word.Len() > 0 {
				parts++
				if !yield(word.String()) {
					return
				}
				word.Reset()
			}
			if r == '-' && unicode.IsLetter(next) {
				continue
			}
			if parts > 1 && !yield(whole.String()) {
				return
			}
			whole.Reset()
			parts = 0
		}
	}
}

// terms yields the stems of a text's words, without those that carry no subject
// in a language.
func terms(text, lang string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for w := range words(text) {
			if stopWords[lang][w] || len(w) < 2 {
				continue
			}
			if !yield(stem(w)) {
				return
			}
		}
	}
}

// stem brings the forms of a word together: English plurals, -ing, -ed, -ment
// and -ness, and the Indonesian particles. It only ever cuts a word's end, and need not leave
// a word; one stem for two words that have nothing in common would be worse
// than two for one word.
func stem(w string) string {
	for _, suffix := range []string{"nya", "kah", "lah"} {
		if s, ok := strings.CutSuffix(w, suffix); ok && len(s) >= 3 {
			w = s
			break
		}
	}
	switch {
	case strings.HasSuffix(w, "ies") && len(w) > 4:
		return w[:len(w)-3] + "y"
	case strings.HasSuffix(w, "sses"), strings.HasSuffix(w, "shes"), strings.HasSuffix(w, "ches"), strings.HasSuffix(w, "xes"):
		w = w[:len(w)-2]
	case strings.HasSuffix(w, "s") && len(w) > 3 && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us") && !strings.HasSuffix(w, "is"):
		w = w[:len(w)-1]
	}
	for _, suffix := range []string{"ing", "ed"} {
		s, ok := strings.CutSuffix(w, suffix)
		if !ok || len(s) < 3 || !strings.ContainsAny(s, "aeiouy") {
			continue
		}
		if n := len(s); s[n-1] == s[n-2] && !strings.ContainsRune("lsz", rune(s[n-1])) {
			s = s[:n-1] // shipping, stopped; but selling, pressed
		}
		w = s
		break
	}
	for _, suffix := range []string{"ment", "ness"} {
		if s, ok := strings.CutSuffix(w, suffix); ok && len(s) >= 3 {
			w = s // payment, freshness
		}
	}
	if len(w) > 4 {
		w = strings.TrimSuffix(w, "e") // so that price meets pricing
	}
	return w
}
