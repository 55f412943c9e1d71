package server

import (
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// The buckets of the histograms, in seconds: where a figure is good, where it
// is a nuisance, and where something gives up.
var (
	appendBuckets  = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15} // a frame has 15 s
	commitBuckets  = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}    // a transaction has 10 s
	hookBuckets    = []float64{.00001, .0001, .001, .01, .1, .5, 1, 2, 5}                            // a hook has 2 s
	jobBuckets     = []float64{.01, .05, .25, 1, 2.5, 5, 10, 30, 60, 120}                            // an email's attempt has 30 s
	requestBuckets = []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 30}               // a response has 30 s
	batchBuckets   = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256}                                     // appends
)

// Metrics is what a server counts for Prometheus. It observes a hub and a
// store, which are made before the server and are handed it. See the package
// comment for the metrics; whatever could be looked up by a label is looked up
// when it is made, so that counting costs some ten nanoseconds.
type Metrics struct {
	registry *prometheus.Registry

	framesIn, framesOut, appends tally[string]
	closes                       tally[hub.CloseCode]
	appendTook, commitTook       prometheus.Histogram
	batch                        prometheus.Histogram
	gaps, overflows              prometheus.Counter
	requests                     [6]prometheus.Observer // by the status' first digit; 0: none of them

	hookTook              *prometheus.HistogramVec
	hookCalls, hookMissed *prometheus.CounterVec
	jobAttempts           *prometheus.CounterVec
	jobTook               *prometheus.HistogramVec
}

var (
	_ hub.Observer     = (*Metrics)(nil)
	_ storage.Observer = (*Metrics)(nil)
)

// NewMetrics makes the metrics of a program of this version, all at zero.
func NewMetrics(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.counters("bellhub_build_info", "Always 1; the labels say which Bellhub runs here, built with which Go.", "version", "go").
		WithLabelValues(version, runtime.Version()).Inc()

	m.framesIn = newTally[string](m.counters("bellhub_frames_in_total", "Frames received, by type. A type that this server does not know is “unknown”.", "type"), "unknown")
	m.framesOut = newTally[string](m.counters("bellhub_frames_out_total", "Frames handed to connections, by type: an event shown to three members counts three times.", "type"), "other")
	m.appends = newTally[string](m.counters("bellhub_appends_total", "Attempts to add an event to a room's log, by outcome: stored, again (a repeated frame, acknowledged as before), moot (it had nothing new to say), or the error's code.", "outcome"), "other")
	m.closes = newTally[hub.CloseCode](m.counters("bellhub_connections_closed_total", "Connections that ended, by close code: 1001 is a page that was left, 1012 a restart, 4408 a client that was too slow; “none” broke without a close frame, “other” is a code of the client's own.", "code"), "other")
	m.closes.know(0, "none")
	m.appendTook = m.histogram("bellhub_append_duration_seconds", "Time to add an event to a room's log: hooks, the wait for a place in a batch, and the commit. The acknowledgement follows at once.", appendBuckets)
	m.batch = m.histogram("bellhub_commit_batch_appends", "Appends that shared one transaction. Above 1 the database is busy and the appends are waiting for each other, as they should.", batchBuckets)
	m.commitTook = m.histogram("bellhub_commit_duration_seconds", "Time of the transactions that store appends, locks and the disk's answer included.", commitBuckets)
	m.gaps = m.counters("bellhub_gap_fills_total", "Times a room read the log because an event's signal was late or lost. One node never should.").WithLabelValues()
	m.overflows = m.counters("bellhub_send_queue_overflows_total", "Connections closed with 4408 because their client did not read and too much was waiting for it.").WithLabelValues()

	m.hookTook = m.histograms("bellhub_hook_duration_seconds", "Time that plugins' hooks take. Those of EventAppending are waited for by every message.", hookBuckets, "plugin", "hook")
	m.hookCalls = m.counters("bellhub_hook_calls_total", "Calls of plugins' hooks, by result: ok, vetoed (it refused), failed (an error or a panic), overdue (no answer in time), cancelled (nobody waited any more), skipped (the plugin's breaker was open).", "plugin", "hook", "result")
	m.hookMissed = m.counters("bellhub_hook_dropped_events_total", "Events that a hook missed because it was too slow for its queue.", "plugin", "hook")

	m.jobAttempts = m.counters("bellhub_job_attempts_total", "Attempts at jobs on this node, by the state they left the job in: done, ready (to be tried again) or failed (given up).", "kind", "state")
	m.jobTook = m.histograms("bellhub_job_attempt_duration_seconds", "Time that attempts at jobs take.", jobBuckets, "kind")

	requests := m.histograms("bellhub_http_request_duration_seconds", "Time to answer HTTP requests, by the class of their status; 1xx are those that became WebSockets.", requestBuckets, "status")
	for i := range m.requests {
		class := "other"
		if i > 0 {
			class = strconv.Itoa(i) + "xx"
		}
		m.requests[i] = requests.WithLabelValues(class)
	}
	return m
}

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(h)
	return h
}

func (m *Metrics) histogram(name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	m.registry.MustRegister(h)
	return h
}

// tally counts by one label, whose values are known ahead: what is not among
// them is counted together, so that nobody outside can add to the series.
type tally[K comparable] struct {
	vec   *prometheus.CounterVec
	known map[K]prometheus.Counter
	rest  prometheus.Counter
}

func newTally[K comparable](vec *prometheus.CounterVec, rest string) tally[K] {
	return tally[K]{vec, map[K]prometheus.Counter{}, vec.WithLabelValues(rest)}
}

// know adds a value before the first count.
func (t tally[K]) know(value K, label string) { t.known[value] = t.vec.WithLabelValues(label) }

func (t tally[K]) of(value K) prometheus.Counter {
	if c, ok := t.known[value]; ok {
		return c
	}
	return t.rest
}

// Expect implements [hub.Observer].
func (m *Metrics) Expect(w hub.Words) {
	for _, name := range w.FramesIn {
		m.framesIn.know(name, name)
	}
	for _, name := range w.FramesOut {
		m.framesOut.know(name, name)
	}
	for _, outcome := range w.Outcomes {
		m.appends.know(outcome, outcome)
	}
	for _, code := range w.Closes {
		m.closes.know(code, strconv.Itoa(int(code)))
	}
}

// FrameIn implements [hub.Observer].
func (m *Metrics) FrameIn(typ string) { m.framesIn.of(typ).Inc() }

// FramesOut implements [hub.Observer].
func (m *Metrics) FramesOut(typ string, n int) { m.framesOut.of(typ).Add(float64(n)) }

// Appended implements [hub.Observer].
func (m *Metrics) Appended(outcome string, took time.Duration) {
	m.appends.of(outcome).Inc()
	m.appendTook.Observe(took.Seconds())
}

// GapFilled implements [hub.Observer].
func (m *Metrics) GapFilled() { m.gaps.Inc() }

// Closed implements [hub.Observer].
func (m *Metrics) Closed(code hub.CloseCode) { m.closes.of(code).Inc() }

// hookMetrics are one hook's.
type hookMetrics struct {
	took    prometheus.Observer
	results [hub.HookResults]prometheus.Counter
	missed  prometheus.Counter
}

// Hook implements [hub.Observer].
func (m *Metrics) Hook(plugin, hook string) hub.HookObserver {
	h := &hookMetrics{took: m.hookTook.WithLabelValues(plugin, hook), missed: m.hookMissed.WithLabelValues(plugin, hook)}
	for r := range hub.HookResults {
		h.results[r] = m.hookCalls.WithLabelValues(plugin, hook, r.String())
	}
	return h
}

// Ran implements [hub.HookObserver].
func (h *hookMetrics) Ran(result hub.HookResult, took time.Duration) {
	h.results[result].Inc()
	if result != hub.HookSkipped {
		h.took.Observe(took.Seconds())
	}
}

// Dropped implements [hub.HookObserver].
func (h *hookMetrics) Dropped() { h.missed.Inc() }

// Counter implements [hub.Observer].
func (m *Metrics) Counter(plugin, name, help, label string, values []string) func(string) {
	name = "bellhub_" + strings.ReplaceAll(plugin, "-", "_") + "_" + name + "_total"
	t := newTally[string](m.counters(name, help, label), "other")
	for _, v := range values {
		t.know(v, v)
	}
	return func(value string) { t.of(value).Inc() }
}

// Committed implements [storage.Observer].
func (m *Metrics) Committed(appends int, took time.Duration) {
	m.batch.Observe(float64(appends))
	m.commitTook.Observe(took.Seconds())
}

// JobRan implements [storage.Observer]. Kinds are names in the code.
func (m *Metrics) JobRan(kind, state string, took time.Duration) {
	m.jobAttempts.WithLabelValues(kind, state).Inc()
	m.jobTook.WithLabelValues(kind).Observe(took.Seconds())
}

// requested is an HTTP request that was answered.
func (m *Metrics) requested(status int, took time.Duration) {
	class := status / 100
	if class < 1 || class >= len(m.requests) {
		class = 0
	}
	m.requests[class].Observe(took.Seconds())
}
