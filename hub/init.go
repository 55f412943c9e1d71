package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"
)

// Init initialises the plugins in order, seals the hooks and starts the hub's
// own goroutines. Where one fails, those before it are closed, in reverse, and
// the hub is over.
func (h *Hub) Init(plugins ...Plugin) (err error) {
	defer func() {
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(h.base), failedTimeout)
			defer cancel()
			err = errors.Join(err, h.Close(ctx))
		}
	}()
	if err := h.learn(plugins); err != nil {
		return err
	}
	for _, p := range plugins {
		host := newHost(h, p.ID())
		h.plugins = append(h.plugins, p) // also one whose Init fails is closed
		h.hosts = append(h.hosts, host)
		if err := initialise(h.base, p, host); err != nil {
			return err
		}
	}
	if err := h.collect(); err != nil {
		return err
	}
	h.opts.Observer.Expect(h.words())
	h.sealed.Store(true)
	for _, work := range h.workers {
		h.tasks.Go(func() { work(h.base) })
	}
	h.tasks.Go(func() { h.revalidate(h.base) })
	return nil
}

// failedTimeout is for the plugins to be closed where one of them could not be
// initialised.
const failedTimeout = 10 * time.Second

// learn checks the plugins' names and takes in their words.
func (h *Hub) learn(plugins []Plugin) error {
	if err := checkIDs(plugins); err != nil {
		return err
	}
	texts := Texts{}
	texts.add(h.opts.Texts)
	for _, p := range plugins {
		worded, ok := p.(Worded)
		if !ok {
			continue
		}
		err := Guarded(p, func() error {
			words := worded.Texts()
			texts.add(words)
			for lang := range words {
				if err := owned(p.ID(), "text", ".", slices.Sorted(maps.Keys(words[lang]))...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("hub: %w", err)
		}
	}
	h.opts.Texts = texts
	return nil
}

// initialise runs a plugin's Init. One that takes long is named meanwhile: a start
// that hangs without a word is hard to help.
func initialise(ctx context.Context, p Plugin, host *Host) error {
	late := time.AfterFunc(slowInit, func() { host.Log.Warn("still in Init", "after", slowInit) })
	defer late.Stop()
	if err := Guarded(p, func() error { return p.Init(ctx, host) }); err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	return nil
}

// slowInit is when an Init is worth a line in the log.
const slowInit = 5 * time.Second

// handle registers a frame type.
func (h *Hub) handle(plugin, frame string, from []Kind, fn func(context.Context, Frame) (any, error)) {
	if fn == nil {
		panic(misuse(fmt.Sprintf("frame %q has no handler", frame)))
	}
	owners := map[string]string{}
	for name, f := range h.frames {
		owners[name] = f.plugin
	}
	h.claim(plugin, frame, owners)
	h.frames[frame] = handler{plugin: plugin, from: from, fn: func(ctx context.Context, s *session, in inbound) error {
		return s.plugged(ctx, in, fn)
	}}
}

// AddScript has every visitor's welcome name one more script for the widget, by
// its path on this server. It is called between Init and the first connection.
func (h *Hub) AddScript(path string) { h.scripts = append(h.scripts, path) }

// frameName is what a plugin's frame may be called.
var frameName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// claim panics, which Init makes an error of, where a plugin comes too late for
// a frame or another owns it. Owners are by frame; the hub's name is empty.
func (h *Hub) claim(plugin, frame string, owners map[string]string) {
	if h.sealed.Load() {
		panic(fmt.Sprintf("hub: plugin %s claims the frame %s after Init", plugin, frame))
	}
	if !frameName.MatchString(frame) {
		panic(misuse(fmt.Sprintf("%q is no frame's type: want lower-case letters, digits and hyphens, a letter first", frame)))
	}
	if owner, ok := owners[frame]; ok {
		panic(misuse(fmt.Sprintf("frame %q belongs to %s already", frame, cmp.Or(owner, "the hub"))))
	}
}

// framesOf lists the frames that a plugin handles.
func (h *Hub) framesOf(plugin string) []string {
	var names []string
	for name, f := range h.frames {
		if f.plugin == plugin {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// framesFor lists what a member of a kind may send after its welcome.
func (h *Hub) framesFor(k Kind) []string {
	var names []string
	for name, f := range h.frames {
		if slices.Contains(f.from, k) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
