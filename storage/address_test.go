package storage_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/storage"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]string{
		"ana@example.com":                      "ana@example.com",
		"  Ana.Lee+bells@Mail.Example.COM ":    "ana.lee+bells@mail.example.com",
		"o'brien@example.co.id":                "o'brien@example.co.id",
		"a@xn--bcher-kva.example":              "a@xn--bcher-kva.example",
		strings.Repeat("a", 64) + "@b.example": strings.Repeat("a", 64) + "@b.example",
	} {
		if got, err := storage.ParseAddress(in); got != want || err != nil {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{ // row 68
		"", "@", "a", "a@", "@example.com", "a@b@example.com",
		"a@example.com, b@example.com", "a@example.com,b@example.com", "a@example.com;b@example.com", "a@example.com b@example.com",
		"Ana <a@example.com>", "<a@example.com>", `"Ana" <a@example.com>`, "a@example.com (Ana)", `"a b"@example.com`, "team: a@example.com;",
		"a@localhost", "a@intranet", "a@127.0.0.1", "a@[127.0.0.1]", "a@[IPv6:::1]", "a@1.2.3.4.5", "a@example.123", "a@example.c",
		"a@-x.com", "a@x-.com", "a@example..com", "a@.example.com", "a@example.com.", "a@exa_mple.com", ".a@example.com", "a..b@example.com",
		"а@example.com" /* Cyrillic */, "a@exаmple.com", "a@bücher.example", "a@example。com", "a@example.com\u200b", "ａ@example.com",
		"a@example.com\r\nBcc: x@example.com", "a\x00@example.com", "a\t@example.com", "a@xn--a.com",
		strings.Repeat("a", 65) + "@example.com", "a@" + strings.Repeat("b", 64) + ".com", "a@" + strings.Repeat("b.", 126) + "com",
	} {
		if got, err := storage.ParseAddress(in); !errors.Is(err, storage.ErrAddress) {
			t.Errorf("%q: %q, %v; want a refusal", in, got, err)
		}
	}
}
