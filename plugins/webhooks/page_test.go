package webhooks_test

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

var (
	deliveryID = regexp.MustCompile(`data-delivery="([^"]+)"`)
	olderLink  = regexp.MustCompile(`<a class="button quiet" href="/hooks\?([^"]+)">Older`)
)

func TestTheFormsFaults(t *testing.T) {
	s := onSQLite(t) // which allows 127.0.0.1
	has(t, s.show(s.domain.ID, ""), "No endpoint yet", `name="url"`, `value="add"`)
	for _, tt := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"no address", []string{"url", ""}, "Please enter a full address"},
		{"no host", []string{"url", "https://"}, "Please enter a full address"},
		{"another scheme", []string{"url", "ftp://shop.example/"}, "Please enter a full address"},
		{"a script", []string{"url", "javascript:alert(1)"}, "Please enter a full address"},
		{"no port", []string{"url", "https://shop.example:0/"}, "Please enter a full address"},
		{"no such host", []string{"url", "https://shop..example/"}, "Please enter a full address"},
		{"too long", []string{"url", "https://shop.example/" + strings.Repeat("x", 1000)}, "Please enter a full address"},
		{"a password", []string{"url", "https://user:pass@shop.example/"}, "must not hold a user name"},
		{"plain, on the internet", []string{"url", "http://93.184.216.34/"}, "must begin with https://"},
		{"private", []string{"url", "https://10.0.0.1/"}, "not on the public internet"},
		{"metadata", []string{"url", "https://169.254.169.254/latest"}, "not on the public internet"},
		{"loopback, IPv6", []string{"url", "https://[::1]/"}, "not on the public internet"},
		{"plain loopback, IPv6", []string{"url", "http://[::1]/"}, "must begin with https://"},
		{"a page of a description", []string{"url", "https://shop.example/", "description", "a\nb"}, "At most 100 characters"},
		{"no event", []string{"url", "https://shop.example/", "event", "typing"}, "Choose at least one event."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fields := append([]string{"do", "add"}, tt.fields...)
			if !strings.HasPrefix(tt.name, "no event") {
				fields = append(fields, "event", "message")
			}
			page := s.do(s.domain.ID, fields...)
			has(t, page, tt.want, `value="`+html.EscapeString(tt.fields[1])+`"`) // what was entered stays
			if strings.Contains(page, "data-endpoint") || strings.Contains(page, "whsec_") {
				t.Errorf("an endpoint was made: %s", page)
			}
		})
	}
	for _, tt := range [][]string{{"deadline", "99"}, {"deadline", "1801"}, {"deadline", "soon"}} {
		has(t, s.do(s.domain.ID, append([]string{"do", "decide", "url", "https://shop.example"}, tt...)...), "from 100 to 1800", `data-decider="none"`)
	}
	if _, err := s.post(s.domain.ID, "do", "nothing"); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestAnEndpointFromFirstToLast(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		r := newReceiver(t)
		id, secret := s.add(s.domain.ID, r.URL, "message", "notice")
		page := s.show(s.domain.ID, "")
		has(t, page, r.URL, `data-state="active"`)
		if strings.Contains(page, "whsec_") {
			t.Error("the secret is shown again")
		}

		// The test goes the way that everything goes.
		r.answers(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<b>thanks</b>", strings.Repeat("x", 5000))
		})
		page = s.do(s.domain.ID, "do", "test", "endpoint", id)
		has(t, page, `data-tested="ok"`, "It answered 200 OK after", "&lt;b&gt;thanks&lt;/b&gt;xxx")
		if strings.Contains(page, strings.Repeat("x", 501)) {
			t.Error("all of the answer is shown")
		}
		if got := r.want(t, secret); got.Type != "ping" || got.Data["domain"] != "shop" {
			t.Errorf("%s", got.body)
		}
		r.status(502)
		has(t, s.do(s.domain.ID, "do", "test", "endpoint", id), `data-tested="failed"`, "It answered 502.")
		r.want(t, secret)
		page = s.show(s.domain.ID, "view=deliveries")
		has(t, page, `data-state="failed" data-type="ping"`, `data-state="delivered" data-type="ping"`)
		if strings.Contains(page, `value="replay"`) || strings.Contains(page, "badge failed\" title") {
			t.Error("a test can be replayed, or counts as a failure")
		}
		r.status(200)

		// Changed: another address, and other events.
		second := newReceiver(t)
		if to := s.do(s.domain.ID, "do", "change", "endpoint", id, "url", second.URL, "description", "The CRM", "event", "message"); to != "/hooks?done=changed" {
			t.Errorf("leads to %s", to)
		}
		has(t, s.show(s.domain.ID, "done=changed"), "The endpoint was changed.", "The CRM", second.URL)
		has(t, s.do(s.domain.ID, "do", "change", "endpoint", id, "url", "ftp://x", "event", "message"), "<details open>", `value="ftp://x"`)
		s.say("hello")
		second.want(t, secret)
		s.settled("delivered", 1)

		// Paused, nothing is made for it, then or later.
		s.do(s.domain.ID, "do", "pause", "endpoint", id)
		has(t, s.show(s.domain.ID, ""), `data-state="paused"`, `value="resume"`)
		s.say("is anybody there?")
		s.do(s.domain.ID, "do", "resume", "endpoint", id)
		s.say("hello again")
		if got := second.want(t, secret); !strings.Contains(string(got.body), "hello again") {
			t.Errorf("%s", got.body)
		}
		s.settled("delivered", 1)

		// Rotated, both secrets sign, for a day.
		m := secretText.FindStringSubmatch(s.do(s.domain.ID, "do", "rotate", "endpoint", id))
		fresh := html.UnescapeString(m[1])
		has(t, s.show(s.domain.ID, ""), "The secret before the current one signs too until")
		s.do(s.domain.ID, "do", "test", "endpoint", id)
		got := second.want(t, fresh)
		if n := len(strings.Fields(got.header.Get("Webhook-Signature"))); n != 2 || fresh == secret {
			t.Errorf("%d signatures", n)
		}
		s.do(s.domain.ID, "do", "test", "endpoint", id)
		second.want(t, secret)
		s.exec("UPDATE webhooks_endpoints SET old_until = ?", hub.Now().Add(-time.Second))
		s.do(s.domain.ID, "do", "test", "endpoint", id)
		if got := second.want(t, fresh); len(strings.Fields(got.header.Get("Webhook-Signature"))) != 1 {
			t.Errorf("%s", got.header)
		}
		if strings.Contains(s.show(s.domain.ID, ""), "signs too until") {
			t.Error("the old secret still signs")
		}

		s.do(s.domain.ID, "do", "remove", "endpoint", id)
		has(t, s.show(s.domain.ID, "done=removed"), "The endpoint was removed.", "No endpoint yet")
		r.none(t)
	})
}

func TestADomainHasSoManyEndpoints(t *testing.T) {
	s := onSQLite(t)
	for i := range 10 {
		s.add(s.domain.ID, fmt.Sprintf("https://shop.example/%d", i), "message")
	}
	page := s.do(s.domain.ID, "do", "add", "url", "https://shop.example/11", "event", "message")
	has(t, page, "at most ten endpoints")
	if n := len(endpointID.FindAllString(page, -1)); n != 10 {
		t.Errorf("%d endpoints", n)
	}
}

// What another domain has does not exist.
func TestDomainsDoNotSeeEachOther(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		r := newReceiver(t)
		id, secret := s.add(s.domain.ID, r.URL, "message")
		s.decider(s.domain.ID, "https://shop.example/decide", "100", "allow")
		s.do(s.domain.ID, "do", "decide", "url", "https://shop.example/decide", "deadline", "100") // off
		s.say("hello")
		r.want(t, secret)
		d := s.settled("delivered", 1)
		other := s.addDomain("other")
		before := s.rows("webhooks_endpoints") + s.rows("webhooks_deciders") + s.rows("webhooks_deliveries") + s.rows("jobs")
		for _, do := range []string{"change", "pause", "resume", "remove", "rotate", "test", "replay", "decide-remove", "decide-rotate", "decide-test"} {
			for _, id := range []string{id, id + " ", strings.ToUpper(id), ""} {
				if do == "change" && id == "" {
					continue // that adds one
				}
				c, err := s.post(other.ID, "do", do, "endpoint", id, "delivery", d.ID, "url", "https://evil.example", "event", "message")
				if !errors.Is(err, hub.ErrNotFound) {
					t.Errorf("%s %q: %v, %s %s", do, id, err, c.Redirect, c.HTML)
				}
			}
		}
		if to := s.do(other.ID, "do", "replay-failed"); !strings.Contains(to, "done=nothing") {
			t.Errorf("leads to %s", to)
		}
		for _, query := range []string{"", "view=deliveries", "view=decision"} {
			if page := s.show(other.ID, query); strings.Contains(page, r.URL) || strings.Contains(page, d.ID) || strings.Contains(page, "shop.example") {
				t.Errorf("%q shows %s", query, page)
			}
		}
		after := s.rows("webhooks_endpoints") + s.rows("webhooks_deciders") + s.rows("webhooks_deliveries") + s.rows("jobs")
		if before != after {
			t.Errorf("changed\n%s\nto\n%s", before, after)
		}
		r.none(t)
	})
}

// rows are a table's, for comparing.
func (s *shop) rows(table string) string {
	s.t.Helper()
	var all []map[string]any
	s.ok(storage.Read(s.ctx).Table(table).Order("1").Find(&all).Error)
	return fmt.Sprint(all)
}

func TestDeliveriesByThePage(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		id, _ := s.add(s.domain.ID, "https://shop.example", "message")
		now := hub.Now()
		for i := range 120 {
			state := []string{"delivered", "failed"}[i%2]
			at := now.Add(-time.Duration(i/3) * time.Minute) // some at the same time
			s.ok(storage.DB(s.ctx).Exec(`INSERT INTO webhooks_deliveries (id, domain_id, endpoint_id, room_id, seq, type, state, attempts, replays, status, outcome, detail, took_ms, created_at, updated_at)
				VALUES (?, ?, ?, 'room', ?, 'message.created', ?, 1, 0, 500, 'status', '', 1, ?, ?)`, storage.NewID(), s.domain.ID, id, i, state, at, at).Error)
		}
		seen := map[string]bool{}
		page := s.show(s.domain.ID, "view=deliveries&state=failed")
		for pages := 1; ; pages++ {
			for _, m := range deliveryID.FindAllStringSubmatch(page, -1) {
				if seen[m[1]] {
					t.Errorf("%s is listed twice", m[1])
				}
				seen[m[1]] = true
			}
			m := olderLink.FindStringSubmatch(page)
			if m == nil {
				if pages != 2 || len(seen) != 60 {
					t.Errorf("%d pages with %d deliveries", pages, len(seen))
				}
				break
			}
			page = s.show(s.domain.ID, html.UnescapeString(m[1]))
		}
		has(t, s.show(s.domain.ID, "view=deliveries&after=nonsense"), "message.created")
	})
}
