package storage_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/storage"
)

func TestParseOrigin(t *testing.T) {
	for in, want := range map[string]string{
		"example.com":                    "example.com",
		" Shop.Example.COM ":             "shop.example.com",
		"example.com.":                   "example.com",
		"example.com:8443":               "example.com:8443",
		"example.com:443":                "example.com",
		"example.com:08443":              "example.com:8443",
		"https://example.com":            "example.com",
		"HTTPS://Example.com:443/":       "example.com",
		"https://example.com:80":         "example.com:80",
		"http://localhost":               "localhost",
		"http://localhost:3000":          "localhost:3000",
		"http://localhost:80":            "localhost",
		"http://127.0.0.1:3000/":         "127.0.0.1:3000",
		"http://[::1]:3000":              "[::1]:3000",
		"localhost:80":                   "localhost",
		"[2001:DB8::1]":                  "[2001:db8::1]",
		"192.0.2.7:9000":                 "192.0.2.7:9000",
		"bücher.example":                 "xn--bcher-kva.example",
		"https://BÜCHER.example/":        "xn--bcher-kva.example",
		"intranet":                       "intranet",
		"xn--bcher-kva.example":          "xn--bcher-kva.example",
		strings.Repeat("a", 63) + ".com": strings.Repeat("a", 63) + ".com",
	} {
		if got, err := storage.ParseOrigin(in); got != want || err != nil {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", " ", "*", "*.example.com", "https://*.example.com", "https://*", "example.*", // row 58
		"http://example.com", "ftp://example.com", "file:///x", "//example.com", "https://", "https:///",
		"https://example.com/chat", "example.com/chat", "example.com?x", "example.com#x", "example.com\\x", "https://example.com//",
		"user@example.com", "https://user:pw@example.com", "example.com:", "example.com:0", "example.com:65536", "example.com:-1",
		"example.com:http", "example.com:80:80", "exa mple.com", "example..com", ".example.com", "-x.example.com", "x-.example.com",
		"example.com, other.com", "example.com;other.com", "exam\x00ple.com", "example.com\nother.com", "ex%61mple.com",
		"[::1", "::1", "[fe80::1%25eth0]", "1.2.3", "010.1.1.1.", "exa_mple.com", strings.Repeat("a", 64) + ".com",
		strings.Repeat("a.", 130) + "com", "javascript:alert(1)", "data:text/html,x",
	} {
		if got, err := storage.ParseOrigin(in); !errors.Is(err, storage.ErrOrigin) {
			t.Errorf("%q: %q, %v; want a refusal", in, got, err)
		}
	}
}
