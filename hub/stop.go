package hub

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Drain stops letting clients in, lets each connection finish the frame it is
// at, tells it to come back elsewhere (CloseRestart) and waits until all have
// ended or ctx has.
func (h *Hub) Drain(ctx context.Context) error {
	h.mu.Lock()
	h.draining = true
	all := make([]*session, 0, len(h.sessions))
	for s := range h.sessions {
		all = append(all, s)
	}
	h.mu.Unlock()
	for _, s := range all {
		s.drain()
	}
	if !waitFor(ctx, &h.serving) {
		return fmt.Errorf("hub: drain: %d connections left: %w", h.Stats().Connections, ctx.Err())
	}
	return nil
}

// waitFor waits until the group is done, or until ctx ends.
func waitFor(ctx context.Context, group *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// Close ends the hub's goroutines, closes the plugins in reverse order and then
// the backplane; what has not ended when ctx does is left behind. Connections
// have been drained before. A second call does nothing.
func (h *Hub) Close(ctx context.Context) error {
	if h.closed.Swap(true) {
		return nil
	}
	h.stop()
	h.mu.Lock()
	rooms := h.rooms
	h.rooms = map[string]*liveRoom{}
	h.mu.Unlock()
	for _, r := range rooms {
		r.shut()
	}
	var errs []error
	if !waitFor(ctx, &h.tasks) {
		errs = append(errs, fmt.Errorf("hub: a hook does not return: %w", ctx.Err()))
	}
	for _, p := range slices.Backward(h.plugins) {
		if c, ok := p.(Closer); ok {
			if err := closePlugin(ctx, c); err != nil {
				errs = append(errs, fmt.Errorf("hub: close plugin %s: %w", p.ID(), err))
			}
		}
	}
	h.opts.Backplane.Close()
	return errors.Join(errs...)
}

// closePlugin closes a plugin, and leaves it behind where it does not return
// before ctx ends: those before it in the list are closed all the same.
func closePlugin(ctx context.Context, c Closer) error {
	closed := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				closed <- fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			}
		}()
		closed <- c.Close(ctx)
	}()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		select {
		case err := <-closed: // it kept to ctx
			return err
		case <-time.After(closeGrace):
			return fmt.Errorf("it does not return: %w", ctx.Err())
		}
	}
}

// closeGrace is how long a plugin's Close may take to notice that its time is
// over.
const closeGrace = 100 * time.Millisecond
