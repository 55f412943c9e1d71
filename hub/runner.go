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

// runnerGrace is how long Runners have to return: some finish the email that
// they are at.
const runnerGrace = time.Minute

// Run runs the plugins' Runners until ctx ends, and returns once all of them
// have. One that does not return within a minute is left behind.
func (h *Hub) Run(ctx context.Context) {
	var all sync.WaitGroup
	for i, p := range h.plugins {
		if r, ok := p.(Runner); ok {
			all.Go(func() { h.hosts[i].keepRunning(ctx, r) })
		}
	}
	returned := make(chan struct{})
	go func() { all.Wait(); close(returned) }()
	select {
	case <-returned:
		return
	case <-ctx.Done():
	}
	select {
	case <-returned:
	case <-time.After(runnerGrace):
		h.opts.Log.Error("a plugin's Runner does not return: left behind", "after", runnerGrace)
	}
}

func (h *Host) keepRunning(ctx context.Context, r Runner) {
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
		h.restarts.Add(1)
		h.last.set(err)
		h.Log.Error("runner failed, starting it again", "in", pause, "err", err)
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
