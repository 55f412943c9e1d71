package storage_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// A plugin's routes ask for a domain on behalf of whoever the request's context
// carries.
func TestDomainForWhoeverAsks(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		a, _ := enter(t, ctx)
		b, _ := enter(t, ctx)
		ana, _ := signedIn(t, ctx, "ana@example.com", a.ID)
		op, _ := signedIn(t, ctx, "op@example.com")
		for _, tt := range []struct {
			name   string
			who    hub.Identity
			domain string
			may    bool
		}{
			{"a member", ana, a.ID, true},
			{"a member, elsewhere", ana, b.ID, false},
			{"an operator", op, b.ID, true},
			{"an operator, of nothing", op, storage.NewID(), false},
			{"nobody", hub.Identity{}, a.ID, false},
			{"a visitor of it", hub.Identity{Kind: hub.Visitor, ID: ana.ID, Domain: a.ID}, a.ID, false},
			{"a link's holder", hub.Identity{Kind: hub.Admin, Session: ana.Session}, a.ID, false},
		} {
			d, err := storage.DomainFor(hub.WithIdentity(ctx, tt.who), tt.domain)
			if tt.may && (err != nil || d.ID != tt.domain) || !tt.may && (!errors.Is(err, hub.ErrNotFound) || d.ID != "") {
				t.Errorf("%s: %+v, %v", tt.name, d, err)
			}
		}
	})
}

func TestMembers(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		a, _ := enter(t, ctx)
		b, _ := enter(t, ctx)
		ana, _ := signedIn(t, ctx, "ana@example.com", a.ID)
		op, _ := signedIn(t, ctx, "op@example.com")

		if got, err := storage.DomainsOf(ctx, ana); len(got) != 1 || got[0].ID != a.ID || err != nil {
			t.Errorf("a member sees %+v, %v", got, err)
		}
		if got, err := storage.DomainsOf(ctx, op); len(got) != 2 || err != nil {
			t.Errorf("an operator sees %d domains, %v", len(got), err)
		}
		if got, err := storage.DomainsOf(ctx, hub.Identity{}); len(got) != 0 || err != nil {
			t.Errorf("nobody sees %+v, %v", got, err)
		}
		if err := storage.MayAdmin(ctx, ana, a.ID); err != nil {
			t.Error(err)
		}
		if err := storage.MayAdmin(ctx, ana, b.ID); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("a member, elsewhere: %v", err)
		}

		// More domains come on top, nothing is taken away, nobody is promoted.
		again, err := storage.EnsureAdmin(ctx, "ana@example.com", b.ID, a.ID)
		ok(t, err)
		if again.ID != ana.ID || again.Operator {
			t.Errorf("found again: %+v", again)
		}
		if again, err = storage.EnsureAdmin(ctx, "ana@example.com"); err != nil || again.Operator {
			t.Errorf("a member asked for without domains: %+v, %v", again, err)
		}
		if got, err := storage.DomainsOf(ctx, ana); len(got) != 2 || err != nil {
			t.Errorf("then a member sees %d domains, %v", len(got), err)
		}
	})
}

func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		a, err := storage.EnsureAdmin(ctx, "ana@example.com")
		ok(t, err)
		token, err := storage.NewSignIn(ctx, a.ID)
		ok(t, err)
		for range 2 { // looking uses nothing up: mail scanners look
			if got, err := storage.PeekSignIn(ctx, token); err != nil || got.ID != a.ID || got.Email != "ana@example.com" {
				t.Errorf("peek: %+v, %v", got, err)
			}
		}
		var in atomic.Int32
		done := make(chan error)
		for range 4 {
			go func() {
				_, _, err := storage.SignIn(ctx, token, "")
				if err == nil {
					in.Add(1)
				}
				done <- err
			}()
		}
		for range 4 {
			if err := <-done; err != nil && !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("signing in: %v", err)
			}
		}
		if n := in.Load(); n != 1 {
			t.Errorf("one token signed in %d times", n)
		}
		if _, err := storage.PeekSignIn(ctx, token); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("a used token: %v", err)
		}

		late, err := storage.NewSignIn(ctx, a.ID)
		ok(t, err)
		exec(t, ctx, "UPDATE sign_ins SET expires_at = ? WHERE used_at IS NULL", hub.Now())
		if _, _, err := storage.SignIn(ctx, late, ""); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("a late token: %v", err)
		}
		if _, _, err := storage.SignIn(ctx, "unknown", ""); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("an unknown token: %v", err)
		}
	})
}

func TestSessionExpiry(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		s := storage.From(ctx)
		d, e := enter(t, ctx)
		for _, c := range []struct {
			name, set string
			at        time.Time
			who       bool // the session still stands for somebody
		}{
			{"idle", "admin_active_at", hub.Now().Add(-storage.AdminIdle), true},
			{"absolute", "admin_until", hub.Now(), true},
			{"gone", "expires_at", hub.Now(), false},
		} {
			who, cookie := signedIn(t, ctx, c.name+"@example.com", d.ID)
			if !who.SignedIn() || who.Session == "" || who.Email != c.name+"@example.com" {
				t.Fatalf("signed in: %+v", who)
			}
			exec(t, ctx, "UPDATE sessions SET "+c.set+" = ? WHERE id = ?", c.at, who.Session)
			// What was idle too long is not woken by a touch, nor by being asked for.
			ok(t, s.Touch(ctx, who.Session))
			got, err := storage.IdentityByToken(ctx, cookie)
			ok(t, err)
			if got.SignedIn() || (got.Session != "") != c.who {
				t.Errorf("%s: the cookie still stands for %+v", c.name, got)
			}
			if err := s.MayWatch(ctx, who, d.ID); !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("%s: may watch: %v", c.name, err)
			}
			if _, _, err := s.EnterAdmin(ctx, who, e.Room.ID); !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("%s: enters: %v", c.name, err)
			}
		}

		who, cookie := signedIn(t, ctx, "busy@example.com", d.ID)
		exec(t, ctx, "UPDATE sessions SET admin_active_at = ? WHERE id = ?", hub.Now().Add(-storage.AdminIdle+time.Minute), who.Session)
		if got, err := storage.IdentityByToken(ctx, cookie); err != nil || !got.SignedIn() {
			t.Fatalf("in its last idle minute: %+v, %v", got, err)
		}
		var row struct{ AdminActiveAt time.Time }
		ok(t, storage.Read(ctx).Table("sessions").Where("id = ?", who.Session).Take(&row).Error)
		if time.Since(row.AdminActiveAt).Abs() > time.Minute {
			t.Errorf("use left the idle time at %v", row.AdminActiveAt)
		}
		if got, err := storage.IdentityByToken(ctx, ""); err != nil || got != (hub.Identity{}) {
			t.Errorf("no cookie: %+v, %v", got, err)
		}
		if got, err := storage.IdentityByToken(ctx, "unknown"); err != nil || got != (hub.Identity{}) {
			t.Errorf("an unknown cookie: %+v, %v", got, err)
		}
		ok(t, storage.SignOut(ctx, who.Session))
		if got, err := storage.IdentityByToken(ctx, cookie); err != nil || got != (hub.Identity{}) {
			t.Errorf("signed out: %+v, %v", got, err)
		}
	})
}

// Signing in makes a new session, so that a cookie planted before is worth
// nothing, and takes over what the old one was granted for as long as it lasts.
func TestSignInTakesGrantsOver(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		_, e := enter(t, ctx)
		old, oldCookie, err := storage.StartSession(ctx)
		ok(t, err)
		l, _, err := storage.MintLink(ctx, storage.Link{DomainID: e.Room.Domain, RoomID: e.Room.ID, RuleID: "r", ExpiresAt: hub.Now().Add(72 * time.Hour)})
		ok(t, err)
		ok(t, storage.AddGrant(ctx, old, l, "Ana"))

		a, err := storage.EnsureAdmin(ctx, "ana@example.com", "another-domain")
		ok(t, err)
		token, err := storage.NewSignIn(ctx, a.ID)
		ok(t, err)
		cookie, _, err := storage.SignIn(ctx, token, old)
		ok(t, err)
		if got, err := storage.IdentityByToken(ctx, oldCookie); err != nil || got != (hub.Identity{}) {
			t.Errorf("the old cookie: %+v, %v", got, err)
		}
		who, err := storage.IdentityByToken(ctx, cookie)
		ok(t, err)
		if g, err := storage.GrantFor(ctx, who.Session, e.Room.ID); err != nil || g.Name != "Ana" || g.LinkID != l.ID {
			t.Errorf("the grant: %+v, %v", g, err)
		}
		if until, err := storage.SessionUntil(ctx, who.Session); err != nil || until.Before(l.ExpiresAt) {
			t.Errorf("the session ends %v, before the link, %v; %v", until, l.ExpiresAt, err)
		}
	})
}
