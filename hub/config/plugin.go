package config

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// Add adds the settings of a plugin: flags whose names begin with its id. The
// error names both owners of a name that is taken.
func (f *Flags) Add(plugin string, register func(*flag.FlagSet)) (err error) {
	own := flag.NewFlagSet(plugin, flag.PanicOnError)
	own.SetOutput(io.Discard)
	defer func() {
		if v := recover(); v != nil { // a name twice
			err = fmt.Errorf("config: plugin %s: %v", plugin, v)
		}
	}()
	register(own)
	own.VisitAll(func(g *flag.Flag) {
		switch {
		case err != nil:
		case !strings.HasPrefix(g.Name, plugin):
			err = fmt.Errorf("config: plugin %s: the flag -%s does not begin with its id", plugin, g.Name)
		case f.fs.Lookup(g.Name) != nil:
			owner := f.owner[g.Name]
			if owner == "" {
				owner = "Bellhub"
			}
			err = fmt.Errorf("config: plugin %s: the flag -%s belongs to %s already", plugin, g.Name, owner)
		default:
			f.fs.Var(g.Value, g.Name, g.Usage)
			f.owner[g.Name] = plugin
		}
	})
	return err
}
