package webhooks_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// decider gives a domain a decision endpoint and returns its secret.
func (s *shop) decider(domain, address, deadline, without string) string {
	s.t.Helper()
	page := s.do(domain, "do", "decide", "url", address, "deadline", deadline, "without", without, "active", "on")
	m := secretText.FindStringSubmatch(page)
	if m == nil {
		s.t.Fatalf("no secret: %s", page)
	}
	return html.UnescapeString(m[1])
}

// write sends a message and returns what became of it: the text that was stored,
// or the error.
func write(v *hubtest.Client, id, text string) (stored, code, message string) {
	v.Send("message", id, map[string]any{"text": text})
	if f := v.Want("ack", "error"); f.Type == "error" {
		return "", f.Get("code").(string), f.Get("message").(string)
	}
	return v.WantEvent(hub.EventMessage).Get("text").(string), "", ""
}

func TestADecision(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		r := newReceiver(t)
		secret := s.decider(s.domain.ID, r.URL, "1500", "allow")
		long := strings.Repeat("é", 4000)
		for _, tt := range []struct {
			name, answer          string
			stored, code, message string
			outcome               string
		}{
			{"let through", `{"action":"allow"}`, "hello", "", "", "allow"},
			{"more than asked for", `{"action":"allow","why":[1]}`, "hello", "", "", "allow"},
			{"refused", `{"action":"veto","message":" No card numbers, please. "}`, "", "vetoed", "No card numbers, please.", "veto"},
			{"refused without a word", `{"action":"veto"}`, "", "vetoed", "This message was not accepted.", "veto"},
			{"refused in words nobody could read", `{"action":"veto","message":"a\u202eb"}`, "", "vetoed", "This message was not accepted.", "veto"},
			{"refused at length", `{"action":"veto","message":"` + strings.Repeat("x", 501) + `"}`, "", "vetoed", "This message was not accepted.", "veto"},
			{"rewritten", `{"action":"rewrite","text":"  h***o "}`, "h***o", "", "", "rewrite"},
			{"rewritten at length", `{"action":"rewrite","text":"` + long + `"}`, long, "", "", "rewrite"},
			{"rewritten too long", `{"action":"rewrite","text":"` + long + `e"}`, "hello", "", "", "nonsense"},
			{"rewritten to nothing", `{"action":"rewrite","text":" "}`, "hello", "", "", "nonsense"},
			{"rewritten to what cannot be shown", `{"action":"rewrite","text":"a\u0000b"}`, "hello", "", "", "nonsense"},
			{"no such action", `{"action":"delete"}`, "hello", "", "", "nonsense"},
			{"let through again", `{"action":"allow"}`, "hello", "", "", "allow"},
			{"no action", `{}`, "hello", "", "", "nonsense"},
			{"not JSON", `yes`, "hello", "", "", "nonsense"},
			{"nothing", ``, "hello", "", "", "nonsense"},
			{"without end", `{"action":"allow","why":"` + strings.Repeat("x", 200<<10) + `"}`, "hello", "", "", "nonsense"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				r.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, tt.answer) })
				line := "counter webhooks decisions " + tt.outcome
				before := s.seen.Count(line)
				stored, code, message := write(s.Visitor(t, "shop"), "c-1", "hello")
				if stored != tt.stored || code != tt.code || message != tt.message {
					t.Errorf("stored %.50q, %s %q", stored, code, message)
				}
				got := r.want(t, secret)
				said, _ := got.Data["message"].(map[string]any)
				if got.Type != "message.pending" || said["text"] != "hello" || said["lang"] != "en" || got.Data["domain"] != "shop" || !strings.HasPrefix(got.header.Get("Webhook-Id"), "ask_") {
					t.Errorf("asked %v %s", got.header, got.body)
				}
				if n := s.seen.Count(line); n != before+1 {
					t.Errorf("%s: %d times", line, n-before)
				}
			})
		}
	})
}

// The endpoint that does not answer: what becomes of the message is the owner's
// choice, within the owner's deadline.
func TestNoDecision(t *testing.T) {
	for _, tt := range []struct{ name, outcome string }{
		{"slow", "timeout"}, {"broken", "status"}, {"redirects", "redirect"}, {"is down", "network"},
	} {
		for without, want := range map[string]string{"allow": "hello", "refuse": ""} {
			t.Run(tt.name+", "+without, func(t *testing.T) {
				s := onSQLite(t)
				r := newReceiver(t)
				s.decider(s.domain.ID, r.URL, "150", without)
				free := make(chan struct{})
				switch tt.name {
				case "slow":
					r.answers(func(_ http.ResponseWriter, q *http.Request) { <-free })
				case "broken":
					r.status(500)
				case "redirects":
					r.status(302, "Location", r.URL)
				default:
					r.Close()
				}
				defer close(free)
				v := s.Visitor(t, "shop")
				stored, code, message := write(v, "c-1", "hello")
				if stored != want || want == "" && (code != "unavailable" || !strings.Contains(message, "could not be checked")) {
					t.Errorf("stored %q, %s %q", stored, code, message)
				}
				s.seen.Want(t, "counter webhooks decisions "+tt.outcome, 1)
				s.until("view=decision", "Without a decision, last at")
				// A refusal, or a success, of the hook: never its failure.
				for _, bad := range []string{"failed", "overdue", "skipped"} {
					if n := s.seen.Count("hook webhooks EventAppending " + bad); n > 0 {
						t.Errorf("the hook %s %d times", bad, n)
					}
				}
			})
		}
	}
}

// One domain's endpoint fails and fails: it is soon not asked any more, and no
// other domain notices.
func TestAFailingDecisionEndpointIsContained(t *testing.T) {
	s := onSQLite(t)
	bad, good := newReceiver(t), newReceiver(t)
	bad.status(500)
	s.decider(s.domain.ID, bad.URL, "1000", "allow")
	other := s.addDomain("other")
	s.decider(other.ID, good.URL, "1000", "refuse")
	good.answers(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"action":"rewrite","text":"checked"}`)
	})
	v, w := s.Visitor(t, "shop"), s.Visitor(t, "other")
	for i := range 8 {
		if stored, _, _ := write(v, fmt.Sprint("c-", i), "hello"); stored != "hello" {
			t.Fatalf("stored %q", stored)
		}
	}
	if n := len(bad.got); n != 5 {
		t.Errorf("asked %d times, want 5", n)
	}
	s.seen.Want(t, "counter webhooks decisions held", 3)
	if stored, _, _ := write(w, "c-1", "hello"); stored != "checked" {
		t.Errorf("the other domain stored %q", stored)
	}

	// Who changes it has it asked again at once.
	bad.answers(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"action":"rewrite","text":"mended"}`)
	})
	if to := s.do(s.domain.ID, "do", "decide", "url", bad.URL, "deadline", "900", "without", "allow", "active", "on"); to != "/hooks?done=saved&view=decision" {
		t.Errorf("leads to %s", to)
	}
	if stored, _, _ := write(v, "c-9", "hello"); stored != "mended" {
		t.Errorf("stored %q", stored)
	}
}

func TestWhatIsNotAskedAbout(t *testing.T) {
	s := onSQLite(t)
	r := newReceiver(t)
	r.status(500)
	s.decider(s.domain.ID, r.URL, "1000", "refuse")
	v := s.Visitor(t, "shop")
	for _, who := range []hub.Author{{Kind: hub.AI, ID: s.domain.ID}, {Kind: hub.Admin, ID: "a", Name: "Ana"}, hub.SystemAuthor} {
		typ := hub.EventMessage
		if who.Kind == hub.System {
			typ = hub.EventNotice
		}
		if _, err := s.other.host.Append(s.ctx, hub.Append{Room: v.Room, Type: typ, Author: who, Text: "hello"}); err != nil && strings.Contains(err.Error(), "checked") {
			t.Errorf("%s: %v", who.Kind, err)
		}
	}
	r.none(t)

	// Switched off, nobody is asked; removed, nothing is left of it.
	s.do(s.domain.ID, "do", "decide", "url", r.URL, "deadline", "1000", "without", "refuse")
	if stored, code, _ := write(v, "c-1", "hello"); stored != "hello" {
		t.Errorf("switched off: %s", code)
	}
	s.do(s.domain.ID, "do", "decide-remove")
	has(t, s.show(s.domain.ID, "view=decision"), `data-decider="none"`)
	r.none(t)
}

// A visitor who sends a message again asks the same question.
func TestAQuestionKeepsItsID(t *testing.T) {
	s := onSQLite(t)
	r := newReceiver(t)
	r.status(500)
	secret := s.decider(s.domain.ID, r.URL, "1000", "refuse")
	v := s.Visitor(t, "shop")
	var ids []string
	for _, id := range []string{"c-1", "c-1", "c-2"} {
		write(v, id, "hello")
		ids = append(ids, r.want(t, secret).header.Get("Webhook-Id"))
	}
	if ids[0] != ids[1] || ids[1] == ids[2] {
		t.Errorf("%v", ids)
	}
}

// The deadline is the visitor's wait, whatever the endpoint does.
func TestTheDeadlineHolds(t *testing.T) {
	s := onSQLite(t)
	r := newReceiver(t)
	free := make(chan struct{})
	defer close(free)
	r.answers(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"action":`) // it begins to answer, and then hangs
		w.(http.Flusher).Flush()
		<-free
	})
	s.decider(s.domain.ID, r.URL, "200", "allow")
	v := s.Visitor(t, "shop")
	began := time.Now()
	if stored, code, _ := write(v, "c-1", "hello"); stored != "hello" {
		t.Errorf("%s", code)
	}
	if took := time.Since(began); took < 200*time.Millisecond || took > hub.HookTimeout {
		t.Errorf("took %s", took)
	}
	s.seen.Want(t, "counter webhooks decisions timeout", 1)

	// On a machine that is too busy to end it then, the hook is not overdue for
	// some time yet: its breaker is every domain's.
	for _, p := range s.Hub.Plugins() {
		if p.ID == "webhooks" && p.Hooks[0].Timeout < hub.HookTimeout+time.Second {
			t.Errorf("the hook is left behind after %s", p.Hooks[0].Timeout)
		}
	}
}

// Where the owner's server gives no words, the visitor reads ours, in its own
// language.
func TestARefusalInTheVisitorsLanguage(t *testing.T) {
	s := onSQLite(t)
	r := newReceiver(t)
	secret := s.decider(s.domain.ID, r.URL, "1500", "refuse")
	v := s.Dial(t, hub.Handshake{IP: "192.0.2.1"})
	v.Send("hello", "hello", map[string]any{"domain": "shop", "lang": "id"})
	v.Want("welcome")
	r.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"action":"veto"}`) })
	if _, code, message := write(v, "c-1", "halo"); code != "vetoed" || message != "Pesan ini tidak diterima." {
		t.Errorf("%s %q", code, message)
	}
	if said, _ := r.want(t, secret).Data["message"].(map[string]any); said["lang"] != "id" {
		t.Errorf("asked about %v", said)
	}
	r.status(500)
	if _, code, message := write(v, "c-2", "halo"); code != "unavailable" || message != "Pesan Anda belum dapat diperiksa. Silakan coba lagi." {
		t.Errorf("%s %q", code, message)
	}
}
