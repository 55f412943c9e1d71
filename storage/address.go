package storage

import (
	"errors"
	"net"
	"net/mail"
	"strings"

	"golang.org/x/net/idna"
)

// ErrAddress is a text that is not one plain email address.
var ErrAddress = errors.New("storage: not an email address")

// maxAddress is the longest address that mail servers carry (RFC 5321, 4.5.3.1).
const maxAddress = 254

// ParseAddress reads one bare email address and returns it in lower case.
// Lists, display names, comments, addresses on a bare host or an IP literal,
// control characters and letters outside ASCII (which look alike too easily)
// are refused with ErrAddress.
func ParseAddress(s string) (string, error) {
	s = strings.TrimSpace(s)
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || strings.IndexByte(`,;<>()[]"\:`, s[i]) >= 0 {
			return "", ErrAddress
		}
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || len(s) > maxAddress {
		return "", ErrAddress
	}
	at := strings.LastIndexByte(s, '@')
	host := strings.ToLower(s[at+1:])
	labels := strings.Split(host, ".")
	if at > 64 || len(labels) < 2 || net.ParseIP(host) != nil {
		return "", ErrAddress
	}
	if _, err := idna.Registration.ToASCII(host); err != nil {
		return "", ErrAddress
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return "", ErrAddress
		}
	}
	if top := labels[len(labels)-1]; len(top) < 2 || strings.Trim(top, "0123456789") == "" {
		return "", ErrAddress
	}
	return strings.ToLower(s), nil
}
