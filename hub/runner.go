package hub

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// A Runner that fails or panics is started again, at first after the shorter
// pause, then after twice as long each time up to the longer one. One that ran
// well for that long starts over with the shorter.
const (
	runnerPause    = time.Second
	runnerMaxPause = 30 * time.Second
)

// Run runs the plugins' Runners until ctx ends, and returns once all of them
// have.
func (h *Hub) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, p := range h.plugins {
		if r, ok := p.(Runner); ok {
			all.Go(func() { h.keepRunning(ctx, p.ID(), r) })
		}
	}
	all.Wait()
}

func (h *Hub) keepRunning(ctx context.Context, id string, r Runner) {
	pause := runnerPause
	for {
		began := time.Now()
		err := runOnce(ctx, r)
		if ctx.Err() != nil || err == nil {
			return
		}
		if time.Since(began) > runnerMaxPause {
			pause = runnerPause
		}
		h.opts.Log.Error("runner failed, starting it again", "plugin", id, "in", pause, "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, runnerMaxPause)
	}
}

func runOnce(ctx context.Context, r Runner) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return r.Run(ctx)
}
