package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

// The example that Standard Webhooks' libraries are tested with.
func TestTheSpecificationsSignature(t *testing.T) {
	h := http.Header{}
	k := keys{Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
	if err := k.sign(h, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
		"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestSecrets(t *testing.T) {
	if s := string(newSecret()); !regexp.MustCompile(`^whsec_[A-Za-z0-9+/]{43}=$`).MatchString(s) || s == string(newSecret()) {
		t.Errorf("%q", s)
	}
	e := endpoint{Keys: keys{Secret: "whsec_c2VjcmV0", OldSecret: "whsec_b2xk"}}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(e), fmt.Sprintf("%+v %#v", e, e), string(b)} {
		if strings.Contains(text, "c2VjcmV0") || strings.Contains(text, "b2xk") {
			t.Errorf("printed: %s", text)
		}
	}
	// Rotated twice within a day, the one before the last no longer signs.
	k := e.Keys.rotated()
	if k.OldSecret != "whsec_c2VjcmV0" || !k.OldUntil.After(hub.Now().Add(rotation-time.Minute)) {
		t.Errorf("%v", k)
	}
	err = keys{Secret: "whsec_not base64!"}.sign(http.Header{}, "msg_1", time.Now(), nil)
	if err == nil || strings.Contains(err.Error(), "not base64!") {
		t.Errorf("%v", err)
	}
}

func TestTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(3, 30*time.Second)
		want := func(open bool) {
			t.Helper()
			if g.open("a") != open {
				t.Fatalf("open is %t", !open)
			}
		}
		fail := func() { g.note("a", false) }
		fail()
		fail()
		g.note("a", true) // in a row, it must be
		fail()
		fail()
		want(true)
		fail()
		want(false)
		if !g.open("b") {
			t.Error("another endpoint is held back")
		}
		time.Sleep(30 * time.Second)
		want(true) // one, to see
		want(false)
		fail()
		time.Sleep(29 * time.Second)
		want(false)
		time.Sleep(time.Second)
		want(true)
		g.note("a", true)
		want(true)
		want(true)
		// Its memory is bounded.
		for i := range maxIll + 5 {
			g.note(fmt.Sprint(i), false)
		}
		if len(g.ill) > maxIll {
			t.Errorf("%d are remembered", len(g.ill))
		}
	})
}

// An endpoint that kept us waiting too often gives its place to others: what comes
// for it is held back, but for a delivery's last attempt.
func TestASlowEndpointIsHeldBack(t *testing.T) {
	p := New()
	ctx, store := hubtest.SQLite(t, p.Migrations()...)
	seen := hubtest.NewObserver()
	k := hubtest.Start(t, hubtest.Options{Ctx: ctx, Store: store, Observer: seen}, p)
	d, err := storage.AddDomain(ctx, storage.Domain{Key: "shop", Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := addEndpoint(ctx, endpoint{DomainID: d.ID, URL: "http://127.0.0.1:1/", Events: "message"}) // which is blocked at once
	if err != nil {
		t.Fatal(err)
	}
	for range slowFailures {
		p.slow.note(e.ID, false)
	}
	v := k.Visitor(t, "shop")
	v.Send("message", "c-1", map[string]any{"text": "hello"})
	v.Want("ack")
	seen.Want(t, "counter webhooks deliveries held", 1)
	events, _, err := store.Events(ctx, v.Room, hub.Range{})
	if err != nil {
		t.Fatal(err)
	}
	task := storage.Task{
		Key: storage.NewID(), Room: v.Room, Seq: events[0].Seq, Attempt: len(storage.Schedule) + 1, Last: true,
		Payload: hub.MarshalData(order{Domain: d.ID, Endpoint: e.ID}),
	}
	if err := p.deliver(ctx, task); err != nil {
		t.Fatal(err)
	}
	last, err := deliveryIn(ctx, d.ID, task.Key)
	if err != nil || last.Outcome != outcomeBlocked || last.State != deliveryFailed || last.Attempts != 1 {
		t.Errorf("%+v, %v", last, err)
	}
	// It failed at once: there is no reason to hold anything back any more.
	if !p.slow.open(e.ID) {
		t.Error("still held back")
	}
}

// Deliveries to a host that hangs take no connection from a question to the same
// host, for which a visitor waits.
func TestQuestionsHaveConnectionsOfTheirOwn(t *testing.T) {
	p := New()
	if err := p.allow.Set("127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	ctx, store := hubtest.SQLite(t, p.Migrations()...)
	seen := hubtest.NewObserver()
	k := hubtest.Start(t, hubtest.Options{Ctx: ctx, Store: store, Observer: seen}, p)
	d, err := storage.AddDomain(ctx, storage.Domain{Key: "shop", Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	hanging := make(chan struct{})
	free := make(chan struct{})
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/decide" {
			_, _ = io.WriteString(w, `{"action":"rewrite","text":"checked"}`)
			return
		}
		hanging <- struct{}{}
		<-free
	}))
	defer host.Close()
	var sending sync.WaitGroup
	defer sending.Wait()
	defer close(free)
	for range maxConns {
		sending.Go(func() {
			if _, err := p.sender.send(ctx, host.URL, keys{Secret: newSecret()}, "msg_1", []byte("{}"), 0); err != nil {
				t.Error(err)
			}
		})
	}
	for range maxConns {
		<-hanging
	}
	if _, err := saveDecider(ctx, decider{DomainID: d.ID, URL: host.URL + "/decide", Active: true, DeadlineMS: maxDeadline, FailClosed: true}); err != nil {
		t.Fatal(err)
	}
	v := k.Visitor(t, "shop")
	v.Send("message", "c-1", map[string]any{"text": "hello"})
	if f := v.Want("ack", "error"); f.Type == "error" {
		t.Errorf("the question was not answered: %s", f.Data)
	}
	seen.Want(t, "counter webhooks decisions rewrite", 1)
}

// Only who owns an endpoint can have it called before its pause is over.
func TestAPauseIsItsOwnersToEnd(t *testing.T) {
	p := New()
	ctx, store := hubtest.SQLite(t, p.Migrations()...)
	hubtest.Start(t, hubtest.Options{Ctx: ctx, Store: store}, p)
	e, err := addEndpoint(ctx, endpoint{DomainID: "shop", URL: "https://shop.example/", Events: "message"})
	if err != nil {
		t.Fatal(err)
	}
	for _, do := range []string{"resume", "change"} {
		for range slowFailures {
			p.slow.note(e.ID, false)
		}
		form := url.Values{"do": {do}, "endpoint": {e.ID}, "url": {e.URL}, "event": {"message"}}
		if _, err := p.render(ctx, hub.PageRequest{Domain: "other", Post: true, Form: form}); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("%s from another domain: %v", do, err)
		}
		if p.slow.open(e.ID) {
			t.Errorf("%s from another domain ended the pause", do)
		}
		if _, err := p.render(ctx, hub.PageRequest{Domain: "shop", Post: true, Form: form}); err != nil {
			t.Fatal(err)
		}
		if !p.slow.open(e.ID) {
			t.Errorf("%s did not end the pause", do)
		}
	}
}

// An endpoint that has answered, and then goes on talking, has had its answer: it
// keeps no place from others until the time for one is over.
func TestAnAnswerWithoutEnd(t *testing.T) {
	talks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, ".")
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	}))
	defer talks.Close()
	s := newSender(hub.Networks{netip.MustParsePrefix("127.0.0.0/8")})
	defer s.close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	a, err := s.send(ctx, talks.URL, keys{Secret: newSecret()}, "msg_1", []byte("{}"), 0)
	if err != nil || a.Outcome != outcomeDelivered {
		t.Errorf("%+v, %v", a, err)
	}
	if ctx.Err() != nil {
		t.Error("it was listened to for as long as there was time")
	}
}

// The registry costs a message no query.
func TestTheRegistryAsksSeldom(t *testing.T) {
	p := New()
	ctx, store := hubtest.SQLite(t, p.Migrations()...)
	r := newRegistry()
	d, err := storage.AddDomain(ctx, storage.Domain{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	entry := func() *entry {
		t.Helper()
		e, err := r.of(ctx, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if e := entry(); len(e.targets) != 0 || e.decider != nil {
		t.Errorf("%+v", e)
	}
	added, err := addEndpoint(ctx, endpoint{DomainID: d.ID, URL: "https://shop.example", Events: "message"})
	if err != nil {
		t.Fatal(err)
	}
	r.forget()
	if e := entry(); len(e.targets) != 1 || e.targets[0] != (target{added.ID, "message"}) {
		t.Errorf("%+v", e)
	}
	// From here on, for as long as it is fresh, nobody is asked: there is nobody.
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if e := entry(); len(e.targets) != 1 {
		t.Errorf("%+v", e)
	}
	r.forget()
	if _, err := r.of(ctx, d.ID); err == nil {
		t.Error("it knows without a database")
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	<-r.reading // somebody reads
	if _, err := r.of(stopped, d.ID); err == nil {
		t.Error("it knows before anybody has read")
	}
	r.reading <- struct{}{}
}

// What every message pays, in a domain without endpoints.
func BenchmarkTheRegistry(b *testing.B) {
	p := New()
	ctx, _ := hubtest.SQLite(b, p.Migrations()...)
	r := newRegistry()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.of(ctx, "a domain"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestOldDeliveriesAreForgotten(t *testing.T) {
	p := New()
	ctx, _ := hubtest.SQLite(t, p.Migrations()...)
	now := hub.Now()
	var all []delivery
	for i := range purgeBatch + 20 {
		all = append(all, delivery{ID: storage.NewID(), DomainID: "d", Seq: int64(i), State: deliveryDelivered, CreatedAt: now, UpdatedAt: now.Add(-deliveryLife - time.Second)})
	}
	all[7].UpdatedAt = now.Add(-deliveryLife + time.Minute)
	if err := storage.DB(ctx).CreateInBatches(&all, 100).Error; err != nil {
		t.Fatal(err)
	}
	if err := purge(ctx, now.Add(-deliveryLife)); err != nil {
		t.Fatal(err)
	}
	left, _, err := listDeliveries(ctx, "d", "", storage.Cursor{})
	if err != nil || len(left) != 1 || left[0].Seq != 7 {
		t.Errorf("%d are left: %v", len(left), err)
	}
}

// TestTexts finds every word that the templates and the code name, in every
// language, and none that nobody names.
func TestTexts(t *testing.T) {
	texts := New().Texts()
	used := map[string]bool{}
	for _, file := range []string{
		"templates/page.html", "templates/endpoints.html", "templates/deliveries.html", "templates/decision.html",
		"actions.go", "decide.go", "page.go", "sender.go",
	} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"(webhooks\.[\w.]*\w)"`).FindAllStringSubmatch(string(b), -1) {
			used[m[1]] = true
		}
	}
	for _, outcome := range outcomeNames() {
		used["webhooks.outcome."+outcome] = true
	}
	for _, outcome := range decisionNames()[3:] { // without the three answers
		if outcome != outcomeLeft {
			used["webhooks.decision.why."+outcome] = true
		}
	}
	for code := range doneCodes {
		used["webhooks.done."+code] = true
	}
	for _, e := range eventTypes {
		used["webhooks.event."+string(e)], used["webhooks.eventHelp."+string(e)] = true, true
	}
	for _, state := range []string{endpointActive, endpointPaused, endpointStopped, endpointGone} {
		used["webhooks.state."+state] = true
	}
	for _, state := range []string{endpointStopped, endpointGone} {
		used["webhooks.why."+state] = true
	}
	for _, state := range []string{deliveryWaiting, deliveryDelivered, deliveryFailed} {
		used["webhooks.delivery."+state] = true
	}
	for lang, words := range texts {
		for key := range used {
			if words[key] == "" {
				t.Errorf("%s lacks %s", lang, key)
			}
		}
		for key := range words {
			if !used[key] {
				t.Errorf("%s has %s, which nobody names", lang, key)
			}
		}
	}
}
