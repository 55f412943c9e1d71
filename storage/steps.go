package storage

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/bellhub/bellhub/hub"
)

// stepID is what a migration may be called.
var stepID = regexp.MustCompile(`^[a-z][a-z0-9-]*/[0-9]{4}$`)

// Migrator is a plugin with tables of its own.
type Migrator interface{ Migrations() []Migration }

// MigrationsOf collects the plugins' migrations, in list order. Their ids are
// "<plugin>/0001" and on, and the tables that they make "<plugin>_…", with an
// underscore for each hyphen; the error names the plugin whose are not.
func MigrationsOf(plugins []hub.Plugin) ([]Migration, error) {
	var all []Migration
	for _, p := range plugins {
		m, ok := p.(Migrator)
		if !ok {
			continue
		}
		err := hub.Guarded(p, func() error {
			steps, err := owned(p.ID(), m.Migrations())
			all = append(all, steps...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// owned returns a plugin's migrations as they are, or an error where one is
// another's by its name.
func owned(plugin string, steps []Migration) ([]Migration, error) {
	prefix := strings.ReplaceAll(plugin, "-", "_") + "_"
	for _, m := range steps {
		if owner, _, _ := strings.Cut(m.ID, "/"); owner != plugin {
			return nil, fmt.Errorf("the migration %q is not called %s/…", m.ID, plugin)
		}
		if m.table != "" && !strings.HasPrefix(m.table, prefix) {
			return nil, fmt.Errorf("the migration %s makes the table %q, which does not begin with %q", m.ID, m.table, prefix)
		}
	}
	return steps, nil
}

// checkSteps refuses migrations that would be taken for each other, or make one
// table twice: the second would quietly change the first's.
func checkSteps(steps []Migration) error {
	ids, tables := map[string]bool{}, map[string]string{}
	for _, m := range steps {
		switch {
		case !stepID.MatchString(m.ID):
			return fmt.Errorf("%q is no migration's id: want owner/0001", m.ID)
		case ids[m.ID]:
			return fmt.Errorf("there are two migrations %s", m.ID)
		case m.table != "" && tables[m.table] != "":
			return fmt.Errorf("%s and %s both make the table %q", tables[m.table], m.ID, m.table)
		}
		ids[m.ID] = true
		if m.table != "" {
			tables[m.table] = m.ID
		}
	}
	return nil
}
