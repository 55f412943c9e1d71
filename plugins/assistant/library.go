package assistant

import (
	"context"
	"sync"
	"time"

	"github.com/bellhub/bellhub/storage"
)

// libraryDomains is how many domains' indexes are kept in memory.
const libraryDomains = 128

// library keeps an index for each domain that was asked about lately. An index
// is found by its domain's id and made from that domain's rows: there is no way
// from one to another's.
type library struct {
	mu      sync.Mutex
	indexes map[string]*shelf
}

// shelf is a domain's index and what it was made of.
type shelf struct {
	index  *index
	count  int64
	newest time.Time
	used   time.Time
}

func newLibrary() *library { return &library{indexes: map[string]*shelf{}} }

// of returns the index of what a domain knows now.
func (l *library) of(ctx context.Context, domain string) (*index, error) {
	count, newest, err := storage.KnowledgeStamp(ctx, domain)
	if err != nil {
		return nil, err
	}
	if x := l.kept(domain, count, newest); x != nil {
		return x, nil
	}
	texts, err := storage.KnowledgeOf(ctx, domain)
	if err != nil {
		return nil, err
	}
	// The stamp was read before the texts: where they changed in between, the
	// next question finds the stamp old and reads them again.
	x := newIndex(texts)
	l.keep(domain, &shelf{index: x, count: count, newest: newest, used: time.Now()})
	return x, nil
}

func (l *library) kept(domain string, count int64, newest time.Time) *index {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.indexes[domain]
	if s == nil || s.count != count || !s.newest.Equal(newest) {
		return nil
	}
	s.used = time.Now()
	return s.index
}

// keep remembers an index in place of the one not used for longest.
func (l *library) keep(domain string, s *shelf) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.indexes[domain] = s
	if len(l.indexes) <= libraryDomains {
		return
	}
	oldest := ""
	for d, s := range l.indexes {
		if oldest == "" || s.used.Before(l.indexes[oldest].used) {
			oldest = d
		}
	}
	delete(l.indexes, oldest)
}
