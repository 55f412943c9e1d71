package takeover_test

import (
	"context"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/plugins/takeover"
	"github.com/bellhub/bellhub/storage"
)

// guest makes a session that came by a link of a CC rule of the domain.
func guest(t *testing.T, ctx context.Context, d hub.Domain, room, name string) (hub.Identity, storage.Link) {
	t.Helper()
	rule, err := storage.AddRule(ctx, storage.CCRule{DomainID: d.ID, Email: "cici@shop.example"})
	if err != nil {
		t.Fatal(err)
	}
	link, _, err := storage.MintLink(ctx, storage.Link{DomainID: d.ID, RoomID: room, RuleID: rule.ID, Recipient: rule.Email, ExpiresAt: hub.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := storage.StartSession(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := storage.AddGrant(ctx, session, link, name); err != nil {
		t.Fatal(err)
	}
	return hub.Identity{Kind: hub.Admin, Session: session}, link
}

func TestAHolderWhoIsShutOutLetsGo(t *testing.T) {
	for name, withdraw := range map[string]func(ctx context.Context, l storage.Link) error{
		"the rule is switched off": func(ctx context.Context, l storage.Link) error {
			return storage.SetRuleActive(ctx, l.DomainID, l.RuleID, false)
		},
		"the rule is removed": func(ctx context.Context, l storage.Link) error { return storage.RemoveRule(ctx, l.DomainID, l.RuleID) },
		"the link is revoked": func(ctx context.Context, l storage.Link) error { return storage.RevokeLink(ctx, l.DomainID, l.ID) },
	} {
		for _, aiOn := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				k := hubtest.Start(t, hubtest.Options{Database: hubtest.SQLite}, takeover.New(), &responder{on: aiOn})
				visitor := k.Visitor(t)
				who, link := guest(t, k.Ctx, k.Domain, visitor.Room, "Cici")
				admin := k.Admin(t, who, visitor.Room)
				admin.Send("takeover", "t", nil)
				admin.Want("ack")
				visitor.WantEvent(hub.EventTakeover)

				if err := withdraw(k.Ctx, link); err != nil {
					t.Fatal(err)
				}
				if aiOn {
					if e := visitor.WantEvent(hub.EventHandback); e.Get("author.name") != "Cici" {
						t.Errorf("the visitor sees %s", e.Data)
					}
				} else if e := visitor.WantEvent(hub.EventTakeover); e.Get("author.kind") != "system" {
					t.Errorf("the visitor sees %s", e.Data)
				}
				if room, err := storage.From(k.Ctx).Room(k.Ctx, visitor.Room); err != nil || room.Holder.ID != "" {
					t.Errorf("the room: %+v, %v", room, err)
				}
			})
		}
	}
}
