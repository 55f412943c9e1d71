package storage_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

func TestMySQLAddress(t *testing.T) {
	for in, want := range map[string]struct{ user, password, addr, name, tls string }{
		"mysql://bell:hunter2@db:3307/bellhub":              {"bell", "hunter2", "db:3307", "bellhub", ""},
		"mysql://bell@db/bellhub":                           {"bell", "", "db:3306", "bellhub", ""},
		"mysql://bell:p%40ss%2Fw%3A%3F%23%25@[::1]/b?tls=1": {"bell", "p@ss/w:?#%", "[::1]:3306", "b", "1"},
		"mysql://bell:h@[::1]:3307/bellhub?tls=skip-verify": {"bell", "h", "[::1]:3307", "bellhub", "skip-verify"},
	} {
		cfg, err := storage.MySQLConfig(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if cfg.User != want.user || cfg.Passwd != want.password || cfg.Addr != want.addr || cfg.DBName != want.name || cfg.TLSConfig != want.tls {
			t.Errorf("%s: %+v", in, cfg)
		}
	}
	for _, in := range []string{
		"mysql://", "mysql://bell:hunter2@/bellhub", "mysql://bell:hunter2@db", "mysql://bell:hunter2@db/", "mysql://db/bellhub",
		"mysql://bell:hunter2@db:port/bellhub", "mysql://bell:hunter2%zz@db/bellhub", "mysql://bell:hunter2@db/bellhub?timeout=1s",
		"mysql://bell:hunter2 @db/bellhub", "mysql://bell:hunter2\n@db/x",
	} {
		_, err := storage.MySQLConfig(in)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", in, err)
		}
		if _, err := storage.Open(t.Context(), storage.Options{URL: in}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("opening %q: %v", in, err)
		}
	}
	for in, want := range map[string]string{
		"mysql://bell:hunter2@db/x": "mysql://bell:xxxxx@db/x", "data/bellhub.db": "data/bellhub.db", "mysql://bell:hunter2%@db": "mysql://…",
	} {
		if got := storage.Redact(in); got != want {
			t.Errorf("Redact(%q) is %q, want %q", in, got, want)
		}
	}
}

// Errors of connecting name the place and keep the password.
func TestMySQLDoesNotAnswer(t *testing.T) {
	good, err := url.Parse(hubtest.MariaDB(t))
	ok(t, err)
	wrong := *good
	wrong.User = url.UserPassword("bellhub", "hunter2")
	closed := *good
	closed.Host = "127.0.0.1:1"
	closed.User = url.UserPassword("bellhub", "hunter2")
	for _, u := range []url.URL{wrong, closed} {
		_, err := storage.Open(t.Context(), storage.Options{URL: u.String()})
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), u.Host) {
			t.Errorf("%s: %v", u.Host, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := storage.Open(ctx, storage.Options{URL: good.String()}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// A password with every character that means something in an address arrives
// as it is: the server knows it, and only then asks for the right to the data.
func TestMySQLOddPassword(t *testing.T) {
	const password = `p@ss:/w?#%&=+ '"\é`
	good, err := url.Parse(hubtest.MariaDB(t))
	ok(t, err)
	ctx := storage.With(t.Context(), open(t, good.String()))
	ok(t, storage.DB(ctx).Exec(`CREATE USER 'odd' IDENTIFIED BY ?`, password).Error)
	t.Cleanup(func() { _ = storage.DB(storage.With(context.Background(), storage.From(ctx))).Exec(`DROP USER 'odd'`) })
	good.User = url.UserPassword("odd", password)
	_, err = storage.Open(t.Context(), storage.Options{URL: good.String()})
	var refused *driver.MySQLError
	if !errors.As(err, &refused) || refused.Number != 1044 {
		t.Errorf("got %v, want error 1044, no right to the database", err)
	}
}

// The server's settings do not matter: each connection brings its own.
func TestMySQLConnection(t *testing.T) {
	ctx := storage.With(t.Context(), open(t, hubtest.MariaDB(t)))
	for variable, want := range map[string]string{
		"time_zone": "+00:00", "collation_connection": "utf8mb4_bin", "character_set_client": "utf8mb4", "sql_mode": "STRICT_ALL_TABLES",
	} {
		var got string
		if err := storage.Read(ctx).Raw("SELECT @@" + variable).Scan(&got).Error; err != nil || got != want {
			t.Errorf("%s is %q, %v; want %s", variable, got, err, want)
		}
	}
}

// A transaction sees what others have committed meanwhile: under MySQL's own
// default, an append that waited for its room's lock would read the log as it
// was before the wait.
func TestMySQLReadsCommitted(t *testing.T) {
	s := open(t, hubtest.MariaDB(t))
	ok(t, s.Migrate(t.Context()))
	outside := storage.With(t.Context(), s)
	ok(t, storage.Tx(outside, func(ctx context.Context) error {
		before := count(t, ctx, "domains")
		enter(t, outside)
		if after := count(t, ctx, "domains"); after != before+1 {
			t.Errorf("the transaction sees %d domains, want %d", after, before+1)
		}
		return nil
	}))
}

// What people write does not get into the log, not even where it breaks a
// statement.
func TestLogHoldsNoValues(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			var log bytes.Buffer
			s, err := storage.Open(t.Context(), storage.Options{URL: b.address(t), Log: slog.New(slog.NewTextHandler(&log, nil))})
			ok(t, err)
			defer s.Close()
			ok(t, s.Migrate(t.Context()))
			ctx := storage.With(t.Context(), s)
			for range 2 {
				_, _ = storage.AddRule(ctx, storage.CCRule{DomainID: "d", Email: "hunter2@example.com"})
			}
			_ = storage.DB(ctx).Exec("INSERT INTO nowhere (x) VALUES (?)", "hunter2").Error
			if !strings.Contains(log.String(), "nowhere") || strings.Contains(log.String(), "hunter2") {
				t.Errorf("the log is\n%s", log.String())
			}
		})
	}
}
