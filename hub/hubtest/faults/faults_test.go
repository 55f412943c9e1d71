package faults

import (
	"context"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

var long = flag.Bool("long", false, "take ten times as many faults and messages")

// seed is what the run's faults are drawn from; FAULTS_SEED repeats it.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := uint64(time.Now().UnixNano() % 1_000_000)
	if s := os.Getenv("FAULTS_SEED"); s != "" {
		var err error
		if n, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("FAULTS_SEED: %v", err)
		}
	}
	t.Logf("FAULTS_SEED=%d", n)
	return n
}

// Fifty faults of every kind while 20,000 messages are sent: none is lost,
// doubled, altered or out of order, for anybody.
func TestFaults(t *testing.T) {
	faults, messages, rooms := 25, 10_000, 20
	if *long {
		faults, messages, rooms = 250, 100_000, 100
	}
	everywhere := []fault{killServer, stopServer, cutSockets, stallReaders, reloadPages}
	for _, d := range []struct {
		name    string
		mariadb bool
		kinds   []fault
	}{
		{"SQLite", false, everywhere},
		{"MariaDB", true, append([]fault{killMariaDB, killBoth}, everywhere...)},
	} {
		t.Run(d.name, func(t *testing.T) {
			n := seed(t)
			w := newWorld(t, n, d.mariadb)
			w.play(n, rooms, messages, draw(w.rnd, faults, d.kinds...))
		})
	}
}

// Fifty kill -9 during traffic on SQLite: no message and no bell that was
// acknowledged is lost, none is doubled.
func TestKills(t *testing.T) {
	kills, messages, rooms := 50, 10_000, 20
	if *long {
		kills, messages, rooms = 300, 60_000, 60
	}
	n := seed(t)
	w := newWorld(t, n, false)
	w.play(n, rooms, messages, draw(w.rnd, kills, killServer))
}

// While the database is away nothing is acknowledged: who writes or rings is
// told to try again, and is served within five seconds of its return.
func TestTheDatabaseGoesAwayAndComesBack(t *testing.T) {
	w := newWorld(t, seed(t), true)
	ctx, cancel := context.WithCancel(context.Background())
	defer w.running.Wait()
	defer cancel()
	w.openRooms(ctx, 0, 1, 0)
	for _, m := range w.members {
		w.running.Go(func() { m.run(ctx) })
	}
	said := 0
	everybody := func(typ string) {
		for _, m := range w.members {
			if typ == "message" || m.tab == "t1" { // a room's bells have a rate
				m.say(typ, typ+" of "+m.rec.Name)
				said++
			}
		}
	}
	everybody("message")
	if !w.progress.wait(said, patience) {
		w.stuck("before the fault")
	}

	w.broken = true
	w.mariadb.Kill()
	acked, before := said, said
	everybody("message")
	everybody("contact-admin")
	if !w.refused.wait(2*(said-before), patience) {
		t.Error("without its database the server does not tell people to try again")
	}
	if now, _ := w.progress.now(); now != acked {
		t.Errorf("without its database the server acknowledged %d frames", now-acked)
	}
	w.mariadb.Start(t)
	back := time.Now()
	if !w.progress.wait(said, comesBack) || time.Since(back) > comesBack {
		w.stuck("after the database came back")
	}
	w.verify(ctx, cancel)
	for _, what := range []string{"message", "contact-admin"} {
		if w.counts["error unavailable to "+what] == 0 {
			t.Errorf("nobody was told that a %s could not be stored: %s", what, w.summary())
		}
	}
}

// play has everybody talk while faults happen, and verifies what came of it.
func (w *world) play(seed uint64, rooms, messages int, faults []fault) {
	t := w.t
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer w.running.Wait()
	defer cancel()
	frames := w.openRooms(ctx, seed, rooms, messages)
	for _, m := range w.members {
		w.running.Go(func() { m.run(ctx) })
	}
	w.inject(faults, frames)
	if !w.progress.wait(frames, patience) {
		w.stuck("at the end")
	}
	w.stalls.Wait()
	w.verify(ctx, cancel)
}

// most is how many faults are told one by one.
const most = 20

// verify compares what everybody saw with what is stored.
func (w *world) verify(ctx context.Context, goHome context.CancelFunc) {
	t := w.t
	t.Helper()
	h := w.history(ctx, goHome)
	w.leave()
	wrong := append(Verify(h), w.problems...)
	t.Log(w.summary())
	for i, line := range wrong {
		if i == most {
			t.Errorf("and %d more", len(wrong)-most)
			break
		}
		t.Error(line)
	}
	if len(wrong) > 0 || testing.Verbose() {
		t.Logf("the faults:\n%s", strings.Join(w.done, "\n"))
	}
}
