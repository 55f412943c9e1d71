package hubtest

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// migrator is a plugin with tables.
type migrator interface{ Migrations() []storage.Migration }

// migrations collects what the plugins' tables are made by.
func migrations(plugins []hub.Plugin) ([]storage.Migration, error) {
	var all []storage.Migration
	for _, p := range plugins {
		m, ok := p.(migrator)
		if !ok {
			continue
		}
		steps, err := storage.Owned(p.ID(), m.Migrations())
		if err != nil {
			return nil, err
		}
		all = append(all, steps...)
	}
	return all, nil
}

// SQLite opens a fresh database with every table, closed when the test ends,
// and a context that carries it. migrations are those of the plugins in use;
// [Options.Database] finds them by itself.
func SQLite(t testing.TB, migrations ...storage.Migration) (context.Context, *storage.Store) {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "bellhub.db"), migrations)
}

// MySQL is SQLite on a private MariaDB.
func MySQL(t testing.TB, migrations ...storage.Migration) (context.Context, *storage.Store) {
	t.Helper()
	return open(t, MariaDB(t), migrations)
}

func open(t testing.TB, address string, migrations []storage.Migration) (context.Context, *storage.Store) {
	t.Helper()
	ctx := context.Background()
	s, err := storage.Open(ctx, storage.Options{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Migrate(ctx, migrations...); err != nil {
		t.Fatal(err)
	}
	return storage.With(ctx, s), s
}

// AddDomain adds one more domain, to the database or to Memory.
func (k *Kit) AddDomain(t testing.TB, d hub.Domain) hub.Domain {
	t.Helper()
	if k.Memory != nil {
		return k.Memory.AddDomain(d)
	}
	row, err := storage.AddDomain(k.Ctx, storage.Domain{Key: d.Key, Name: d.Name, AI: d.AI}, d.Origins...)
	if err != nil {
		t.Fatal(err)
	}
	d.ID, d.Key = row.ID, row.Key
	return d
}

// SignIn makes a session of a new admin, by name, who is a member of the
// domains whose ids are given, or of the kit's.
func (k *Kit) SignIn(t testing.TB, name string, domains ...string) hub.Identity {
	t.Helper()
	if len(domains) == 0 {
		domains = []string{k.Domain.ID}
	}
	if k.Memory != nil {
		return k.Memory.SignIn(name, domains...)
	}
	who, err := signIn(k.Ctx, name, domains)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func signIn(ctx context.Context, name string, domains []string) (hub.Identity, error) {
	admin, err := storage.EnsureAdmin(ctx, storage.NewID()+"@example.com", domains...)
	if err != nil {
		return hub.Identity{}, err
	}
	if err := storage.RenameAdmin(ctx, admin.ID, name); err != nil {
		return hub.Identity{}, err
	}
	token, err := storage.NewSignIn(ctx, admin.ID)
	if err != nil {
		return hub.Identity{}, err
	}
	session, _, err := storage.SignIn(ctx, token, "")
	if err != nil {
		return hub.Identity{}, err
	}
	return storage.IdentityByToken(ctx, session)
}
