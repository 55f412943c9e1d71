package server

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// What is asked of the database for a scrape is asked at most once in
// backlogLife, whoever scrapes, and has backlogTimeout to be answered: looking
// at a server in trouble must not add to it.
const (
	backlogLife    = 5 * time.Second
	backlogTimeout = time.Second
)

// state is what is not counted as it happens but looked up when Prometheus
// asks: what the hub holds, and what waits in the database.
type state struct {
	hub     *hub.Hub
	backlog func(context.Context) (storage.Backlog, error) // nil: there is no database
	base    context.Context

	mu   sync.Mutex // held while the database is asked: other scrapes wait for the same answer
	at   time.Time  // of the last question; zero: none yet
	last storage.Backlog
	err  error
}

var (
	connectionsDesc = prometheus.NewDesc("bellhub_connections", "WebSocket connections on this node.", nil, nil)
	roomsDesc       = prometheus.NewDesc("bellhub_rooms", "Rooms with a member on this node.", nil, nil)
	breakerDesc     = prometheus.NewDesc("bellhub_plugin_breaker_open", "1 while a plugin's hooks are skipped because too many of them failed.", []string{"plugin"}, nil)
	abandonedDesc   = prometheus.NewDesc("bellhub_plugin_abandoned_calls", "Calls of a plugin's hooks that were left behind, overdue for the most part, and still run. At 16 its hooks are skipped.", []string{"plugin"}, nil)
	backlogDesc     = prometheus.NewDesc("bellhub_backlog_up", "1 if the database told in time what waits in it; at 0 jobs and emails are missing.", nil, nil)
	jobsDesc        = prometheus.NewDesc("bellhub_jobs", "Jobs in the database, by state: ready (waiting for a worker or for their time), taken (under way) and failed (given up, kept for people to see). Every node reports the same.", []string{"kind", "state"}, nil)
	oldestDesc      = prometheus.NewDesc("bellhub_job_oldest_due_seconds", "How long the job that has been due the longest has been waiting; 0 where none is due. Every node reports the same.", []string{"kind"}, nil)
	emailsDesc      = prometheus.NewDesc("bellhub_emails", "Emails in the database that did not leave, by state: queued, held (no mail provider is configured), failed, expired. Every node reports the same.", []string{"state"}, nil)
)

// Describe implements [prometheus.Collector].
func (s *state) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{connectionsDesc, roomsDesc, breakerDesc, abandonedDesc, backlogDesc, jobsDesc, oldestDesc, emailsDesc} {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (s *state) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	stats := s.hub.Stats()
	gauge(connectionsDesc, float64(stats.Connections))
	gauge(roomsDesc, float64(stats.Rooms))
	for _, p := range s.hub.Plugins() {
		gauge(breakerDesc, truth(p.Open), p.ID)
		gauge(abandonedDesc, float64(p.Abandoned), p.ID)
	}
	if s.backlog == nil {
		return
	}
	b, err := s.ask()
	gauge(backlogDesc, truth(err == nil))
	if err != nil {
		return
	}
	for _, j := range b.Jobs {
		for state, n := range j.States {
			gauge(jobsDesc, float64(n), j.Kind, state)
		}
		gauge(oldestDesc, j.Oldest.Seconds(), j.Kind)
	}
	for state, n := range b.Emails {
		gauge(emailsDesc, float64(n), string(state))
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// ask returns what waits in the database, as of at most backlogLife ago.
func (s *state) ask() (storage.Backlog, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at.IsZero() || time.Since(s.at) >= backlogLife {
		ctx, cancel := context.WithTimeout(s.base, backlogTimeout)
		defer cancel()
		s.last, s.err = s.backlog(ctx)
		s.at = time.Now()
	}
	return s.last, s.err
}
