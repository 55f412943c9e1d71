package webhooks_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

func TestAnEventArrivesSigned(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		r, quiet := newReceiver(t), newReceiver(t)
		_, secret := s.add(s.domain.ID, r.URL+"/hooks?who=crm", "message")
		s.add(s.domain.ID, quiet.URL, "escalation", "takeover", "handback", "notice")
		other := s.addDomain("other")
		s.add(other.ID, quiet.URL, "message")

		v := s.say("Do you ship to <Oslo>?")
		got := r.want(t, secret)
		room, err := storage.From(s.ctx).Room(s.ctx, v.Room)
		s.ok(err)
		events, _, err := storage.From(s.ctx).Events(s.ctx, v.Room, hub.Range{})
		s.ok(err)
		at := hub.Stamp(events[0].At)
		want := map[string]any{
			"domain": "shop",
			"room":   map[string]any{"id": v.Room, "ref": room.Ref},
			"event": map[string]any{
				"seq": 1.0, "type": "message", "text": "Do you ship to <Oslo>?", "at": at,
				"author": map[string]any{"kind": "visitor", "id": room.Visitor},
			},
		}
		if diff := cmp.Diff(want, got.Data); diff != "" || got.Type != "message.created" {
			t.Errorf("%s: %s", got.Type, diff)
		}
		if !strings.Contains(string(got.body), `"timestamp":"`+at+`"`) || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%v %s", got.header, got.body)
		}
		d := s.settled("delivered", 1)
		if id := got.header.Get("Webhook-Id"); id != "msg_"+d.ID || d.Status != 200 || d.Outcome != "delivered" {
			t.Errorf("%s, %+v", id, d)
		}
		quiet.none(t)
		s.seen.Want(t, "counter webhooks deliveries delivered", 1)
		has(t, s.show(s.domain.ID, "view=deliveries"), `data-state="delivered" data-type="message.created"`, "/console/rooms/"+v.Room, r.URL+"/hooks?who=crm")

		// The delivery names what was said, and does not repeat it.
		var all []map[string]any
		s.ok(storage.Read(s.ctx).Table("webhooks_deliveries").Find(&all).Error)
		if text := fmt.Sprint(all); strings.Contains(text, "Oslo") || len(all) != 1 {
			t.Errorf("kept: %s", text)
		}
	})
}

func TestADeliveryIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		r := newReceiver(t)
		_, secret := s.add(s.domain.ID, r.URL, "message")
		for _, tt := range []struct {
			name    string
			status  int
			header  []string
			outcome string
			wait    time.Duration // before the next attempt, ±20 %
		}{
			{"a fault", 500, nil, "status", 5 * time.Second},
			{"not found is mended too", 404, nil, "status", 5 * time.Second},
			{"a redirect is not followed", 307, []string{"Location", r.URL + "/elsewhere"}, "redirect", 5 * time.Second},
			{"it asks for time", 429, []string{"Retry-After", "600"}, "status", 10 * time.Minute},
			{"it asks for less than the schedule", 503, []string{"Retry-After", "0"}, "status", 5 * time.Second},
			{"it asks for ever", 503, []string{"Retry-After", "99999999"}, "status", 4 * time.Hour},
			{"it names a time", 503, []string{"Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}, "status", time.Hour},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s.t = t
				r.status(tt.status, tt.header...)
				s.say("hello")
				first := r.want(t, secret)
				d := s.settled("waiting", 1)
				if d.Status != tt.status || d.Outcome != tt.outcome || d.NextAt == nil {
					t.Fatalf("%+v", d)
				}
				var due time.Time
				s.ok(storage.Read(s.ctx).Raw("SELECT run_at FROM jobs WHERE state = 'ready'").Row().Scan(&due))
				for _, at := range []time.Time{due, *d.NextAt} {
					if wait := time.Until(at); wait < tt.wait*75/100 || wait > tt.wait*125/100 {
						t.Errorf("the next attempt is in %s, want about %s", wait, tt.wait)
					}
				}
				r.none(t)

				r.status(204)
				s.hurry()
				second := r.want(t, secret)
				if first.header.Get("Webhook-Id") != second.header.Get("Webhook-Id") || string(first.body) != string(second.body) {
					t.Errorf("%v %s, then %v %s", first.header, first.body, second.header, second.body)
				}
				if d := s.settled("delivered", 2); d.NextAt != nil {
					t.Errorf("%+v", d)
				}
			})
		}
	})
}

// An endpoint that answers, but late, has a few deliveries under way at a time.
// Nobody else's wait for it, and none of its own is lost.
func TestASlowEndpointLeavesRoomForOthers(t *testing.T) {
	s := onSQLite(t)
	slow, fast := newReceiver(t), newReceiver(t)
	let := make(chan struct{})
	answerAll := sync.OnceFunc(func() { close(let) })
	defer answerAll()
	slow.answers(func(http.ResponseWriter, *http.Request) { <-let })
	_, slowSecret := s.add(s.domain.ID, slow.URL, "message")
	other := s.addDomain("other")
	_, secret := s.add(other.ID, fast.URL, "message")

	const messages = 40 // more than a node delivers at a time
	for i := range messages {
		s.say(fmt.Sprint("hello ", i))
	}
	v := s.Visitor(t, other.Key)
	v.Send("message", "c-1", map[string]any{"text": "and me?"})
	fast.want(t, secret)
	if n := len(slow.got); n != 8 {
		t.Errorf("%d are under way to the slow one, want 8", n)
	}
	s.until("view=deliveries&state=waiting", "Not tried: as many deliveries")

	answerAll()
	s.eventually(s.idle, "some are still under way")
	s.hurry()
	s.seen.Want(t, "counter webhooks deliveries delivered", messages+1)
	for range messages {
		slow.want(t, slowSecret)
	}
	slow.none(t)
}

func TestAnEndpointIsGone(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		r := newReceiver(t)
		id, secret := s.add(s.domain.ID, r.URL, "message")
		r.status(http.StatusGone)
		s.say("hello")
		r.want(t, secret)
		if d := s.settled("failed", 1); d.Outcome != "gone" {
			t.Errorf("%+v", d)
		}
		has(t, s.show(s.domain.ID, ""), `data-state="gone"`, "It answered 410 Gone. Resume it")
		s.say("anybody there?")
		s.settled("failed", 1) // still the newest
		r.none(t)

		r.status(200)
		s.do(s.domain.ID, "do", "resume", "endpoint", id)
		s.say("and now?")
		r.want(t, secret)
		s.settled("delivered", 1)
	})
}

// last makes the next attempt of what waits the last one.
func (s *shop) last() {
	s.t.Helper()
	s.exec("UPDATE jobs SET attempts = ? WHERE state = 'ready'", len(storage.Schedule))
	s.hurry()
}

func TestADeliveryFailsForGoodAndIsReplayed(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		r := newReceiver(t)
		id, secret := s.add(s.domain.ID, r.URL, "message")
		r.status(500)
		s.say("hello")
		first := r.want(t, secret)
		waiting := s.settled("waiting", 1)
		has(t, s.do(s.domain.ID, "do", "replay", "delivery", waiting.ID), "This delivery cannot be replayed now")
		s.last()
		r.want(t, secret)
		d := s.settled("failed", 2)
		has(t, s.show(s.domain.ID, ""), "Deliveries that failed in a row: 1", `<span class="badge failed" title="1 failed">`)
		has(t, s.show(s.domain.ID, "view=deliveries&state=failed"), `data-delivery="`+d.ID+`"`, "It answered 500.", "Replay all failed")

		// One by one, with its whole schedule again.
		if to := s.do(s.domain.ID, "do", "replay", "delivery", d.ID, "state", "failed"); to != "/hooks?done=replayed&state=failed&view=deliveries" {
			t.Errorf("leads to %s", to)
		}
		r.want(t, secret)
		s.settled("waiting", 3)
		s.last()
		r.want(t, secret)
		s.settled("failed", 4)

		// Not while the endpoint is off, and then all at once.
		s.do(s.domain.ID, "do", "pause", "endpoint", id)
		has(t, s.do(s.domain.ID, "do", "replay", "delivery", d.ID), "cannot be replayed now")
		if to := s.do(s.domain.ID, "do", "replay-failed"); !strings.Contains(to, "done=nothing") {
			t.Errorf("leads to %s", to)
		}
		s.do(s.domain.ID, "do", "resume", "endpoint", id)
		r.status(200)
		if to := s.do(s.domain.ID, "do", "replay-failed"); !strings.Contains(to, "done=replayedAll") {
			t.Errorf("leads to %s", to)
		}
		again := r.want(t, secret)
		if again.header.Get("Webhook-Id") != first.header.Get("Webhook-Id") || string(again.body) != string(first.body) {
			t.Errorf("replayed %v %s", again.header, again.body)
		}
		s.settled("delivered", 5)
		if page := s.show(s.domain.ID, ""); strings.Contains(page, "failed in a row") {
			t.Error("the row of failures has not ended")
		}

		// What arrived can be sent once more, too.
		s.do(s.domain.ID, "do", "replay", "delivery", d.ID)
		r.want(t, secret)
		s.settled("delivered", 6)
	})
}

// A node that dies in the middle of a last attempt leaves a delivery that waits
// for a job which is over.
func TestADeliveryThatNobodyMakesIsReplayed(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		r := newReceiver(t)
		_, secret := s.add(s.domain.ID, r.URL, "message")
		for _, replay := range [][]string{{"do", "replay", "delivery", ""}, {"do", "replay-failed"}} {
			r.status(500)
			s.say("hello")
			first := r.want(t, secret)
			d := s.settled("waiting", 1)
			s.exec("UPDATE jobs SET state = 'failed' WHERE state = 'ready'")
			if len(replay) > 2 {
				replay[3] = d.ID
			}

			// It may still be made.
			s.exec("UPDATE webhooks_deliveries SET next_at = ? WHERE id = ?", hub.Now().Add(-4*time.Minute), d.ID)
			if page := s.show(s.domain.ID, "view=deliveries&state=waiting"); !strings.Contains(page, d.ID) || strings.Contains(page, `value="replay`) {
				t.Errorf("can be replayed while it waits: %s", page)
			}
			s.do(s.domain.ID, replay...)
			if got := s.settled("waiting", 1); got.NextAt.After(hub.Now().Add(-3 * time.Minute)) {
				t.Errorf("replayed while it waits: %+v", got)
			}

			s.exec("UPDATE webhooks_deliveries SET next_at = ? WHERE id = ?", hub.Now().Add(-6*time.Minute), d.ID)
			has(t, s.show(s.domain.ID, ""), `title="1 failed"`)
			if page := s.show(s.domain.ID, "view=deliveries&state=waiting"); strings.Contains(page, d.ID) {
				t.Error("it still counts as waiting")
			}
			has(t, s.show(s.domain.ID, "view=deliveries&state=failed"), d.ID, "Overdue", "nothing has come of the try due about", `value="replay"`, "Replay all failed")
			r.status(200)
			if to := s.do(s.domain.ID, replay...); !strings.Contains(to, "done=replayed") {
				t.Errorf("leads to %s", to)
			}
			if again := r.want(t, secret); again.header.Get("Webhook-Id") != first.header.Get("Webhook-Id") {
				t.Errorf("replayed %v", again.header)
			}
			s.settled("delivered", 2)
		}
	})
}

// What the page says about the next attempt is when it is made, also far down the
// schedule: else one that is merely spread would look overdue.
func TestTheNextAttemptIsMadeWhenThePageSays(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		r := newReceiver(t)
		_, secret := s.add(s.domain.ID, r.URL, "message")
		r.status(500)
		s.say("hello")
		r.want(t, secret)
		s.settled("waiting", 1)
		s.exec("UPDATE jobs SET attempts = ? WHERE state = 'ready'", len(storage.Schedule)-1)
		s.hurry()
		r.want(t, secret)
		d := s.settled("waiting", 2)
		var due time.Time
		s.ok(storage.Read(s.ctx).Raw("SELECT run_at FROM jobs WHERE state = 'ready'").Row().Scan(&due))
		if off := due.Sub(*d.NextAt).Abs(); off > time.Minute {
			t.Errorf("due %s from when the page says", off)
		}
	})
}

func TestAnEndpointThatFailsForDaysIsSwitchedOff(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		r := newReceiver(t)
		id, secret := s.add(s.domain.ID, r.URL, "message")
		r.status(500)
		fail := func(text string) {
			s.say(text)
			r.want(t, secret)
			s.settled("waiting", 1)
			s.last()
			r.want(t, secret)
			s.settled("failed", 2)
		}
		s.exec("UPDATE webhooks_endpoints SET failures = 8, failing_since = ? WHERE id = ?", hub.Now().Add(-25*time.Hour), id)
		fail("nine")
		has(t, s.show(s.domain.ID, ""), `data-state="active"`, "failed in a row: 9")
		fail("ten")
		s.until("", `data-state="stopped"`)
		has(t, s.show(s.domain.ID, ""), "Ten deliveries in a row failed", `value="resume"`)

		// Ten within an hour are a bad hour.
		s.do(s.domain.ID, "do", "resume", "endpoint", id)
		s.exec("UPDATE webhooks_endpoints SET failures = 30, failing_since = ? WHERE id = ?", hub.Now().Add(-time.Hour), id)
		fail("a bad hour")
		s.until("", "failed in a row: 31")
		has(t, s.show(s.domain.ID, ""), `data-state="active"`)
	})
}

func TestWhatWaitsForAPausedOrRemovedEndpoint(t *testing.T) {
	s := onSQLite(t)
	r := newReceiver(t)
	id, secret := s.add(s.domain.ID, r.URL, "message")
	r.status(500)
	s.say("hello")
	r.want(t, secret)
	s.settled("waiting", 1)
	s.do(s.domain.ID, "do", "pause", "endpoint", id)
	s.hurry()
	if d := s.settled("failed", 1); d.Outcome != "paused" {
		t.Errorf("%+v", d)
	}
	s.do(s.domain.ID, "do", "resume", "endpoint", id)
	s.do(s.domain.ID, "do", "replay-failed")
	r.want(t, secret)
	s.settled("waiting", 2)
	s.do(s.domain.ID, "do", "remove", "endpoint", id)
	s.hurry()
	if d := s.settled("failed", 2); d.Outcome != "removed" {
		t.Errorf("%+v", d)
	}
	has(t, s.show(s.domain.ID, "view=deliveries"), "removed endpoint", "Not sent: the endpoint was removed.")
	r.none(t)
	if _, err := s.post(s.domain.ID, "do", "resume", "endpoint", id); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("resumed a removed endpoint: %v", err)
	}
}

func TestNoConnection(t *testing.T) {
	s := onSQLite(t)
	r := newReceiver(t)
	s.add(s.domain.ID, r.URL, "message")
	r.Close()
	s.say("hello")
	d := s.settled("waiting", 1)
	if d.Outcome != "network" || !strings.Contains(d.Detail, "refused") || d.Status != 0 {
		t.Errorf("%+v", d)
	}
}
