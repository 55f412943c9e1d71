package hubtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// Memory is a [hub.Store] in memory. It is also the [Fixture] of its own
// conformance test: what arranges its state may be called at any time, also
// while a hub works on it. Ids count up: domain-1, visitor-2, room-3.
type Memory struct {
	// RepeatWithin makes every Append run its Within twice, the first time for
	// nothing, as a database does that lost a deadlock.
	RepeatWithin bool

	appending sync.Mutex // one append at a time; held while Within runs, which may read
	mu        sync.Mutex // guards what follows; never held while foreign code runs
	fail      error
	last      int // of the ids
	domains   map[string]hub.Domain
	visitors  map[string]*memVisitor // by token
	rooms     map[string]*memRoom
	sessions  map[string]*memSession
	grants    []*memGrant
	jobs      []hub.Job
}

var (
	_ hub.Store = (*Memory)(nil)
	_ Fixture   = (*Memory)(nil)
)

type memVisitor struct {
	id, domain string
	until      time.Time
}

type memRoom struct {
	hub.Room
	closed bool
	log    []hub.Event
	first  map[clientKey]firstTime
}

// clientKey is what makes an append the same one again.
type clientKey struct {
	kind   hub.Kind
	author string
	id     string
}

type firstTime struct {
	seq  int64
	hash string
}

// How long a visitor's token lives unused, and how old its expiry must be to be
// moved: the interface's "at most daily".
const (
	visitorIdle  = 30 * 24 * time.Hour
	visitorRenew = 24 * time.Hour
)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		domains: map[string]hub.Domain{}, visitors: map[string]*memVisitor{},
		rooms: map[string]*memRoom{}, sessions: map[string]*memSession{},
	}
}

// Fail makes every call of the store's fail with err, until Fail(nil). An
// append that fails so has changed nothing.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// id makes the next id, under mu.
func (m *Memory) id(what string) string {
	m.last++
	return fmt.Sprintf("%s-%d", what, m.last)
}

// DomainByKey implements [hub.Store].
func (m *Memory) DomainByKey(_ context.Context, key string) (hub.Domain, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return hub.Domain{}, m.fail
	}
	for _, d := range m.domains {
		if d.Key == key {
			d.Origins = slices.Clone(d.Origins)
			return d, nil
		}
	}
	return hub.Domain{}, hub.ErrNotFound
}

// EnterVisitor implements [hub.Store].
func (m *Memory) EnterVisitor(_ context.Context, d hub.Domain, token, room string) (hub.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return hub.Entry{}, m.fail
	}
	now := hub.Now()
	if token == "" {
		v := &memVisitor{id: m.id("visitor"), domain: d.ID, until: now.Add(visitorIdle)}
		token := m.id("token")
		m.visitors[token] = v
		return hub.Entry{Visitor: v.author(), Room: m.open(d, v.id).Room, Token: token}, nil
	}
	v := m.visitors[token]
	if v == nil || v.domain != d.ID || !now.Before(v.until) {
		return hub.Entry{}, hub.ErrExpired
	}
	if until := now.Add(visitorIdle); until.Sub(v.until) > visitorRenew {
		v.until = until
	}
	r, err := m.visitorRoom(d, v.id, room)
	if err != nil {
		return hub.Entry{}, err
	}
	if mode := firstMode(d); r.Holder.ID == "" && r.Mode != mode {
		r.Mode = mode // the domain's AI was switched since
		r.Epoch++
	}
	return hub.Entry{Visitor: v.author(), Room: r.Room}, nil
}

func (v *memVisitor) author() hub.Author { return hub.Author{Kind: hub.Visitor, ID: v.id} }

func (m *Memory) visitorRoom(d hub.Domain, visitor, room string) (*memRoom, error) {
	if room != "" {
		r := m.rooms[room]
		switch {
		case r == nil || r.Visitor != visitor || r.Domain != d.ID:
			return nil, hub.ErrNotFound
		case r.closed:
			return nil, hub.ErrGone
		}
		return r, nil
	}
	for _, r := range m.rooms {
		if r.Visitor == visitor && r.Domain == d.ID && !r.closed {
			return r, nil
		}
	}
	return m.open(d, visitor), nil
}

func (m *Memory) open(d hub.Domain, visitor string) *memRoom {
	id := m.id("room")
	r := &memRoom{
		Room: hub.Room{
			ID: id, Domain: d.ID, Visitor: visitor, Ref: fmt.Sprintf("TEST-%04d", m.last),
			Mode: firstMode(d), Epoch: 1, CreatedAt: hub.Now(),
		},
		first: map[clientKey]firstTime{},
	}
	m.rooms[id] = r
	return r
}

func firstMode(d hub.Domain) hub.Mode {
	if d.AI {
		return hub.ModeAI
	}
	return hub.ModeLive
}

// Room implements [hub.Store].
func (m *Memory) Room(_ context.Context, id string) (hub.Room, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return hub.Room{}, m.fail
	}
	if r := m.rooms[id]; r != nil {
		return r.Room, nil
	}
	return hub.Room{}, hub.ErrNotFound
}

// Events implements [hub.Store].
func (m *Memory) Events(_ context.Context, room string, p hub.Range) ([]hub.Event, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return nil, false, m.fail
	}
	limit := p.Limit
	if limit <= 0 || limit > hub.MaxPage {
		limit = hub.MaxPage
	}
	var log []hub.Event
	if r := m.rooms[room]; r != nil {
		log = r.log
	}
	// The log is dense, so a number is a position: what stands before n are the
	// first n-1 events.
	size := int64(len(log))
	var from, to int64
	switch {
	case p.Before > 0:
		to = min(p.Before-1, size)
		from = max(0, to-int64(limit))
	case p.Newest:
		to, from = size, max(0, size-int64(limit))
	default:
		from = min(max(p.After, 0), size)
		to = min(from+int64(limit), size)
	}
	out := make([]hub.Event, 0, to-from)
	for _, e := range log[from:to] {
		out = append(out, e.Clone())
	}
	if p.Before > 0 || p.Newest {
		return out, from > 0, nil
	}
	return out, to < size, nil
}

// Append implements [hub.Store].
func (m *Memory) Append(ctx context.Context, a hub.Append) (hub.Appended, error) {
	m.appending.Lock()
	defer m.appending.Unlock()
	out, err := m.append(ctx, a)
	var public *hub.Error
	if err != nil && !errors.As(err, &public) {
		err = hub.Wrap(err, hub.CodeUnavailable, hub.ErrUnavailable.Message)
	}
	return out, err
}

func (m *Memory) append(ctx context.Context, a hub.Append) (hub.Appended, error) {
	again, err := m.before(a)
	if err != nil || again.Again {
		return again, err
	}
	if a.Within != nil {
		if m.RepeatWithin {
			spare := a
			spare.Jobs = slices.Clone(a.Jobs)
			_ = a.Within(ctx, &spare)
		}
		a.Jobs = slices.Clone(a.Jobs)
		if err := a.Within(ctx, &a); err != nil {
			return hub.Appended{}, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return hub.Appended{}, m.fail
	}
	r := m.rooms[a.Room]
	if r == nil {
		return hub.Appended{}, hub.ErrNotFound
	}
	next, e, err := r.Next(a, hub.Now())
	if err != nil {
		return hub.Appended{}, err
	}
	r.Room = next
	r.log = append(r.log, e.Clone())
	if a.ClientID != "" {
		r.first[clientKey{a.Author.Kind, a.Author.ID, a.ClientID}] = firstTime{e.Seq, a.Hash}
	}
	m.enqueue(a.Jobs)
	return hub.Appended{Event: e, Room: next}, nil
}

// before looks at what decides an append before Within runs.
func (m *Memory) before(a hub.Append) (hub.Appended, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return hub.Appended{}, m.fail
	}
	r := m.rooms[a.Room]
	if r == nil {
		return hub.Appended{}, hub.ErrNotFound
	}
	if first, ok := r.first[clientKey{a.Author.Kind, a.Author.ID, a.ClientID}]; ok && a.ClientID != "" {
		if first.hash != a.Hash {
			return hub.Appended{}, hub.ErrMismatch
		}
		return hub.Appended{Event: r.log[first.seq-1].Clone(), Room: r.Room, Again: true}, nil
	}
	if r.closed {
		return hub.Appended{}, hub.ErrGone
	}
	return hub.Appended{}, nil
}

// enqueue keeps the jobs whose (Kind, Key) is new.
func (m *Memory) enqueue(jobs []hub.Job) {
	for _, j := range jobs {
		if !slices.ContainsFunc(m.jobs, func(k hub.Job) bool { return k.Kind == j.Kind && k.Key == j.Key }) {
			j.Payload = slices.Clone(j.Payload)
			m.jobs = append(m.jobs, j)
		}
	}
}
