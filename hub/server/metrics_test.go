package server

import (
	"context"
	"errors"
	"maps"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// scrape reads the metrics of a site.
func (s *site) scrape(t *testing.T) string {
	t.Helper()
	status, body := s.ask(t, "GET /metrics HTTP/1.1"+host)
	if status != 200 {
		t.Fatalf("metrics: %d %s", status, body)
	}
	return body
}

func wantLines(t *testing.T, body string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+body, "\n"+line+"\n") {
			t.Errorf("%q is not there", line)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
}

// What is observed comes out, and a client's inventions make no series.
func TestMetrics(t *testing.T) {
	m := NewMetrics("1.2.3")
	s := serve(t, func(o *Options) {
		o.Metrics = m
		o.Backlog = func(context.Context) (storage.Backlog, error) {
			return storage.Backlog{
				Jobs:   []storage.JobBacklog{{Kind: "mail.send", States: map[string]int64{"ready": 2, "failed": 1}, Oldest: 90 * time.Second}},
				Emails: map[storage.EmailState]int64{storage.EmailHeld: 3},
			}, nil
		}
	})
	m.Expect(hub.Words{
		FramesIn: []string{"message"}, FramesOut: []string{"event"},
		Outcomes: []string{hub.OutcomeStored, "vetoed"}, Closes: []hub.CloseCode{hub.CloseRestart},
	})
	m.FrameIn("message")
	m.FrameIn("x\n\"} 1")
	m.FramesOut("event", 3)
	m.Appended(hub.OutcomeStored, 3*time.Millisecond)
	m.Appended("vetoed", time.Millisecond)
	m.Appended("a plugin's own", time.Millisecond)
	m.GapFilled()
	for _, code := range []hub.CloseCode{hub.CloseRestart, 0, 4999, 3000} {
		m.Closed(code)
	}
	hook := m.Hook("mail", "BellRung")
	hook.Ran(hub.HookOK, 2*time.Millisecond)
	hook.Ran(hub.HookSkipped, 0)
	hook.Dropped()
	count := m.Counter("my-plugin", "cups", "Cups of coffee.", "kind", []string{"long"})
	count("long")
	count("short")
	m.Committed(3, 4*time.Millisecond)
	m.JobRan("mail.send", "done", 300*time.Millisecond)
	s.ask(t, "GET /nope HTTP/1.1"+host)
	wantLines(t, regexp.MustCompile(`go="[^"]*"`).ReplaceAllString(s.scrape(t), `go="go"`),
		`bellhub_build_info{go="go",version="1.2.3"} 1`,
		`bellhub_connections 0`, `bellhub_rooms 0`,
		`bellhub_frames_in_total{type="message"} 1`, `bellhub_frames_in_total{type="unknown"} 1`,
		`bellhub_frames_out_total{type="event"} 3`, `bellhub_frames_out_total{type="other"} 0`,
		`bellhub_appends_total{outcome="stored"} 1`, `bellhub_appends_total{outcome="vetoed"} 1`, `bellhub_appends_total{outcome="other"} 1`,
		`bellhub_append_duration_seconds_bucket{le="0.0025"} 2`, `bellhub_append_duration_seconds_bucket{le="0.005"} 3`,
		`bellhub_gap_fills_total 1`,
		`bellhub_connections_closed_total{code="1012"} 1`, `bellhub_connections_closed_total{code="none"} 1`, `bellhub_connections_closed_total{code="other"} 2`,
		`bellhub_hook_calls_total{hook="BellRung",plugin="mail",result="ok"} 1`, `bellhub_hook_calls_total{hook="BellRung",plugin="mail",result="skipped"} 1`,
		`bellhub_hook_duration_seconds_count{hook="BellRung",plugin="mail"} 1`,
		`bellhub_hook_dropped_events_total{hook="BellRung",plugin="mail"} 1`,
		`bellhub_my_plugin_cups_total{kind="long"} 1`, `bellhub_my_plugin_cups_total{kind="other"} 1`,
		`bellhub_commit_batch_appends_bucket{le="2"} 0`, `bellhub_commit_batch_appends_bucket{le="4"} 1`, `bellhub_commit_duration_seconds_count 1`,
		`bellhub_job_attempts_total{kind="mail.send",state="done"} 1`, `bellhub_job_attempt_duration_seconds_count{kind="mail.send"} 1`,
		`bellhub_backlog_up 1`, `bellhub_jobs{kind="mail.send",state="ready"} 2`, `bellhub_jobs{kind="mail.send",state="failed"} 1`,
		`bellhub_job_oldest_due_seconds{kind="mail.send"} 90`, `bellhub_emails{state="held"} 3`,
		`bellhub_http_request_duration_seconds_count{status="4xx"} 1`, `bellhub_http_request_duration_seconds_count{status="5xx"} 0`,
		`bellhub_send_queue_overflows_total 0`,
	)
}

// A database that is slow or gone costs one question in five seconds, and takes
// none of the other metrics with it.
func TestScrapesSpareTheDatabase(t *testing.T) {
	var asked atomic.Int64
	var deadline atomic.Bool
	s := serve(t, func(o *Options) {
		o.Backlog = func(ctx context.Context) (storage.Backlog, error) {
			asked.Add(1)
			_, bounded := ctx.Deadline()
			deadline.Store(bounded)
			return storage.Backlog{}, errors.New("secret: no database")
		}
	})
	for range 3 {
		body := s.scrape(t)
		wantLines(t, body, "bellhub_backlog_up 0", "bellhub_connections 0")
		if strings.Contains(body, "bellhub_jobs{") || strings.Contains(body, "secret") {
			t.Error(body)
		}
	}
	if n := asked.Load(); n != 1 || !deadline.Load() {
		t.Errorf("the database was asked %d times, with a deadline: %v", n, deadline.Load())
	}
}

// documented are the metrics that the package comment explains.
func documented(t *testing.T, file string) map[string]bool {
	t.Helper()
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^//\t(bellhub_\w+)(?:\{[a-z,]+\})?  +\S`).FindAllStringSubmatch(string(doc), -1) {
		names[m[1]] = true
	}
	return names
}

// The dashboard asks only for what is there. Its one panel of a plugin's stays
// empty where mail is not.
func TestTheDashboardAsksForWhatIsThere(t *testing.T) {
	board, err := os.ReadFile("grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	known, asked := documented(t, "doc.go"), regexp.MustCompile(`\bbellhub_\w+`).FindAllString(string(board), -1)
	const mail = "../../plugins/mail/doc.go"
	if _, err := os.Stat(mail); err == nil {
		maps.Copy(known, documented(t, mail))
	} else {
		known["bellhub_mail_attempts_total"] = true
	}
	for _, name := range asked {
		base := name
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			base = strings.TrimSuffix(base, suffix)
		}
		if !known[base] {
			t.Errorf("%s is no metric", name)
		}
	}
	if len(asked) < 15 {
		t.Errorf("it asks for %d metrics only", len(asked))
	}
}

// Observing is on every message's path: it allocates nothing.
func TestObservingAllocatesNothing(t *testing.T) {
	for _, o := range observations() {
		if n := testing.AllocsPerRun(100, o.observe); n != 0 {
			t.Errorf("%s: %v allocations", o.name, n)
		}
	}
}

func BenchmarkObserving(b *testing.B) {
	for _, o := range observations() {
		b.Run(o.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o.observe()
			}
		})
	}
}

type observation struct {
	name    string
	observe func()
}

// observations are what happens to a message, as the hub and the store tell it.
func observations() []observation {
	m := NewMetrics("")
	m.Expect(hub.Words{
		FramesIn: []string{"hello", "message", "history", "typing", "presence", "contact-admin"}, FramesOut: []string{"ack", "event"},
		Outcomes: []string{hub.OutcomeStored, hub.OutcomeAgain}, Closes: []hub.CloseCode{hub.CloseGoingAway},
	})
	hook := m.Hook("escalation", "EventAppending")
	count := m.Counter("mail", "attempts", "x", "outcome", []string{"accepted"})
	return []observation{
		{"FrameIn", func() { m.FrameIn("message") }},
		{"FrameInUnknown", func() { m.FrameIn("made up") }},
		{"FramesOut", func() { m.FramesOut("event", 2) }},
		{"Appended", func() { m.Appended(hub.OutcomeStored, 3*time.Millisecond) }},
		{"Hook", func() { hook.Ran(hub.HookOK, 50*time.Microsecond) }},
		{"Committed", func() { m.Committed(16, 3*time.Millisecond) }},
		{"Closed", func() { m.Closed(hub.CloseGoingAway) }},
		{"Counter", func() { count("accepted") }},
		{"Clock", func() { _ = time.Since(time.Now()) }}, // what timing something costs beside
	}
}
