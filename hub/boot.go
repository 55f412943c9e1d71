package hub

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
)

// Validate checks a program's plugins before anything is opened: their ids, and
// what each finds wrong with its own options. The error names the plugin.
func Validate(plugins []Plugin) error {
	if err := checkIDs(plugins); err != nil {
		return err
	}
	for _, p := range plugins {
		v, ok := p.(Validator)
		if !ok {
			continue
		}
		if err := Guarded(p, v.Validate); err != nil {
			return err
		}
	}
	return nil
}

// Greetings collects what plugins have to open once the program has started: the
// last of the list first, since it is built on the others.
func Greetings(ctx context.Context, plugins []Plugin) (all []Greeting, err error) {
	for _, p := range plugins {
		g, ok := p.(Greeter)
		if !ok {
			continue
		}
		err := Guarded(p, func() error {
			more, err := g.Greet(ctx)
			all = append(all, more...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Reverse(all)
	return all, nil
}

// Guarded calls a plugin's function while the program starts: its error, or its
// panic, is an error that names the plugin.
func Guarded(p Plugin, fn func() error) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
			if err != nil {
				err = fmt.Errorf("plugin %s: %w", p.ID(), err)
			}
		case misuse:
			err = fmt.Errorf("plugin %s: %s", p.ID(), string(v))
		default:
			err = fmt.Errorf("plugin %s: panic: %v\n%s", p.ID(), v, debug.Stack())
		}
	}()
	return fn()
}

// misuse is the panic of a Host's method that was given what it cannot take. It
// says all there is to say, so that no stack is needed.
type misuse string

// checkIDs refuses plugins that have no proper name, or share one.
func checkIDs(plugins []Plugin) error {
	seen := map[string]bool{}
	for _, p := range plugins {
		if err := CheckID(p.ID()); err != nil {
			return err
		}
		if seen[p.ID()] {
			return fmt.Errorf("hub: two plugins are called %q", p.ID())
		}
		seen[p.ID()] = true
	}
	return nil
}
