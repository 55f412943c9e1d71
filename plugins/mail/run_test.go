package mail

import (
	"context"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// start runs the plugin; the function returned stops it and waits.
func (w *world) start() (stop func()) {
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- w.mail.Run(ctx) }()
	return func() {
		w.t.Helper()
		cancel()
		select {
		case err := <-done:
			w.must(err)
		case <-time.After(20 * time.Second):
			w.t.Fatal("Run does not end")
		}
	}
}

func TestRunSends(t *testing.T) {
	g := newGun(t)
	w := newWorld(t, gunOptions(g), false)
	r := w.rule("ana@kopitugu.example", "")
	held := w.ring(storage.EmailHeld, "held", r)[0]
	old := w.ring(storage.EmailHeld, "too old", r)[0]
	w.backdate(old.ID, storage.HeldLife)
	stop := w.start()
	queued := w.ring(storage.EmailQueued, "queued", r)[0]
	for range 2 {
		select {
		case <-g.arrived:
		case <-time.After(20 * time.Second):
			t.Fatal("nothing arrives")
		}
	}
	stop()
	for id, want := range map[string]storage.EmailState{
		held.ID: storage.EmailSent, queued.ID: storage.EmailSent, old.ID: storage.EmailExpired,
	} {
		if got := w.email(id).State; got != want {
			t.Errorf("state %s, want %s", got, want)
		}
	}
}

func TestWithoutProviderInProductionNothingMoves(t *testing.T) {
	w := newWorld(t, options{}, false)
	if w.mail.CanAlert() {
		t.Fatal("emails could leave")
	}
	e := w.ring(storage.EmailHeld, "invoice", w.rule("ana@kopitugu.example", ""))[0]
	w.start()()
	if got := w.email(e.ID); got.State != storage.EmailHeld || got.Attempts != 0 {
		t.Errorf("saved: %+v", got)
	}
	if got := w.notices(); got != "" {
		t.Errorf("notices: %q", got)
	}
}

func TestBellRungIsReachableWhereEmailsLeave(t *testing.T) {
	g := newGun(t)
	for name, c := range map[string]struct {
		opts        options
		development bool
		want        bool
	}{
		"provider":             {gunOptions(g), false, true},
		"development":          {options{}, true, true},
		"provider, developing": {gunOptions(g), true, true},
		"neither":              {options{}, false, false},
	} {
		w := newWorld(t, c.opts, c.development)
		e, err := w.host.BellRung(w.ctx, hub.BellRung{Domain: w.domain.ID, Room: w.room, Reason: "invoice"})
		w.must(err)
		if e.Reachable != c.want || w.mail.CanAlert() != c.want {
			t.Errorf("%s: reachable %v", name, e.Reachable)
		}
	}
}
