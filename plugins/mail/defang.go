package mail

import (
	"regexp"
	"strings"
)

// What mail programs make links of, and what it is turned into. A program that
// finds links guesses, so this guesses more: that "thanks.Bye" comes out as
// "thanks[.]Bye" costs nothing, a link that the team trusts costs a lot.
var (
	// A scheme with an authority: https://…
	scheme = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*)://`)

	// A scheme that needs none, followed by something at once, so that
	// "here is the data: none" stays as it is.
	opaque = regexp.MustCompile(`(?i)\b(javascript|vbscript|data|file|blob|mailto|tel|sms|smsto|callto|facetime|skype|sip|sips|xmpp|geo|magnet|intent|market|about|view-source|https?|ftps?|ws|wss|ssh):([^\s\[])`)

	// A host name: labels and dots, the last label being letters (two at least)
	// or punycode. The ideographic dots count: browsers take them for dots.
	hostName = regexp.MustCompile(`(?i)[\p{L}\p{N}_]` + inLabel + `*(?:` + aDot + inLabel + `+)*` + aDot + `(?:xn--[a-z0-9-]+|` + aLetter + `{2,})`)

	// An IPv4 address.
	ipv4 = regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`)

	// An address: something right before an @, and something right after.
	at = regexp.MustCompile(`([^\s@\[\]])@([^\s@\[\]])`)

	dots = regexp.MustCompile(aDot)
)

const (
	aDot    = `[.\x{3002}\x{FF0E}\x{FF61}]`
	aLetter = `[\p{L}\p{M}\x{200C}\x{200D}]`
	inLabel = `[\p{L}\p{M}\p{N}\x{200C}\x{200D}_-]`
)

// defang makes links in a visitor's text unusable and leaves it readable:
// https://evil.example becomes hxxps://evil[.]example.
func defang(s string) string {
	s = scheme.ReplaceAllStringFunc(s, func(m string) string {
		name := strings.TrimSuffix(m, "://")
		switch strings.ToLower(name) {
		case "http":
			return "hxxp://"
		case "https":
			return "hxxps://"
		}
		return dots.ReplaceAllString(name, "[.]") + "[:]//"
	})
	s = opaque.ReplaceAllString(s, "${1}[:]${2}")
	bracket := func(m string) string { return dots.ReplaceAllString(m, "[.]") }
	s = hostName.ReplaceAllStringFunc(s, bracket)
	s = ipv4.ReplaceAllStringFunc(s, bracket)
	// Twice: matches of "a@b@c" overlap.
	return at.ReplaceAllString(at.ReplaceAllString(s, "${1}[@]${2}"), "${1}[@]${2}")
}
