package hubtest

import (
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/bellhub/bellhub/hub"
)

// configure gives the plugins their settings, the defaults among them, and has
// each validate its own, as the program does.
func configure(plugins []hub.Plugin, args []string) error {
	all := flag.NewFlagSet("hubtest", flag.ContinueOnError)
	all.SetOutput(io.Discard)
	for _, p := range plugins {
		if err := addFlags(all, p); err != nil {
			return err
		}
	}
	if err := all.Parse(args); err != nil {
		return fmt.Errorf("hubtest: Options.Flags: %w", err)
	}
	if all.NArg() > 0 {
		return fmt.Errorf("hubtest: Options.Flags: %q is no flag", all.Arg(0))
	}
	for _, p := range plugins {
		if v, ok := p.(hub.Validator); ok {
			if err := v.Validate(); err != nil {
				return fmt.Errorf("hubtest: plugin %s: %w", p.ID(), err)
			}
		}
	}
	return nil
}

// addFlags adds a plugin's settings, whose names must begin with its id.
func addFlags(all *flag.FlagSet, p hub.Plugin) (err error) {
	c, ok := p.(hub.Configurable)
	if !ok {
		return nil
	}
	own := flag.NewFlagSet(p.ID(), flag.ContinueOnError)
	own.SetOutput(io.Discard)
	c.Flags(own)
	own.VisitAll(func(f *flag.Flag) {
		switch {
		case !strings.HasPrefix(f.Name, p.ID()):
			err = fmt.Errorf("hubtest: plugin %s: the flag -%s does not begin with its id", p.ID(), f.Name)
		case all.Lookup(f.Name) != nil:
			err = fmt.Errorf("hubtest: plugin %s: the flag -%s belongs to another already", p.ID(), f.Name)
		default:
			all.Var(f.Value, f.Name, f.Usage)
		}
	})
	return err
}
