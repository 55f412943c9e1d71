package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

// world is a hub with this plugin, a database, a domain and a visitor's room.
type world struct {
	t      *testing.T
	ctx    context.Context
	mail   *Plugin
	host   *hub.Host // of a plugin that stands for the escalation
	store  *storage.Store
	domain storage.Domain
	room   hub.Room
	log    *logBuffer
	seen   *hubtest.Observer
}

// options for Mailgun at a fake.
func gunOptions(g *gun) options {
	return options{
		From: "Bellhub <bell@" + gunDomain + ">", Domain: gunDomain, Key: gunKey,
		APIBase: g.URL + "/v3", SigningKey: "signing-secret-7f3a",
	}
}

func newWorld(t *testing.T, o options, development bool) *world {
	t.Helper()
	w := &world{t: t, log: &logBuffer{}, seen: hubtest.NewObserver()}
	w.store = newStore(t)
	w.ctx = storage.With(t.Context(), w.store)
	base, _ := url.Parse("https://chat.example")
	if development {
		base, _ = url.Parse("http://localhost:8080")
	}
	h, err := hub.New(w.ctx, hub.Options{
		Store: w.store, BaseURL: base, Development: development, Limits: hub.DefaultLimits(), Texts: texts(t),
		Log: slog.New(slog.NewTextHandler(w.log, nil)), Observer: w.seen,
		Frame:  func(b []byte) []byte { return b },
		Render: func(s string) string { return s },
		Asset:  func(name string) string { return "/static/x/" + name },
	})
	w.must(err)
	w.mail = New()
	if o != (options{}) {
		w.mail.opts = o
	}
	w.must(w.mail.Validate())
	other := &ringer{}
	w.must(h.Init(w.mail, other))
	t.Cleanup(func() { w.must(h.Close(context.Background())) })
	w.host = other.host

	w.domain, err = storage.AddDomain(w.ctx, storage.Domain{Key: "kopitugu", Name: "Kopi Tugu", TimeZone: "Asia/Jakarta", AI: true})
	w.must(err)
	d, err := w.store.DomainByKey(w.ctx, "kopitugu")
	w.must(err)
	entry, err := w.store.EnterVisitor(w.ctx, d, "", "")
	w.must(err)
	w.room = entry.Room
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// ringer is the plugin whose host the tests use.
type ringer struct{ host *hub.Host }

func (*ringer) ID() string { return "ringer" }

func (r *ringer) Init(_ context.Context, h *hub.Host) error {
	r.host = h
	return nil
}

// rule adds an active recipient.
func (w *world) rule(address, label string) storage.CCRule {
	w.t.Helper()
	r, err := storage.AddRule(w.ctx, storage.CCRule{DomainID: w.domain.ID, Email: address, Label: label})
	w.must(err)
	return r
}

// ring stores an escalation with one email for each rule, as the escalation
// plugin does, and returns the emails.
func (w *world) ring(state storage.EmailState, reason string, rules ...storage.CCRule) []storage.Email {
	w.t.Helper()
	esc := storage.NewID()
	at := time.Date(2026, 3, 3, 15, 14, 0, 0, time.UTC)
	_, err := w.host.Append(w.ctx, hub.Append{
		Room: w.room.ID, Type: hub.EventEscalation, Author: hub.Author{Kind: hub.Visitor, ID: w.room.Visitor}, Text: reason,
		Data: hub.MarshalData(hub.Progress{Escalation: esc, State: hub.StateQueued}),
		Within: func(ctx context.Context, a *hub.Append) error {
			var emails []storage.Email
			for _, r := range rules {
				emails = append(emails, storage.Email{
					DomainID: w.domain.ID, RoomID: w.room.ID, EscalationID: esc, RuleID: r.ID,
					Kind: storage.EmailBell, Recipient: r.Email, Label: r.Label, State: state,
					Data: string(hub.MarshalData(storage.Bell{
						Domain: w.domain.Name, DomainKey: w.domain.Key, TimeZone: w.domain.TimeZone,
						Room: w.room.Ref, Reason: reason, At: at,
					})),
				})
			}
			jobs, err := storage.AddEmails(ctx, emails...)
			a.Jobs = append(a.Jobs, jobs...)
			return err
		},
	})
	w.must(err)
	all, err := storage.EmailsOfEscalation(w.ctx, w.domain.ID, esc)
	w.must(err)
	return all
}

// attempt delivers an email as the worker does; n counts from 1.
func (w *world) attempt(e storage.Email, n int) error {
	return w.mail.deliver(w.ctx, storage.Task{
		ID: "job", Payload: hub.MarshalData(e.ID), Attempt: n, Last: n > len(storage.Schedule),
	})
}

func (w *world) email(id string) storage.Email {
	w.t.Helper()
	e, err := storage.EmailByID(w.ctx, id)
	w.must(err)
	return e
}

// notices lists the states of the room's notices, in order.
func (w *world) notices() string {
	w.t.Helper()
	events, _, err := w.host.Events(w.ctx, w.room.ID, hub.Range{})
	w.must(err)
	var states []string
	for _, e := range events {
		if e.Type != hub.EventNotice {
			continue
		}
		var p hub.Progress
		w.must(json.Unmarshal(e.Data, &p))
		states = append(states, p.State)
	}
	return strings.Join(states, " ")
}

// backdate makes an email older.
func (w *world) backdate(id string, by time.Duration) {
	w.t.Helper()
	w.must(storage.DB(w.ctx).Exec("UPDATE emails SET created_at = ? WHERE id = ?", hub.Now().Add(-by), id).Error)
}

// tokenIn finds the link's token in a body.
func tokenIn(t *testing.T, body string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, "/join/")
	if !ok || len(rest) < 43 {
		t.Fatalf("no link in:\n%s", body)
	}
	return rest[:43]
}

// empty is a migrated database, made once: migrating under the race detector
// takes longer than most tests.
var empty = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "bellhub-mail")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "empty.db")
	s, err := storage.Open(context.Background(), storage.Options{URL: path})
	if err != nil {
		return nil, err
	}
	if err := s.Migrate(context.Background()); err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func newStore(t *testing.T) *storage.Store {
	t.Helper()
	content, err := empty()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(t.Context(), storage.Options{URL: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// texts are the shipped ones.
func texts(t *testing.T) hub.Texts {
	t.Helper()
	all := hub.Texts{}
	for _, lang := range []string{"en", "id"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "static", "i18n", lang+".json"))
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]string{}
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		all[lang] = m
	}
	return all
}

// logBuffer collects log lines of several goroutines.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
