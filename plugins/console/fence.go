package console

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// maxLeft is how many renderings of one page or panel may be overdue and still
// run. Past it the next are refused until some return, as with a plugin's hooks:
// a goroutine cannot be stopped from outside, only not be started.
const maxLeft = 16

var errLeft = errors.New("not asked: too many earlier renderings still run")

// fence stands between the console and what other plugins render, so that none
// of it can hurt the page around it.
type fence struct {
	mu   sync.Mutex
	left map[string]int // renderings left behind that still run, by what they render
}

// fenced has a plugin render within limit. Its panic is an error, as it is to
// take longer: the result is then thrown away, and its context has ended. what
// names the page or panel.
func fenced[T any](ctx context.Context, f *fence, what string, limit time.Duration, render func(context.Context) (T, error)) (T, error) {
	type result struct {
		made T
		err  error
	}
	var none T
	if !f.open(what) {
		return none, errLeft
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan result, 1)
	over := false // one side is: returned, or gone; guarded by f.mu
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
			done <- r
			f.mu.Lock()
			defer f.mu.Unlock()
			if over {
				f.left[what]--
			}
			over = true
		}()
		r.made, r.err = render(ctx)
	}()
	select {
	case r := <-done:
		return r.made, r.err
	case <-ctx.Done():
		f.mu.Lock()
		defer f.mu.Unlock()
		if !over {
			f.left[what]++
		}
		over = true
		return none, fmt.Errorf("no answer in time: %w", ctx.Err())
	}
}

func (f *fence) open(what string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.left[what] < maxLeft
}

// blame logs why something of a plugin's could not be shown, and has operators
// find it at the plugin. what names the page or panel.
func (p *Plugin) blame(rq *request, plugin, what string, err error) {
	p.logFailure(rq, "console: what a plugin renders failed", err, "of", plugin, "what", what)
	if rq.ctx.Err() == nil { // else it may just have been told to stop
		p.host.Failed(plugin, fmt.Errorf("%s: %w", what, err))
	}
}
