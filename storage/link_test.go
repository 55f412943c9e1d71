package storage_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// mint makes a link of a rule into a visitor's room.
func mint(t testing.TB, ctx context.Context, e hub.Entry, rule string, life time.Duration) (storage.Link, string) {
	t.Helper()
	l, token, err := storage.MintLink(ctx, storage.Link{
		DomainID: e.Room.Domain, RoomID: e.Room.ID, RuleID: rule, Recipient: "ana@example.com", Label: "Support", ExpiresAt: hub.Now().Add(life),
	})
	ok(t, err)
	return l, token
}

func TestLinks(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		d, e := enter(t, ctx)
		l, token := mint(t, ctx, e, "rule", time.Hour)
		got, err := storage.LinkByToken(ctx, token)
		if err != nil || got != l || got.State() != storage.LinkValid {
			t.Errorf("the link\n got %+v, %v\nwant %+v", got, err, l)
		}
		if got.TokenHash == token || got.TokenHash != storage.HashToken(token) {
			t.Error("the token itself is stored")
		}
		if got, err := storage.LinkByToken(ctx, "unknown"); err != nil || got.State() != storage.LinkUnknown {
			t.Errorf("an unknown token: %v, %v", got.State(), err)
		}
		expired, _ := mint(t, ctx, e, "rule", 0)
		if expired.State() != storage.LinkExpired {
			t.Errorf("an expired link is %v", expired.State())
		}
		if all, err := storage.LinksOf(ctx, d.ID, e.Room.ID); len(all) != 1 || all[0].ID != l.ID || err != nil {
			t.Errorf("the room's links: %d, %v", len(all), err)
		}
		if err := storage.RevokeLink(ctx, "another", l.ID); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("revoked from another domain: %v", err)
		}
		ok(t, storage.RevokeLink(ctx, d.ID, l.ID))
		if err := storage.RevokeLink(ctx, d.ID, l.ID); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("revoked twice: %v", err)
		}
		if got, err := storage.LinkByToken(ctx, token); err != nil || got.State() != storage.LinkRevoked {
			t.Errorf("a revoked link is %v, %v", got.State(), err)
		}
	})
}

func TestGrants(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		d, e := enter(t, ctx)
		session, _, err := storage.StartSession(ctx)
		ok(t, err)
		short, _ := mint(t, ctx, e, "rule-1", time.Hour)
		long, _ := mint(t, ctx, e, "rule-2", 48*time.Hour)

		ok(t, storage.AddGrant(ctx, session, short, "Ana"))
		ok(t, storage.AddGrant(ctx, session, long, "Ana"))
		ok(t, storage.AddGrant(ctx, session, long, "Ana Lee")) // again: another name
		g, err := storage.GrantFor(ctx, session, e.Room.ID)
		want := storage.Grant{LinkID: long.ID, RuleID: "rule-2", Name: "Ana Lee", Recipient: "ana@example.com", ExpiresAt: long.ExpiresAt}
		if err != nil || g != want {
			t.Errorf("the grant\n got %+v, %v\nwant %+v", g, err, want)
		}
		if until, err := storage.SessionUntil(ctx, session); err != nil || !until.Equal(long.ExpiresAt) {
			t.Errorf("the session ends %v, %v; want %v", until, err, long.ExpiresAt)
		}
		for _, c := range []struct {
			session string
			link    storage.Link
			want    bool
		}{{session, short, true}, {session, long, true}, {"other", long, false}, {"", long, false}, {session, storage.Link{}, false}} {
			if got, err := storage.HasGrant(ctx, c.session, c.link); got != c.want || err != nil {
				t.Errorf("session %q has a grant by %q: %v, %v", c.session, c.link.ID, got, err)
			}
		}

		ok(t, storage.RevokeLink(ctx, d.ID, long.ID))
		if g, err := storage.GrantFor(ctx, session, e.Room.ID); err != nil || g.LinkID != short.ID {
			t.Errorf("after the revocation: %+v, %v", g, err)
		}
		// Who still holds the link as it was read is refused.
		if err := storage.AddGrant(ctx, session, long, "Ana"); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("a grant by a revoked link: %v", err)
		}
		late, _ := mint(t, ctx, e, "rule", 0)
		if err := storage.AddGrant(ctx, session, late, "Ana"); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("a grant by an expired link: %v", err)
		}
		if _, err := storage.GrantFor(ctx, session, "another-room"); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("another room: %v", err)
		}
		exec(t, ctx, "UPDATE sessions SET expires_at = ? WHERE id = ?", hub.Now(), session)
		if _, err := storage.GrantFor(ctx, session, e.Room.ID); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("a session that ended: %v", err)
		}
	})
}

func TestRules(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		d, e := enter(t, ctx)
		other, _ := enter(t, ctx)
		ana, err := storage.AddRule(ctx, storage.CCRule{DomainID: d.ID, Email: "ana@example.com", Label: "Support", AddedBy: "op@example.com"})
		ok(t, err)
		if _, err := storage.AddRule(ctx, storage.CCRule{DomainID: d.ID, Email: "ana@example.com"}); !errors.Is(err, storage.ErrRuleExists) { // row 69
			t.Errorf("the same recipient twice: %v", err)
		}
		ben, err := storage.AddRule(ctx, storage.CCRule{DomainID: d.ID, Email: "ben@example.com"})
		ok(t, err)
		if _, err := storage.AddRule(ctx, storage.CCRule{DomainID: other.ID, Email: "ana@example.com"}); err != nil {
			t.Errorf("in another domain: %v", err)
		}
		if all, err := storage.Rules(ctx, d.ID); len(all) != 2 || all[0] != ana || !all[1].Active || err != nil {
			t.Errorf("rules\n got %+v, %v\nwant %+v first", all, err, ana)
		}

		link, token, err := storage.MintRuleLink(ctx, storage.Link{DomainID: d.ID, RoomID: e.Room.ID, RuleID: ana.ID, ExpiresAt: hub.Now().Add(time.Hour)})
		ok(t, err)
		kept, _ := mint(t, ctx, e, ben.ID, time.Hour)
		if err := storage.SetRuleActive(ctx, other.ID, ana.ID, false); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("switched from another domain: %v", err)
		}
		ok(t, storage.SetRuleActive(ctx, d.ID, ana.ID, false))
		ok(t, storage.SetRuleActive(ctx, d.ID, ana.ID, false)) // changes nothing, is no error
		if got, err := storage.LinkByToken(ctx, token); err != nil || got.State() != storage.LinkRevoked {
			t.Errorf("the rule is off, its link %s is %v, %v", link.ID, got.State(), err)
		}
		if all, err := storage.LinksOf(ctx, d.ID, e.Room.ID); len(all) != 1 || all[0].ID != kept.ID || err != nil {
			t.Errorf("the other rule's link: %+v, %v", all, err)
		}
		if _, _, err := storage.MintRuleLink(ctx, storage.Link{DomainID: d.ID, RoomID: e.Room.ID, RuleID: ana.ID}); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("a link of a rule that is off: %v", err)
		}
		if all, err := storage.ActiveRules(ctx, d.ID); len(all) != 1 || all[0].ID != ben.ID || err != nil {
			t.Errorf("active rules: %+v, %v", all, err)
		}
		ok(t, storage.SetRuleActive(ctx, d.ID, ana.ID, true))
		if got, err := storage.RuleByID(ctx, d.ID, ana.ID); err != nil || !got.Active {
			t.Errorf("switched on: %+v, %v", got, err)
		}
		if got, err := storage.LinkByToken(ctx, token); err != nil || got.State() != storage.LinkRevoked {
			t.Errorf("a link came back to life: %v, %v", got.State(), err)
		}
		if _, err := storage.RuleByID(ctx, other.ID, ana.ID); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("from another domain: %v", err)
		}
		ok(t, storage.RemoveRule(ctx, d.ID, ben.ID))
		if err := storage.RemoveRule(ctx, d.ID, ben.ID); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("removed twice: %v", err)
		}
		if all, err := storage.LinksOf(ctx, d.ID, e.Room.ID); len(all) != 0 || err != nil {
			t.Errorf("links of removed rules: %+v, %v", all, err)
		}
	})
}
