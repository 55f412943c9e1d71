package storage_test

import (
	"context"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

// tabled is a plugin that has tables and nothing else.
type tabled struct {
	id    string
	steps []storage.Migration
}

func (p tabled) ID() string                          { return p.id }
func (tabled) Init(context.Context, *hub.Host) error { return nil }
func (p tabled) Migrations() []storage.Migration {
	if p.steps == nil {
		panic("no luck")
	}
	return p.steps
}

// A plugin's migrations and tables are its own, or the program does not start.
func TestPluginsTablesDoNotClash(t *testing.T) {
	nothing := func(*gorm.DB) error { return nil }
	for _, c := range []struct {
		name, plugin string
		steps        []storage.Migration
		want         []string // in the error; nil: none
	}{
		{"its own", "example", []storage.Migration{storage.CreateTable("example/0001", &notes0001{}), {ID: "example/0002", Up: nothing}}, nil},
		{"another's id", "other", []storage.Migration{{ID: "example/0001", Up: nothing}}, []string{"plugin other", "example/0001"}},
		{"another's table", "other", []storage.Migration{storage.CreateTable("other/0001", &notes0001{})}, []string{"plugin other", "example_notes", "other_"}},
		{"a panic", "other", nil, []string{"plugin other", "no luck"}},
	} {
		got, err := storage.MigrationsOf([]hub.Plugin{tabled{c.plugin, c.steps}})
		if len(c.want) == 0 && (err != nil || len(got) != len(c.steps)) {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q in it", c.name, err, want)
			}
		}
	}
	_, s := hubtest.SQLite(t)
	for _, c := range []struct {
		name  string
		steps []storage.Migration
		want  []string
	}{
		{"one id twice", []storage.Migration{{ID: "example/0001", Up: nothing}, {ID: "example/0001", Up: nothing}}, []string{"two migrations example/0001"}},
		// Plugins whose names begin alike may both own a prefix.
		{"one table twice", []storage.Migration{storage.CreateTable("exam/0001", &notes0001{}), storage.CreateTable("example/0001", &notes0001{})}, []string{"exam/0001", "example/0001", "example_notes"}},
		{"no id", []storage.Migration{{ID: "example", Up: nothing}}, []string{"example"}},
	} {
		err := s.Migrate(t.Context(), c.steps...)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q in it", c.name, err, want)
			}
		}
	}
}
