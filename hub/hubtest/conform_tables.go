package hubtest

import (
	"context"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/storage"
)

// tables makes the plugin's tables beside the program's, and again: each step
// may have happened by half before.
func (c *conformance) tables(t *testing.T) {
	m, ok := c.create().(migrator)
	if !ok {
		return
	}
	steps := m.Migrations()
	ctx, store := SQLite(t)
	before := schemaOf(t, ctx)
	if err := store.Migrate(ctx, steps...); err != nil {
		t.Fatal(err)
	}
	after := schemaOf(t, ctx)
	prefix := strings.ReplaceAll(c.id, "-", "_") + "_"
	for name, sql := range after {
		switch was, ok := before[name]; {
		case ok && was != sql:
			t.Errorf("%s is not the plugin's, and is changed: %s", name, sql)
		case !ok && !strings.HasPrefix(name, prefix) && !strings.HasPrefix(name, "idx_"+prefix) && !strings.HasPrefix(name, "sqlite_autoindex_"+prefix):
			t.Errorf("%s does not begin with %q", name, prefix)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			t.Errorf("%s is not the plugin's, and is gone", name)
		}
	}
	if err := store.Migrate(ctx, steps...); err != nil {
		t.Errorf("a second start: %v", err)
	}
	for _, s := range steps {
		if err := s.Up(storage.DB(ctx)); err != nil {
			t.Errorf("%s, which had happened: %v", s.ID, err)
		}
	}
	for name, sql := range schemaOf(t, ctx) {
		if after[name] != sql {
			t.Errorf("%s differs after a second time: %s", name, sql)
		}
	}
}

// schemaOf is the database's tables and indexes by name.
func schemaOf(t *testing.T, ctx context.Context) map[string]string {
	t.Helper()
	var rows []struct{ Name, SQL string }
	if err := storage.DB(ctx).Raw("SELECT name, coalesce(sql, '') AS sql FROM sqlite_master").Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, r := range rows {
		all[r.Name] = r.SQL
	}
	return all
}
