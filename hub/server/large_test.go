package server

import (
	"fmt"
	"strings"
	"testing"
)

// Groups 9 and 10 of the suite: messages up to 16 MiB, whole, in fragments and
// chopped, and many small ones. The limit is lifted to that for them.

// large is a server that takes 16 MiB, from clients who may read slowly.
func large(t *testing.T) *edgeRig {
	o := roomy()
	o.MaxFrame = 16 << 20
	return newEdgeRig(t, o, echoAll)
}

func TestLargeMessages(t *testing.T) {
	r := large(t)
	sizes := []int{64 << 10, 256 << 10, 1 << 20, 4 << 20, 8 << 20, 16 << 20}
	if testing.Short() {
		sizes = sizes[:3]
	}
	for _, n := range sizes {
		text := strings.Repeat("*", n)
		t.Run(fmt.Sprintf("text of %d KiB", n>>10), func(t *testing.T) {
			r.converse(t, framesOf(textFrame(text), closeOf(1000, "")), []string{"text:" + text, "close:1000"})
		})
		t.Run(fmt.Sprintf("binary of %d KiB", n>>10), func(t *testing.T) {
			r.converse(t, framesOf(clientFrame(bitFin|opBinary, text)), []string{"close:1003"})
		})
	}
	t.Run("one byte over 16 MiB", func(t *testing.T) {
		r.converse(t, framesOf(clientHeader(bitFin|opText, 16<<20+1)), []string{"close:1009"})
	})
}

func TestLargeMessagesInFragments(t *testing.T) {
	r := large(t)
	size := 4 << 20
	if testing.Short() {
		size = 256 << 10
	}
	text := strings.Repeat("*", size)
	for n := 64; n <= size; n *= 4 {
		t.Run(fmt.Sprintf("%d bytes each", n), func(t *testing.T) {
			r.converse(t, pieces[0].cut(append(fragmented(text, n), closeOf(1000, ""))), []string{"text:" + text, "close:1000"})
		})
	}
	text = text[:64<<10]
	t.Run("cut by a library to 1300 bytes each", func(t *testing.T) {
		r.converse(t, append(fragmented(text, 1300), closeOf(1000, "")), []string{"text:" + text, "close:1000"})
	})
}

func TestLargeMessagesChopped(t *testing.T) {
	r := large(t)
	text := strings.Repeat("*", 1<<20)
	if testing.Short() {
		text = text[:128<<10]
	}
	for n := 64; n <= 2048; n *= 2 {
		t.Run(fmt.Sprintf("to %d bytes", n), func(t *testing.T) {
			r.converse(t, append(chopped(textFrame(text), n), closeOf(1000, "")), []string{"text:" + text, "close:1000"})
		})
	}
}

// A thousand messages there and back, one after the other.
func TestManyMessages(t *testing.T) {
	r := large(t)
	rounds := 1000
	if testing.Short() {
		rounds = 100
	}
	for _, n := range []int{0, 16, 64, 256, 1 << 10, 4 << 10} {
		t.Run(fmt.Sprintf("%d bytes each", n), func(t *testing.T) {
			text := strings.Repeat("*", n)
			frame := textFrame(text)
			c := (&edgeRig{t: t, addr: r.addr}).open()
			for range rounds {
				c.send(frame)
				c.expect("text:" + text)
			}
			c.send(closeOf(1000, ""))
			c.expect("close:1000")
			c.expectEnd()
		})
	}
}
