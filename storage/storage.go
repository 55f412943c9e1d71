package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/bellhub/bellhub/hub"
)

// Store is an open database. It implements [hub.Store].
type Store struct {
	write *gorm.DB // SQLite: one connection
	read  *gorm.DB // SQLite: several, read only; MySQL: the same pool as write
	mysql bool
	log   *slog.Logger
	path  string   // of SQLite's file
	alone *os.File // see Reclaim; nil without a lock
	wake  wakers
	seen  domainCache

	observer Observer
	commits  *committer
	closing  sync.Once
	quit     chan struct{}  // closed by Close
	tasks    sync.WaitGroup // goroutines that quit ends
}

var _ hub.Store = (*Store)(nil)

// Options says which database to open.
type Options struct {
	// URL is mysql://user:password@host:port/name, or a SQLite file's path.
	URL      string
	Log      *slog.Logger // nil: discarded
	Observer Observer     // nil: nobody
}

// slowQuery is what is worth a line in the log.
const slowQuery = 500 * time.Millisecond

// Open opens the database, waiting at most until ctx ends for it to answer. It
// changes nothing in it: see [Store.Migrate].
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	s := &Store{log: o.Log, observer: o.Observer, wake: newWakers(), mysql: strings.HasPrefix(o.URL, "mysql://"), quit: make(chan struct{})}
	open := s.openSQLite
	if s.mysql {
		open = s.openMySQL
	}
	if err := open(o.URL); err != nil {
		_ = s.Close()
		return nil, err
	}
	db, err := s.write.DB()
	if err == nil {
		err = db.PingContext(ctx)
	}
	if err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("storage: open %s: %w", Redact(o.URL), err)
	}
	s.commits = newCommitter(s)
	if !s.mysql {
		readers, err := s.read.DB()
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.tasks.Go(func() { s.checkpoint(readers) })
	}
	return s, nil
}

// Redact returns a database's address without its password, for people.
func Redact(address string) string {
	if !strings.HasPrefix(address, "mysql://") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return "mysql://…"
	}
	return u.Redacted()
}

// config is how every handle is opened: our clock, our errors, no implicit
// transaction around single statements.
func (s *Store) config() *gorm.Config {
	return &gorm.Config{
		NowFunc:                hub.Now,
		TranslateError:         true,
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true, // Open does it, within its context
		Logger: queryLog{logger.NewSlogLogger(s.log, logger.Config{
			SlowThreshold:             slowQuery,
			LogLevel:                  logger.Warn,
			IgnoreRecordNotFoundError: true,
			ParameterizedQueries:      true, // values are people's words: never logged
		})},
	}
}

// queryLog leaves out what is an answer, not a fault: that a key is taken.
type queryLog struct{ logger.Interface }

func (l queryLog) Trace(ctx context.Context, begin time.Time, fc func() (string, int64), err error) {
	if unique(err) {
		err = nil
	}
	l.Interface.Trace(ctx, begin, fc, err)
}

// ParamsFilter keeps what people wrote out of the log: only the statement's
// shape is in it.
func (queryLog) ParamsFilter(_ context.Context, statement string, _ ...any) (string, []any) {
	return statement, nil
}

// Close closes every connection, after the appends that are being committed.
// What still runs or waits fails, and so does what comes later.
func (s *Store) Close() error {
	s.closing.Do(func() {
		if s.commits != nil {
			s.commits.close()
		}
		close(s.quit)
		s.tasks.Wait()
	})
	var errs []error
	for i, g := range []*gorm.DB{s.write, s.read} {
		if g == nil || i > 0 && g == s.write {
			continue
		}
		db, err := g.DB()
		if err == nil {
			err = db.Close()
		}
		errs = append(errs, err)
	}
	if s.alone != nil {
		_ = s.alone.Close()
	}
	return errors.Join(errs...)
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	db, err := s.read.DB()
	if err != nil {
		return err
	}
	return db.PingContext(ctx)
}
