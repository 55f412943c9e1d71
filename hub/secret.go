package hub

import (
	"log/slog"
	"strings"
)

// Secret is a text that prints as a placeholder wherever it is formatted,
// logged or encoded, so that it does not end up where it was not meant to. As a
// flag's value it never fails and shows nothing. Convert it to a string where it
// is used.
type Secret string

// redacted stands for a secret that is set.
const redacted = "[secret]"

// String returns a placeholder, or nothing for no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Set implements [flag.Value].
func (s *Secret) Set(v string) error {
	*s = Secret(strings.TrimSpace(v))
	return nil
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue is String, for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String, for JSON and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
