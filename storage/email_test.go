package storage_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

func TestEmails(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		d, e := enter(t, ctx)
		bell := storage.Bell{Domain: "Kopi 😀", Reason: "<b>", At: hub.Now()}
		jobs, err := storage.AddEmails(ctx,
			storage.Email{DomainID: d.ID, RoomID: e.Room.ID, EscalationID: "esc", Kind: storage.EmailBell, Recipient: "ana@example.com", Data: string(hub.MarshalData(bell))},
			storage.Email{DomainID: d.ID, RoomID: e.Room.ID, EscalationID: "esc", Kind: storage.EmailBell, Recipient: "ben@example.com", State: storage.EmailHeld})
		ok(t, err)
		if len(jobs) != 2 || jobs[0].Kind != storage.JobSendEmail || jobs[0].Key == jobs[1].Key {
			t.Fatalf("jobs %+v", jobs)
		}
		var id string
		ok(t, json.Unmarshal(jobs[0].Payload, &id))
		first, err := storage.EmailByID(ctx, id)
		ok(t, err)
		if first.State != storage.EmailQueued || first.Recipient != "ana@example.com" {
			t.Errorf("the first email: %+v", first)
		}
		if got, err := first.Bell(); err != nil || got != bell {
			t.Errorf("its bell: %+v, %v", got, err)
		}
		if _, err := storage.EmailByID(ctx, "unknown"); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("an unknown id: %v", err)
		}

		now := hub.Now()
		first.State, first.Attempts, first.SentAt, first.ProviderID = storage.EmailSent, 2, &now, "<id@mg>"
		first.HTML = strings.Repeat("é", 50000)
		first.Recipient = "eve@example.com" // who it is to never changes
		ok(t, storage.SaveEmail(ctx, first))
		got, err := storage.EmailByID(ctx, id)
		ok(t, err)
		if got.State != storage.EmailSent || got.Attempts != 2 || got.SentAt == nil || !got.SentAt.Equal(now) || got.HTML != first.HTML || got.Recipient != "ana@example.com" {
			t.Errorf("as saved: %+v", got)
		}

		if all, err := storage.EmailsOfRoom(ctx, d.ID, e.Room.ID); len(all) != 2 || err != nil {
			t.Errorf("the room's: %d, %v", len(all), err)
		}
		if all, err := storage.EmailsOfEscalation(ctx, d.ID, "esc", "other"); len(all) != 2 || err != nil {
			t.Errorf("the escalation's: %d, %v", len(all), err)
		}
		if all, err := storage.EmailsOfEscalation(ctx, d.ID); len(all) != 0 || err != nil {
			t.Errorf("no escalation's: %d, %v", len(all), err)
		}
		if all, err := storage.EmailsOfRoom(ctx, "another", e.Room.ID); len(all) != 0 || err != nil {
			t.Errorf("another domain's: %d, %v", len(all), err)
		}
	})
}

func TestHeldEmails(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		d, e := enter(t, ctx)
		for _, to := range []string{"new@example.com", "old@example.com"} {
			_, err := storage.AddEmails(ctx, storage.Email{DomainID: d.ID, RoomID: e.Room.ID, Kind: storage.EmailBell, Recipient: to, State: storage.EmailHeld})
			ok(t, err)
		}
		exec(t, ctx, "UPDATE emails SET created_at = ? WHERE recipient = ?", hub.Now().Add(-storage.HeldLife), "old@example.com")
		if n, err := storage.HeldEmails(ctx, d.ID); n != 2 || err != nil {
			t.Errorf("%d held, %v", n, err)
		}
		ok(t, storage.ReleaseHeld(ctx))
		states := map[string]storage.EmailState{}
		all, err := storage.EmailsOfRoom(ctx, d.ID, e.Room.ID)
		ok(t, err)
		for _, m := range all {
			states[m.Recipient] = m.State
		}
		if states["new@example.com"] != storage.EmailQueued || states["old@example.com"] != storage.EmailExpired {
			t.Errorf("released: %v", states)
		}
		if n, err := storage.HeldEmails(ctx, d.ID); n != 0 || err != nil {
			t.Errorf("%d still held, %v", n, err)
		}
	})
}

func TestRenewLink(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		d, e := enter(t, ctx)
		rule, err := storage.AddRule(ctx, storage.CCRule{DomainID: d.ID, Email: "ana@example.com", Label: "Support"})
		ok(t, err)
		jobs, err := storage.AddEmails(ctx, storage.Email{DomainID: d.ID, RoomID: e.Room.ID, RuleID: rule.ID, Kind: storage.EmailBell, Recipient: rule.Email, Data: `{"room":"R"}`})
		ok(t, err)
		l := storage.Link{DomainID: d.ID, RoomID: e.Room.ID, RuleID: rule.ID, EmailID: jobs[0].Key, Recipient: rule.Email}
		sent := make(chan bool)
		for range 3 {
			go func() {
				did, err := storage.RenewLink(ctx, l, storage.EmailQueued)
				if err != nil {
					t.Error(err)
				}
				sent <- did
			}()
		}
		n := 0
		for range 3 {
			if <-sent {
				n++
			}
		}
		if n != 1 || count(t, ctx, "emails") != 2 || count(t, ctx, "jobs") != 1 {
			t.Errorf("three presses sent %d; %d emails, %d jobs", n, count(t, ctx, "emails"), count(t, ctx, "jobs"))
		}
		exec(t, ctx, "UPDATE emails SET created_at = ?", hub.Now().Add(-storage.RenewEvery))
		ok(t, storage.SetRuleActive(ctx, d.ID, rule.ID, false))
		if did, err := storage.RenewLink(ctx, l, storage.EmailQueued); did || err != nil {
			t.Errorf("while the rule is off: %v, %v", did, err)
		}
	})
}

func TestUnopenedRules(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		d, e := enter(t, ctx)
		old := hub.Now().Add(-storage.UnopenedAfter - time.Hour)
		var rules []storage.CCRule
		for _, email := range []string{"unopened@example.com", "opened@example.com", "never-emailed@example.com", "new@example.com"} {
			r, err := storage.AddRule(ctx, storage.CCRule{DomainID: d.ID, Email: email})
			ok(t, err)
			rules = append(rules, r)
			if email != "new@example.com" {
				exec(t, ctx, "UPDATE cc_rules SET created_at = ? WHERE id = ?", old, r.ID)
			}
			if email == "never-emailed@example.com" {
				continue
			}
			jobs, err := storage.AddEmails(ctx, storage.Email{DomainID: d.ID, RoomID: e.Room.ID, RuleID: r.ID, Kind: storage.EmailBell, Recipient: email})
			ok(t, err)
			exec(t, ctx, "UPDATE emails SET state = ?, sent_at = ? WHERE id = ?", storage.EmailSent, hub.Now(), jobs[0].Key)
		}
		session, _, err := storage.StartSession(ctx)
		ok(t, err)
		l, _ := mint(t, ctx, e, rules[1].ID, time.Hour)
		ok(t, storage.AddGrant(ctx, session, l, "Ana"))
		got, err := storage.UnopenedRules(ctx, d.ID)
		if err != nil || len(got) != 1 || !got[rules[0].ID] {
			t.Errorf("unopened: %v, %v; want %s", got, err, rules[0].ID)
		}
	})
}
