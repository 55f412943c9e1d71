package server

import (
	"io"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// A connection is pinged at the beats of its group and cut at the beat that
// ends the patience, unless it was heard or its reader is busy.
func TestPulseBeats(t *testing.T) {
	const patience = 32
	for _, c := range []struct {
		name  string
		since func(s *seat, beat int)
		cut   int // the beat of the cut; 0: never
	}{
		{"silent", func(s *seat, beat int) {
			if beat == 0 {
				s.waits()
			}
		}, 105 + patience},
		{"busy", func(*seat, int) {}, 0},
		{"answers", func(s *seat, beat int) {
			if beat%100 == 5+patience-1 {
				s.heard()
				s.waits()
			}
		}, 0},
		{"answers once", func(s *seat, beat int) {
			if beat == 105+patience-1 {
				s.heard()
				s.waits()
			}
		}, 205 + patience},
		{"busy, then silent", func(s *seat, beat int) {
			if beat == 250 {
				s.waits()
			}
		}, 305 + patience},
	} {
		e, far := edgePair(t, edgeOptions())
		go io.Copy(io.Discard, far)
		p := &pulse{patience: patience, next: 5}
		p.now.Store(6) // the group's first ping is a whole round away
		p.join(e)
		c.since(&e.seat, 0)
		cut := 0
		for beat := 7; beat < 500 && cut == 0; beat++ {
			p.beat()
			c.since(&e.seat, beat)
			if e.out.closing() {
				cut = beat
			}
		}
		if cut != c.cut {
			t.Errorf("%s: cut at beat %d, want %d", c.name, cut, c.cut)
		}
	}
}

func TestPulseSpreads(t *testing.T) {
	p := &pulse{}
	edges := make([]*edge, 10*beats)
	for i := range edges {
		edges[i] = &edge{}
		p.join(edges[i])
	}
	for g := range p.groups {
		if n := len(p.groups[g]); n != 10 {
			t.Fatalf("group %d has %d", g, n)
		}
	}
	for i := range edges {
		p.leave(edges[i*7%len(edges)])
	}
	for g := range p.groups {
		if n := len(p.groups[g]); n != 0 {
			t.Fatalf("group %d still has %d", g, n)
		}
	}
}

// Over sockets: who answers stays, who does not is cut, and who waits for a
// busy hub has nothing to fear.
func TestPulse(t *testing.T) {
	conns, release, ended := make(chan hub.Conn, 1), make(chan struct{}), make(chan hub.Conn, 3)
	r := newEdgeRig(t, edgeOptions(), func(c hub.Conn) {
		conns <- c
		m, err := c.Read()
		for ; err == nil; m, err = c.Read() {
			if string(m) == "work" {
				<-release
			}
			_ = c.Send(frameText(m))
		}
		ended <- c
	}, func(u *upgrader) {
		u.pulse.halt()
		u.pulse = newPulse(600*time.Millisecond, 450*time.Millisecond)
	})
	answers, silent, waits := r.open(), r.open(), r.open()
	for range 2 {
		receive(t, conns)
	}
	receive(t, conns)
	waits.send(textFrame("work"))

	for range 4 {
		answers.expect("ping:")
		answers.send(clientFrame(bitFin|opPong, ""))
	}
	if len(ended) != 1 {
		t.Fatalf("%d connections ended", len(ended))
	}
	// A ping that was sent before its reader waited does not count, so there may
	// be two; what follows them is the cut.
	for pings := 0; ; pings++ {
		f, err := silent.serverFrame()
		if err != nil && pings > 0 {
			break
		}
		if f != "ping:" || pings == 2 {
			t.Fatalf("the silent one got %q, %v after %d pings", f, err, pings)
		}
	}
	close(release)
	for f := ""; f != "text:work"; {
		var err error
		if f, err = waits.serverFrame(); err != nil {
			t.Fatal("the waiting one:", err)
		}
	}
	for _, c := range []*rawClient{answers, waits} {
		c.send(closeOf(1000, ""))
	}
}
