package server

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// heapSlack is the garbage that may gather before a collection, however
	// little is live: a small server at full speed would otherwise collect
	// twenty times a second. 64 MB is what Go's own default comes to at 64 MB
	// live, some 10,000 connections.
	heapSlack = 64 << 20
	// Above that, garbage may be half of what is live, not all of it as by
	// default: memory of idle connections is what bounds how many fit.
	minGCPercent, maxGCPercent = 50, 400

	heapEvery = time.Second
)

// tuneHeap sets how often garbage is collected by how much is live, until stop
// is closed. Whoever sets GOGC knows better.
func tuneHeap(stop <-chan struct{}) {
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	set := 100
	before := debug.SetGCPercent(set)
	defer func() { debug.SetGCPercent(before) }()
	tick := time.NewTicker(heapEvery)
	defer tick.Stop()
	for {
		metrics.Read(live)
		percent := gcPercent(live[0].Value.Uint64())
		if percent*10 < set*9 || percent*9 > set*10 { // to set it stops the world
			set = percent
			debug.SetGCPercent(set)
		}
		select {
		case <-stop:
			return
		case <-tick.C:
		}
	}
}

// gcPercent is GOGC for a heap of which so many bytes are live.
func gcPercent(live uint64) int {
	return int(min(max(heapSlack*100/max(live, 1), minGCPercent), maxGCPercent))
}
