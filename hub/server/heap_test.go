package server

import (
	"runtime/debug"
	"testing"
)

func TestGarbageIsBoundedByWhatIsLive(t *testing.T) {
	for live, want := range map[uint64]int{
		0: 400, 1 << 20: 400, 32 << 20: 200, 64 << 20: 100, 128 << 20: 50, 1 << 40: 50,
	} {
		if got := gcPercent(live); got != want {
			t.Errorf("with %d bytes live the percentage is %d, want %d", live, got, want)
		}
	}
}

func TestTheHeapIsLeftAsItWas(t *testing.T) {
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	stop := make(chan struct{})
	close(stop)
	tuneHeap(stop)
	if after := debug.SetGCPercent(77); after != 77 {
		t.Errorf("the percentage is %d", after)
	}
}
