package config

import (
	"log/slog"
	"net/url"
	"strings"
)

// redacted stands for a secret that is set.
const redacted = "[secret]"

// Address is a file's path or a URL that may hold a password, which prints as
// Secret does. Convert it to a string where it is used.
type Address string

// String returns the address without its user and password.
func (a Address) String() string {
	scheme, rest, isURL := strings.Cut(string(a), "://")
	if !isURL {
		return string(a)
	}
	u, err := url.Parse(string(a))
	if err != nil || u.Opaque != "" {
		return scheme + "://" + redacted
	}
	if u.User == nil && !strings.Contains(rest, "@") {
		return scheme + "://" + u.Host + u.Path // a query may hold a secret too
	}
	return scheme + "://" + redacted + "@" + u.Host + u.Path
}

// GoString is String, for %#v.
func (a Address) GoString() string { return `"` + a.String() + `"` }

// LogValue is String, for slog.
func (a Address) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalText is String, for JSON and the like.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
