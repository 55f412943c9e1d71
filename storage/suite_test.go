package storage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

func TestStore(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		hubtest.TestStore(t, func(t *testing.T) (hub.Store, hubtest.Fixture) {
			return storage.From(ctx), &fixture{t: t, ctx: ctx}
		})
	})
}

// fixture arranges the suite's state in a database.
type fixture struct {
	t     *testing.T
	ctx   context.Context
	count int
}

func (f *fixture) next(what string) string {
	f.count++
	return fmt.Sprint(what, f.count)
}

func (f *fixture) AddDomain(d hub.Domain) hub.Domain {
	row, err := storage.AddDomain(f.ctx, storage.Domain{Key: d.Key, Name: d.Name, AI: d.AI}, d.Origins...)
	ok(f.t, err)
	d.ID, d.Key = row.ID, row.Key
	return d
}

func (f *fixture) SignIn(name string, domains ...string) hub.Identity {
	who, _ := signedIn(f.t, f.ctx, f.next("admin")+"@example.com", domains...)
	ok(f.t, storage.RenameAdmin(f.ctx, who.ID, name))
	who.Name = name
	return who
}

func (f *fixture) EndSession(session string) { ok(f.t, storage.SignOut(f.ctx, session)) }

func (f *fixture) Grant(room hub.Room, name string) (hub.Identity, string) {
	session, _, err := storage.StartSession(f.ctx)
	ok(f.t, err)
	l, _, err := storage.MintLink(f.ctx, storage.Link{
		DomainID: room.Domain, RoomID: room.ID, RuleID: storage.NewID(), Recipient: "ana@example.com", ExpiresAt: hub.Now().Add(time.Hour),
	})
	ok(f.t, err)
	ok(f.t, storage.AddGrant(f.ctx, session, l, name))
	return hub.Identity{Kind: hub.Admin, Session: session}, l.ID
}

func (f *fixture) RevokeLink(link string) {
	exec(f.t, f.ctx, "UPDATE links SET revoked_at = ? WHERE id = ?", hub.Now(), link)
}

func (f *fixture) ExpireLink(link string) {
	exec(f.t, f.ctx, "UPDATE links SET expires_at = ? WHERE id = ?", hub.Now(), link)
}

func (f *fixture) CloseRoom(room string) {
	exec(f.t, f.ctx, "UPDATE rooms SET is_open = NULL WHERE id = ?", room)
}

func (f *fixture) AgeVisitor(visitor string, left time.Duration) {
	exec(f.t, f.ctx, "UPDATE visitors SET expires_at = ? WHERE id = ?", hub.Now().Add(left).Truncate(time.Millisecond), visitor)
}

func (f *fixture) VisitorUntil(visitor string) time.Time {
	var row struct{ ExpiresAt time.Time }
	ok(f.t, storage.Read(f.ctx).Table("visitors").Where("id = ?", visitor).Take(&row).Error)
	return row.ExpiresAt
}

func (f *fixture) Jobs() []hub.Job {
	var rows []struct {
		Kind, JobKey, Payload string
		RunAt                 time.Time
		Priority              int
	}
	ok(f.t, storage.Read(f.ctx).Table("jobs").Find(&rows).Error)
	jobs := make([]hub.Job, len(rows))
	for i, r := range rows {
		jobs[i] = hub.Job{Kind: r.Kind, Key: r.JobKey, Payload: json.RawMessage(r.Payload), RunAt: r.RunAt, Priority: r.Priority}
	}
	return jobs
}
