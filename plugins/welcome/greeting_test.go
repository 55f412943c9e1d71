package welcome

import (
	"testing"

	"github.com/bellhub/bellhub/hub/spec/spectest"
)

func TestTheFramesAreDescribed(t *testing.T) {
	p := spectest.Open(t)
	p.Type(t, question{}, spectest.FromClient, "greeting")
	p.Type(t, answer{}, spectest.FromServer, "greeted")
}

func TestPages(t *testing.T) {
	for _, tt := range []struct {
		pattern, page string
		covered       bool
	}{
		{"", "/", true},
		{"", "", true},
		{"/", "/", true},
		{"/", "/products", false},
		{"/products", "/products", true},
		{"/products", "/products/", true},
		{"/products/", "/products", true},
		{"/products", "/products/kopi", false},
		{"/products", "/my/products", false},
		{"/products/*", "/products/kopi", true},
		{"/products/*", "/products/kopi/gayo", true},
		{"/products/*", "/products/", false}, // the list itself
		{"/products/*", "/productsx/y", false},
		{"/products*", "/products", true},
		{"/*/kopi", "/id/produk/kopi", true},
		{"/*/kopi", "/id/produk/teh", false},
		{"*", "/anything", true},
		{"/Products/*", "/products/KOPI", true},
		{"/a.b", "/axb", false},
		{"/a+(b", "/a+(b", true},
		{"/kopi susu", "/kopi%20susu", true},
		{"/caf%C3%A9/*", "/café/oslo", true},
		{"/50%", "/50%", true}, // no valid escape: as it is written
		{"/x", "/x?token=secret", true},
		{"/x", "/x#secret", true},
		{"/x/*", "/x/a\nb", true},
	} {
		if got := (greeting{Page: tt.pattern}).covers(clean(tt.page)); got != tt.covered {
			t.Errorf("%q covers %q: %t", tt.pattern, tt.page, got)
		}
	}
}

// The first greeting for the page decides, and its delay; without one, the next
// delay of any is worth another look, since pages change under an open chat.
func TestChoose(t *testing.T) {
	all := []greeting{
		{Text: "paused", Page: "", Delay: 0},
		{Text: "beans", Page: "/beans/*", Delay: 20, Active: true},
		{Text: "late", Page: "/visits", Delay: 60, Active: true},
		{Text: "shop", Page: "/beans/*", Delay: 5, Active: true},
	}
	for _, tt := range []struct {
		page  string
		open  int
		text  string
		after int
	}{
		{"/beans/gayo", 0, "", 20},
		{"/beans/gayo", 19, "", 1},
		{"/beans/gayo", 20, "beans", 0},
		{"/beans/gayo", 300, "beans", 0},
		{"/visits", 0, "", 60},
		{"/visits", 61, "late", 0},
		{"/", 0, "", 5},
		{"/", 5, "", 15},
		{"/", 20, "", 40},
		{"/", 60, "", 0},
	} {
		if text, after := choose(all, tt.page, tt.open); text != tt.text || after != tt.after {
			t.Errorf("on %s after %d s: %q, %d; want %q, %d", tt.page, tt.open, text, after, tt.text, tt.after)
		}
	}
	if text, after := choose(nil, "/", 0); text != "" || after != 0 {
		t.Errorf("without greetings: %q, %d", text, after)
	}
}
