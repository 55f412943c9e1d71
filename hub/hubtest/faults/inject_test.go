package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// comesBack bounds how long after its database a server may take to serve.
const comesBack = 5 * time.Second

// fault is one way to break things.
type fault struct {
	name   string
	weight int // how often it is drawn, next to the others
	do     func(*world)
}

var (
	killServer   = fault{"kill -9 of the server", 30, (*world).killServer}
	stopServer   = fault{"stop of the server", 10, (*world).stopServer}
	killMariaDB  = fault{"kill -9 of MariaDB", 40, (*world).killMariaDB}
	killBoth     = fault{"kill -9 of MariaDB and the server", 10, (*world).killBoth}
	cutSockets   = fault{"cut sockets", 30, (*world).cutSockets}
	stallReaders = fault{"stalled readers", 20, (*world).stallReaders}
	reloadPages  = fault{"reloaded pages", 10, (*world).reloadPages}
)

// draw makes a run's faults: each kind once, and then as the weights say, in
// any order.
func draw(rnd *rand.Rand, n int, kinds ...fault) []fault {
	total := 0
	for _, k := range kinds {
		total += k.weight
	}
	all := slices.Clone(kinds)
	for len(all) < n {
		at := rnd.IntN(total)
		for _, k := range kinds {
			if at -= k.weight; at < 0 {
				all = append(all, k)
				break
			}
		}
	}
	rnd.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:n]
}

// inject does the faults, each at a point of the conversation that the seed
// says: after so many of all frames have been answered.
func (w *world) inject(faults []fault, frames int) {
	points := make([]int, len(faults))
	for i := range points {
		points[i] = w.rnd.IntN(frames * 95 / 100)
	}
	slices.Sort(points)
	for i, f := range faults {
		if !w.progress.wait(points[i], patience) {
			w.stuck(fmt.Sprintf("before fault %d", i+1))
			return
		}
		now, _ := w.progress.now()
		w.done = append(w.done, fmt.Sprintf("%9.3fs %s, after %d of %d answers", time.Since(w.began).Seconds(), f.name, now, frames))
		began := time.Now()
		f.do(w)
		w.done[i] += fmt.Sprintf(", took %s", time.Since(began).Round(time.Millisecond))
	}
}

func (w *world) killServer() {
	w.server.Kill(w.t)
	w.leave()
	w.serve()
}

func (w *world) stopServer() {
	w.stalls.Wait() // the server would wait for them as long as it may
	w.server.Stop(w.t)
	w.leave()
	w.serve()
}

// killMariaDB takes the database away until somebody has been told to try
// again, or nobody wants anything of it.
func (w *world) killMariaDB() {
	w.broken = true
	before, _ := w.refused.now()
	w.mariadb.Kill()
	w.refused.wait(before+1, time.Second)
	w.mariadb.Start(w.t)
	w.back()
}

// back sees that people are served again soon after the database is: most of
// them, since all try at once and each has a place in the queue.
func (w *world) back() {
	due := map[*member]*Send{}
	for _, m := range w.members {
		m.mu.Lock()
		if len(m.waiting) > 0 && m.waiting[0].Type == "message" { // bells have a rate
			due[m] = m.waiting[0]
		}
		m.mu.Unlock()
	}
	all := len(due)
	late := time.NewTimer(comesBack)
	defer late.Stop()
	for {
		_, grows := w.progress.now()
		for m, s := range due {
			m.mu.Lock()
			if !slices.Contains(m.waiting, s) {
				delete(due, m)
			}
			m.mu.Unlock()
		}
		if len(due) <= all/2 {
			return
		}
		select {
		case <-grows:
		case <-late.C:
			for m, s := range due {
				m.mu.Lock()
				lines := around(m.rec.Trace, s.ID, 0)
				m.mu.Unlock()
				w.problem("%s after the database came back, %s waits for %s:\n    %s", comesBack, m.rec.Name, s.ID, strings.Join(lines, "\n    "))
			}
			return
		}
	}
}

// killBoth is the machine's crash.
func (w *world) killBoth() {
	w.broken = true
	w.mariadb.Kill()
	w.server.Kill(w.t)
	w.leave()
	w.mariadb.Start(w.t)
	w.serve()
	w.back()
}

// some picks up to n members.
func (w *world) some(n int) []*member {
	var all []*member
	for range 1 + w.rnd.IntN(n) {
		all = append(all, w.members[w.rnd.IntN(len(w.members))])
	}
	return all
}

func (w *world) cutSockets() {
	for _, m := range w.some(8) {
		reset := w.rnd.IntN(2) == 0
		m.mu.Lock()
		if m.sock != nil {
			m.trace("cut", "", 0)
			m.sock.line.cut(reset)
		}
		m.mu.Unlock()
	}
}

// stallReaders has some stop reading for a while. Half of them ask for so much
// first that the server cannot wait for them.
func (w *world) stallReaders() {
	for _, m := range w.some(4) {
		if !m.slow {
			m = w.rooms[w.rnd.IntN(len(w.rooms))].slow()
		}
		greedy := w.rnd.IntN(2) == 0
		pause := time.Duration(100+w.rnd.IntN(1900)) * time.Millisecond
		m.stall(pause, greedy)
	}
}

func (m *member) stall(pause time.Duration, greedy bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sock == nil || !m.welcomed {
		return
	}
	m.trace(fmt.Sprintf("stops reading for %s, greedy %v", pause, greedy), "", 0)
	goOn := m.sock.line.stop()
	m.w.stalls.Add(1)
	time.AfterFunc(pause, func() { goOn(); m.w.stalls.Done() })
	if m.greedy = greedy; greedy {
		for range 60 {
			m.write("history", "greedy", map[string]any{"after": 0, "limit": 300})
		}
	}
}

// reloadPages has some load the room anew, as the browser's button does.
func (w *world) reloadPages() {
	for _, m := range w.some(4) {
		m.mu.Lock()
		if m.sock != nil {
			m.trace("reloads", "", 0)
			m.reloads = true
			m.sock.line.cut(false)
		}
		m.mu.Unlock()
	}
}
