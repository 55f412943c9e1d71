package storage

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
)

// The MySQL pool. A connection is given back before any usual wait_timeout or
// proxy closes it under us.
const (
	mysqlConns    = 32
	mysqlLifetime = 3 * time.Minute
	mysqlDial     = 5 * time.Second
	mysqlIO       = 30 * time.Second
)

func (s *Store) openMySQL(address string) error {
	cfg, err := mysqlConfig(address)
	if err != nil {
		return err
	}
	cfg.Logger = driverLog{s.log}
	conf := s.config()
	conf.PrepareStmt = false // interpolateParams: one round trip, no statement per batch size
	s.write, err = gorm.Open(mysql.New(mysql.Config{
		DSNConfig: cfg, SkipInitializeWithVersion: true,
		DontSupportForShareClause: true, // MariaDB has LOCK IN SHARE MODE alone, MySQL both
	}), conf)
	if err != nil {
		return fmt.Errorf("storage: open %s: %w", Redact(address), err)
	}
	s.read = s.write
	db, err := s.write.DB()
	if err != nil {
		return err
	}
	db.SetConnMaxLifetime(mysqlLifetime)
	return limitPool(s.write, mysqlConns)
}

// driverLog takes what the driver would write to standard error: broken
// connections, which whoever used them hears of too.
type driverLog struct{ *slog.Logger }

// Print implements the driver's Logger.
func (l driverLog) Print(v ...any) { l.Warn("storage: mysql", "said", fmt.Sprint(v...)) }

// mysqlConfig reads mysql://user:password@host:port/name[?tls=…].
func mysqlConfig(address string) (*driver.Config, error) {
	u, err := url.Parse(address)
	if err != nil { // the error would quote the password
		return nil, errors.New("database: not a valid mysql:// address")
	}
	name := strings.TrimPrefix(u.Path, "/")
	if u.Hostname() == "" || name == "" || u.User == nil {
		return nil, errors.New("database: want mysql://user:password@host:3306/name")
	}
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	cfg := driver.NewConfig()
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", net.JoinHostPort(u.Hostname(), port), name
	cfg.ParseTime, cfg.Loc = true, time.UTC
	cfg.InterpolateParams = true
	cfg.ClientFoundRows = true // an update that matches but changes nothing still counts, as in SQLite
	cfg.Collation = "utf8mb4_bin"
	cfg.Params = map[string]string{
		"time_zone": "'+00:00'",
		"sql_mode":  "'STRICT_ALL_TABLES'", // whatever the server's: what does not fit fails, and is not cut
	}
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = mysqlDial, mysqlIO, mysqlIO
	for key, values := range u.Query() {
		if key != "tls" {
			return nil, fmt.Errorf("database: unknown parameter %q (only tls is known)", key)
		}
		cfg.TLSConfig = values[0]
	}
	return cfg, nil
}

// The MySQL error numbers after which a whole transaction may be tried again.
const (
	mysqlLockWait = 1205
	mysqlDeadlock = 1213
)

// mysqlBadText is the error number of text that is not in the column's encoding.
const mysqlBadText = 1366

// conflict tells whether err rolled a transaction back for want of a lock.
func conflict(err error) bool {
	var e *driver.MySQLError
	return errors.As(err, &e) && (e.Number == mysqlLockWait || e.Number == mysqlDeadlock)
}

// unique tells whether err is a broken unique index.
func unique(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }
