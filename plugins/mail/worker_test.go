package mail

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

func TestAcceptedOnceForTwoRecipients(t *testing.T) {
	g := newGun(t)
	w := newWorld(t, gunOptions(g), false)
	emails := w.ring(storage.EmailQueued, "invoice, see evil.example",
		w.rule("ana@kopitugu.example", "Support"), w.rule("budi@kopitugu.example", ""))
	for _, e := range emails {
		w.must(w.attempt(e, 1))
	}
	if got := w.notices(); got != hub.StateNotified {
		t.Errorf("notices: %q", got)
	}
	shots := g.shots()
	if len(shots) != 2 {
		t.Fatalf("%d messages", len(shots))
	}
	if a, b := shots[0].field("h:References"), shots[1].field("h:References"); a != b || !strings.Contains(a, w.room.ID) {
		t.Errorf("threads %q and %q", a, b)
	}
	if a, b := shots[0].field("subject"), shots[1].field("subject"); a != b || !strings.Contains(a, w.room.Ref) {
		t.Errorf("subjects %q and %q", a, b)
	}
	for i, e := range emails {
		token := tokenIn(t, shots[i].field("text"))
		if !strings.Contains(shots[i].field("html"), "https://chat.example/join/"+token) {
			t.Error("the HTML has another link")
		}
		link, err := storage.LinkByToken(w.ctx, token)
		w.must(err)
		if link.State() != storage.LinkValid || link.RoomID != w.room.ID || link.Recipient != e.Recipient || link.EmailID != e.ID || link.Label != e.Label {
			t.Errorf("link %+v", link)
		}
		if left := time.Until(link.ExpiresAt); left > 24*time.Hour || left < 23*time.Hour {
			t.Errorf("the link lasts %s", left)
		}
		saved := w.email(e.ID)
		if saved.State != storage.EmailSent || saved.SentAt == nil || saved.ProviderID != shots[i].ID || saved.Attempts != 1 || saved.Error != "" {
			t.Errorf("saved: %+v", saved)
		}
		if !strings.Contains(saved.Text, "https://chat.example/join/…\n") || !strings.Contains(saved.HTML, "https://chat.example/join/…") {
			t.Error("the bodies are not kept")
		}
		if strings.Contains(saved.Text+saved.HTML, token) {
			t.Error("the token is kept in the bodies")
		}
		// A job that is done again, since its end could not be written.
		w.must(w.attempt(e, 2))
	}
	if n := g.requests(); n != 2 {
		t.Errorf("%d requests", n)
	}
	if got := w.notices(); got != hub.StateNotified {
		t.Errorf("notices after all: %q", got)
	}
	noSecrets(t, w.log.String(), gunKey, "signing-secret-7f3a", "/join/")
}

func TestRetriesCarryTheSameIdentity(t *testing.T) {
	g := newGun(t)
	w := newWorld(t, gunOptions(g), false)
	e := w.ring(storage.EmailQueued, "invoice", w.rule("ana@kopitugu.example", ""))[0]
	g.fail(fault{reset: true, accept: true})
	err := w.attempt(e, 1)
	var f *Failure
	if !errors.As(err, &f) || f.Reason != Network {
		t.Fatalf("error %v", err)
	}
	if got := w.email(e.ID); got.State != storage.EmailQueued || got.Attempts != 1 || got.Error != f.Public() || got.SentAt != nil {
		t.Errorf("after the first attempt: %+v", got)
	}
	if got := w.notices(); got != "" {
		t.Errorf("notices: %q", got)
	}
	w.must(w.attempt(e, 2))
	shots := g.shots()
	if len(shots) != 2 {
		t.Fatalf("%d messages", len(shots))
	}
	for _, name := range []string{"v:delivery-id", "h:Message-Id", "o:tag", "subject"} {
		if a, b := shots[0].field(name), shots[1].field(name); a != b || a == "" {
			t.Errorf("%s: %q, then %q", name, a, b)
		}
	}
	// The first answer was lost: its link may have arrived, and works.
	for _, s := range shots {
		link, err := storage.LinkByToken(w.ctx, tokenIn(t, s.field("text")))
		w.must(err)
		if link.State() != storage.LinkValid {
			t.Errorf("a link that may have arrived is %v", link.State())
		}
	}
	if got := w.email(e.ID); got.State != storage.EmailSent || got.Attempts != 2 || got.Error != "" {
		t.Errorf("at last: %+v", got)
	}
	w.seen.Want(t, "counter mail attempts network", 1)
	w.seen.Want(t, "counter mail attempts accepted", 1)
}

func TestFailedForGood(t *testing.T) {
	g := newGun(t)
	w := newWorld(t, gunOptions(g), false)
	emails := w.ring(storage.EmailQueued, "invoice", w.rule("ana@kopitugu.example", ""), w.rule("budi@kopitugu.example", ""))
	g.fail(fault{status: 400, body: `{"message":"'to' parameter is not a valid address"}`})
	if err := w.attempt(emails[0], 1); err == nil {
		t.Fatal("no error")
	}
	got := w.email(emails[0].ID)
	if got.State != storage.EmailFailed || !strings.Contains(got.Error, "recipient") {
		t.Errorf("saved: %+v", got)
	}
	if n := w.notices(); n != "" {
		t.Errorf("told %q while an email is queued", n)
	}
	links, err := storage.LinksOf(w.ctx, w.domain.ID, w.room.ID)
	w.must(err)
	if len(links) != 0 {
		t.Errorf("links nobody has stay open: %+v", links)
	}
	// The other one runs out of attempts.
	last := len(storage.Schedule) + 1
	g.fail(fault{status: 503}, fault{status: 503})
	if err := w.attempt(emails[1], last-1); err == nil || w.email(emails[1].ID).State != storage.EmailQueued {
		t.Fatalf("given up before the last attempt: %v", err)
	}
	for range 2 { // the second time is a job done again
		_ = w.attempt(emails[1], last)
		if got := w.email(emails[1].ID); got.State != storage.EmailFailed || got.Attempts != last {
			t.Errorf("saved: %+v", got)
		}
		if n := w.notices(); n != hub.StateUnreachable {
			t.Errorf("notices: %q", n)
		}
	}
	noSecrets(t, w.log.String(), gunKey, "signing-secret-7f3a", "/join/")
}

func TestOneSentIsReachable(t *testing.T) {
	g := newGun(t)
	w := newWorld(t, gunOptions(g), false)
	emails := w.ring(storage.EmailQueued, "invoice", w.rule("ana@kopitugu.example", ""), w.rule("budi@kopitugu.example", ""))
	w.must(w.attempt(emails[0], 1))
	g.fail(fault{status: 413})
	_ = w.attempt(emails[1], 1)
	if got := w.notices(); got != hub.StateNotified {
		t.Errorf("notices: %q", got)
	}
}

func TestRefusedKeyRaisesAnAlarm(t *testing.T) {
	g := newGun(t)
	o := gunOptions(g)
	o.Key = "key-revoked-secret"
	w := newWorld(t, o, false)
	e := w.ring(storage.EmailQueued, "invoice", w.rule("ana@kopitugu.example", ""))[0]
	err := w.attempt(e, 1)
	if err == nil || w.email(e.ID).State != storage.EmailQueued {
		t.Fatalf("error %v", err)
	}
	log := w.log.String()
	if !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "check the key") {
		t.Errorf("log:\n%s", log)
	}
	noSecrets(t, log+err.Error()+w.email(e.ID).Error, string(o.Key), string(o.SigningKey), "/join/")
}

func TestSwitchedOffRuleGetsNothing(t *testing.T) {
	for _, remove := range []bool{false, true} {
		g := newGun(t)
		w := newWorld(t, gunOptions(g), false)
		r := w.rule("ana@kopitugu.example", "")
		e := w.ring(storage.EmailQueued, "invoice", r)[0]
		if remove {
			w.must(storage.RemoveRule(w.ctx, w.domain.ID, r.ID))
		} else {
			w.must(storage.SetRuleActive(w.ctx, w.domain.ID, r.ID, false))
		}
		_ = w.attempt(e, 1)
		got := w.email(e.ID)
		if got.State != storage.EmailFailed || got.Error != "The recipient's rule was switched off." {
			t.Errorf("saved: %+v", got)
		}
		if g.requests() != 0 {
			t.Error("it was sent")
		}
		if n := w.notices(); n != hub.StateUnreachable {
			t.Errorf("notices: %q", n)
		}
	}
}

func TestHeldEmails(t *testing.T) {
	g := newGun(t)
	w := newWorld(t, gunOptions(g), false)
	r := w.rule("ana@kopitugu.example", "")
	young := w.ring(storage.EmailHeld, "young", r)[0]
	old := w.ring(storage.EmailHeld, "old", r)[0]
	w.backdate(old.ID, storage.HeldLife+time.Minute)
	// A node without mail held them after this one had started.
	w.must(w.attempt(young, 1))
	w.must(w.attempt(old, 1))
	if got := w.email(young.ID).State; got != storage.EmailSent {
		t.Errorf("the young one is %s", got)
	}
	if got := w.email(old.ID).State; got != storage.EmailExpired {
		t.Errorf("the old one is %s", got)
	}
	if g.requests() != 1 {
		t.Errorf("%d requests", g.requests())
	}
}

// A person who joins before the email leaves is not undone by it.
func TestNoticesNeverGoBack(t *testing.T) {
	g := newGun(t)
	w := newWorld(t, gunOptions(g), false)
	emails := w.ring(storage.EmailQueued, "invoice", w.rule("ana@kopitugu.example", ""), w.rule("budi@kopitugu.example", ""))
	_, err := w.host.Append(w.ctx, hub.Append{
		Room: w.room.ID, Type: hub.EventNotice, Author: hub.SystemAuthor,
		Data: hub.MarshalData(hub.Progress{Escalation: emails[0].EscalationID, State: hub.StateJoined, Name: "Ana"}),
	})
	w.must(err)
	w.must(w.attempt(emails[0], 1))
	g.fail(fault{status: 400})
	_ = w.attempt(emails[1], 1)
	if got := w.notices(); got != hub.StateJoined {
		t.Errorf("notices: %q", got)
	}
	if a, b := w.email(emails[0].ID).State, w.email(emails[1].ID).State; a != storage.EmailSent || b != storage.EmailFailed {
		t.Errorf("states %s and %s", a, b)
	}
	room, err := w.host.Room(w.ctx, w.room.ID)
	w.must(err)
	if room.Escalation.State != hub.StateJoined {
		t.Errorf("the room's escalation is %s", room.Escalation.State)
	}
}

// The node died after saving the email and before telling the room.
func TestUntoldNoticeIsMadeUpFor(t *testing.T) {
	g := newGun(t)
	w := newWorld(t, gunOptions(g), false)
	e := w.ring(storage.EmailQueued, "invoice", w.rule("ana@kopitugu.example", ""))[0]
	e.State = storage.EmailSent
	w.must(storage.SaveEmail(w.ctx, e))
	w.must(w.attempt(e, 2))
	if got := w.notices(); got != hub.StateNotified || g.requests() != 0 {
		t.Errorf("notices %q, %d requests", got, g.requests())
	}
}

func TestNewLinkTellsNobody(t *testing.T) {
	g := newGun(t)
	w := newWorld(t, gunOptions(g), false)
	r := w.rule("ana@kopitugu.example", "")
	first := w.ring(storage.EmailQueued, "invoice", r)[0]
	again := first
	again.Kind, again.State = storage.EmailNewLink, ""
	jobs, err := storage.AddEmails(w.ctx, again)
	w.must(err)
	var id string
	w.must(storage.Task{Payload: jobs[0].Payload}.Decode(&id))
	again.ID = id
	w.must(w.attempt(again, 1))
	if got := w.notices(); got != "" {
		t.Errorf("notices: %q", got)
	}
	if text := g.shots()[0].field("text"); !strings.HasPrefix(text, "A new link") {
		t.Errorf("text:\n%s", text)
	}
}

func TestUnsendable(t *testing.T) {
	g := newGun(t)
	w := newWorld(t, gunOptions(g), false)
	r := w.rule("ana@kopitugu.example", "")
	for name, change := range map[string]func(*storage.Email){
		"another kind":    func(e *storage.Email) { e.Kind = "sign_in" },
		"unreadable data": func(e *storage.Email) { e.Data = "{" },
		"no address":      func(e *storage.Email) { e.Recipient = "a@x.example, b@x.example" },
		"no room":         func(e *storage.Email) { e.RoomID = storage.NewID() },
		"another domain":  func(e *storage.Email) { e.DomainID = storage.NewID() },
	} {
		e := w.ring(storage.EmailQueued, "invoice", r)[0]
		change(&e)
		w.must(storage.DB(w.ctx).Save(&e).Error)
		err := w.attempt(e, 1)
		if got := w.email(e.ID); err == nil || got.State != storage.EmailFailed || got.Error == "" {
			t.Errorf("%s: error %v, saved %+v", name, err, got)
		}
	}
	if err := w.attempt(storage.Email{ID: storage.NewID()}, 1); err == nil {
		t.Error("an email that is not there was sent")
	}
	if err := w.mail.deliver(w.ctx, storage.Task{Payload: []byte("{}")}); err == nil {
		t.Error("a job without an email was done")
	}
	if g.requests() != 0 {
		t.Errorf("%d requests", g.requests())
	}
}
