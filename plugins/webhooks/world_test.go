package webhooks_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/plugins/webhooks"
	"github.com/bellhub/bellhub/storage"
)

func TestMain(m *testing.M) {
	code := hubtest.Main(m)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// shop is a hub with the plugin, on a database, with a domain in it.
type shop struct {
	*hubtest.Kit
	t      *testing.T
	ctx    context.Context
	hooks  *webhooks.Plugin
	domain storage.Domain
	seen   *hubtest.Observer
	other  *other
}

// other is a plugin whose host the tests use.
type other struct{ host *hub.Host }

func (*other) ID() string { return "other" }

func (o *other) Init(_ context.Context, h *hub.Host) error {
	o.host = h
	return nil
}

// each runs a test on every database.
func each(t *testing.T, fn func(t *testing.T, s *shop)) {
	for name, db := range map[string]func(testing.TB, ...storage.Migration) (context.Context, *storage.Store){
		"SQLite": hubtest.SQLite, "MariaDB": hubtest.MySQL,
	} {
		t.Run(name, func(t *testing.T) { fn(t, open(t, db, "127.0.0.1")) })
	}
}

// onSQLite is for what the databases have no part in.
func onSQLite(t *testing.T) *shop { return open(t, hubtest.SQLite, "127.0.0.1") }

// open starts a hub whose webhooks may reach the networks given, beside the
// public internet.
func open(t *testing.T, db func(testing.TB, ...storage.Migration) (context.Context, *storage.Store), allow string) *shop {
	t.Helper()
	s := &shop{t: t, hooks: webhooks.New(), seen: hubtest.NewObserver(), other: &other{}}
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	s.hooks.Flags(fs)
	s.ok(fs.Parse([]string{"-webhooks-allow", allow}))
	var store *storage.Store
	s.ctx, store = db(t, s.hooks.Migrations()...)
	s.Kit = hubtest.Start(t, hubtest.Options{Ctx: s.ctx, Store: store, Observer: s.seen}, s.hooks, s.other)
	s.domain = s.addDomain("shop")
	return s
}

func (s *shop) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) addDomain(key string) storage.Domain {
	s.t.Helper()
	d, err := storage.AddDomain(s.ctx, storage.Domain{Key: key, Name: "Shop"})
	s.ok(err)
	return d
}

// show renders the page of a domain.
func (s *shop) show(domain, query string) string {
	s.t.Helper()
	form, err := url.ParseQuery(query)
	s.ok(err)
	c, err := s.hooks.Pages()[0].Render(s.ctx, hub.PageRequest{Domain: domain, Path: "/hooks", Lang: "en", Form: form})
	s.ok(err)
	return string(c.HTML)
}

// post sends a form of the page, given as name and value in turn.
func (s *shop) post(domain string, fields ...string) (hub.PageContent, error) {
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return s.hooks.Pages()[0].Render(s.ctx, hub.PageRequest{Domain: domain, Path: "/hooks", Lang: "en", Post: true, Form: form})
}

// do sends a form that works, and returns what the page says, or where it leads.
func (s *shop) do(domain string, fields ...string) string {
	s.t.Helper()
	c, err := s.post(domain, fields...)
	s.ok(err)
	if c.Redirect != "" {
		return c.Redirect
	}
	return string(c.HTML)
}

var (
	secretText = regexp.MustCompile(`data-secret>([^<]+)<`)
	endpointID = regexp.MustCompile(`data-endpoint="([^"]+)"`)
)

// add makes an endpoint that wants events of the types, and returns its id and
// its secret.
func (s *shop) add(domain, address string, types ...string) (id, secret string) {
	s.t.Helper()
	fields := []string{"do", "add", "url", address}
	for _, t := range types {
		fields = append(fields, "event", t)
	}
	page := s.do(domain, fields...)
	ids, shown := endpointID.FindAllStringSubmatch(page, -1), secretText.FindStringSubmatch(page)
	if len(ids) == 0 || shown == nil {
		s.t.Fatalf("no endpoint was added: %s", page)
	}
	return ids[len(ids)-1][1], html.UnescapeString(shown[1])
}

// exec changes rows as time would.
func (s *shop) exec(statement string, args ...any) {
	s.t.Helper()
	r := storage.DB(s.ctx).Exec(statement, args...)
	s.ok(r.Error)
	if r.RowsAffected == 0 {
		s.t.Fatalf("no row changed: %s", statement)
	}
}

// hurry makes the next attempt of whatever waits due now.
func (s *shop) hurry() {
	s.t.Helper()
	s.exec("UPDATE jobs SET run_at = ? WHERE state = 'ready'", hub.Now().Add(-time.Second))
	// One of a delivery that nobody knows: it wakes the worker.
	s.ok(storage.Enqueue(s.ctx, hub.Job{Kind: "webhooks.deliver", Key: storage.NewID(), Payload: []byte(`{"delivery":"none"}`)}))
}

// row is a delivery as it is kept.
type row struct {
	ID       string
	State    string
	Attempts int
	Status   int
	Outcome  string
	Detail   string
	NextAt   *time.Time
}

// settled waits for the domain's newest delivery to be in a state, after so many
// attempts, and for its job to know.
func (s *shop) settled(state string, attempts int) row {
	s.t.Helper()
	var all []row
	s.eventually(func() bool {
		s.ok(storage.Read(s.ctx).Table("webhooks_deliveries").Where("domain_id = ?", s.domain.ID).Order("created_at DESC, id DESC").Limit(1).Find(&all).Error)
		return len(all) == 1 && all[0].State == state && all[0].Attempts == attempts && s.idle()
	}, "the delivery is %+v, want %s after %d attempts", &all, state, attempts)
	return all[0]
}

// idle tells whether no attempt is under way.
func (s *shop) idle() bool {
	s.t.Helper()
	var taken int64
	s.ok(storage.Read(s.ctx).Table("jobs").Where("state = 'taken'").Count(&taken).Error)
	return taken == 0
}

// eventually waits for what the database alone can tell: a job's end is observed
// before it is written down.
func (s *shop) eventually(ok func() bool, late string, args ...any) {
	s.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(15 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-patience:
			s.t.Fatalf(late, args...)
		}
	}
}

// say has a new visitor write something, and returns who it was.
func (s *shop) say(text string) *hubtest.Client {
	s.t.Helper()
	v := s.Visitor(s.t, s.domain.Key)
	v.Send("message", "c-1", map[string]any{"text": text})
	if f := v.Want("ack", "error"); f.Type == "error" {
		s.t.Fatalf("refused: %s", f.Data)
	}
	return v
}

// receiver is an owner's server.
type receiver struct {
	*httptest.Server
	got    chan request
	answer atomic.Pointer[http.HandlerFunc] // nil: 200
}

// request is what it got.
type request struct {
	header http.Header
	body   []byte
	Type   string
	Data   map[string]any
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{got: make(chan request, 100)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			return // the other end gave up
		}
		one := request{header: q.Header, body: body}
		if err := json.Unmarshal(body, &one); err != nil {
			t.Errorf("%v: %s", err, body)
		}
		r.got <- one
		if answer := r.answer.Load(); answer != nil {
			(*answer)(w, q)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// answers makes the receiver answer so from here on.
func (r *receiver) answers(fn http.HandlerFunc) { r.answer.Store(&fn) }

// status makes it answer with a status and headers.
func (r *receiver) status(code int, headers ...string) {
	r.answers(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	})
}

// want waits for a request and checks that it was signed with the secret.
func (r *receiver) want(t *testing.T, secret string) request {
	t.Helper()
	select {
	case one := <-r.got:
		key, err := standardwebhooks.NewWebhook(secret)
		if err == nil {
			err = key.Verify(one.body, one.header)
		}
		if err != nil {
			t.Fatalf("%v: %v %s", err, one.header, one.body)
		}
		return one
	case <-time.After(15 * time.Second):
		t.Fatal("nothing was delivered")
		return request{}
	}
}

// none checks that nothing more has come.
func (r *receiver) none(t *testing.T) {
	t.Helper()
	select {
	case one := <-r.got:
		t.Fatalf("got %s", one.body)
	default:
	}
}

// has checks what a page says.
func has(t *testing.T, page string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(page, w) {
			t.Errorf("the page lacks %q: %.3000s", w, page)
		}
	}
}

// until waits for the page to say something.
func (s *shop) until(query, want string) {
	s.t.Helper()
	s.eventually(func() bool { return strings.Contains(s.show(s.domain.ID, query), want) }, "the page does not come to say %q", want)
}
