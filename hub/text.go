package hub

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CleanText trims what somebody wrote and checks it: not empty, at most max
// characters (Unicode code points; 0: any number), no control characters but
// line ends and tabs, and no bidirectional overrides, which make text read
// differently from what it is (Unicode TR 36). code is the error's.
func CleanText(s string, max int, code Code) (string, error) {
	s = strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' })
	if strings.Contains(s, "\r") {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	switch n := utf8.RuneCountInString(s); {
	case n == 0 && code == CodeBadReason:
		return "", Errorf(code, "Please enter a reason.")
	case n == 0:
		return "", Errorf(code, "Please enter a message.")
	case max > 0 && n > max:
		if n-max == 1 {
			return "", Errorf(code, "1 character too many.")
		}
		return "", Errorf(code, "%d characters too many.", n-max)
	}
	for _, r := range s {
		if !Readable(r) {
			return "", Errorf(code, "The text has a character that cannot be shown.")
		}
	}
	return s, nil
}

// Readable tells whether a character may stand in what people write to each
// other.
func Readable(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return true
	case unicode.IsControl(r):
		return false
	case r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069':
		return false
	}
	return true
}

// CleanName trims and checks a name that the other side will see: 1 to max
// characters on one line.
func CleanName(s string, max int) (string, bool) {
	s = strings.TrimSpace(s)
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if !Readable(r) || r == '\n' || r == '\t' {
			return "", false
		}
	}
	return s, n >= 1 && n <= max && utf8.ValidString(s)
}

// clientID tells whether s is a client's id for a frame: 1 to 64 letters,
// digits and "._:-".
func clientID(s string) bool {
	if s == "" || len(s) > maxClientID {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._:-", c) >= 0 {
			continue
		}
		return false
	}
	return true
}
