package storage_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

func TestMain(m *testing.M) {
	// Everything here is UTC, wherever the server stands.
	time.Local = time.FixedZone("Jakarta", 7*60*60)
	os.Exit(hubtest.Main(m))
}

// backends are the databases that everything is tested on; address gives an
// empty one.
var backends = []struct {
	name    string
	address func(testing.TB) string
}{
	{"SQLite", sqliteFile},
	{"MariaDB", hubtest.MariaDB},
}

func sqliteFile(t testing.TB) string { return filepath.Join(t.TempDir(), "bellhub.db") }

// each runs a test on every backend, in an empty, migrated database.
func each(t *testing.T, test func(t *testing.T, ctx context.Context)) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			s := open(t, b.address(t))
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			test(t, storage.With(t.Context(), s))
		})
	}
}

// open opens a database until the test ends.
func open(t testing.TB, address string) *storage.Store {
	t.Helper()
	s, err := storage.Open(t.Context(), storage.Options{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// exec changes rows in ways that no function of the package does, such as
// letting time pass. Both databases understand the statement.
func exec(t testing.TB, ctx context.Context, statement string, args ...any) {
	t.Helper()
	r := storage.DB(ctx).Exec(statement, args...)
	if r.Error != nil {
		t.Fatal(r.Error)
	}
	if r.RowsAffected == 0 {
		t.Fatalf("no row changed: %s", statement)
	}
}

// count counts a table's rows.
func count(t testing.TB, ctx context.Context, table string) (n int64) {
	t.Helper()
	if err := storage.Read(ctx).Table(table).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// ok fails the test for an error.
func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must is ok for a function that also returns something.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// enter makes a domain, and a visitor in it.
func enter(t testing.TB, ctx context.Context) (storage.Domain, hub.Entry) {
	t.Helper()
	d, err := storage.AddDomain(ctx, storage.Domain{Name: "Kopi Tugu", AI: true})
	ok(t, err)
	e, err := storage.From(ctx).EnterVisitor(ctx, hub.Domain{ID: d.ID, AI: true}, "", "")
	ok(t, err)
	return d, e
}

// signedIn makes an admin and a session of it.
func signedIn(t testing.TB, ctx context.Context, email string, domains ...string) (hub.Identity, string) {
	t.Helper()
	a, err := storage.EnsureAdmin(ctx, email, domains...)
	ok(t, err)
	token, err := storage.NewSignIn(ctx, a.ID)
	ok(t, err)
	cookie, _, err := storage.SignIn(ctx, token, "")
	ok(t, err)
	who, err := storage.IdentityByToken(ctx, cookie)
	ok(t, err)
	return who, cookie
}
