package storage

import (
	"errors"
	"strings"
)

// maxKey is the longest widget key, in bytes.
const maxKey = 64

// ErrKey is a text that is no widget key.
var ErrKey = errors.New("storage: a widget key is 1 to 64 lower-case letters, digits and hyphens")

// ParseKey checks a widget key that somebody chose for a domain: it stands in
// attributes, addresses and emails, so it is plain. ErrKey.
func ParseKey(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxKey || s[0] == '-' || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", ErrKey
	}
	return s, nil
}
