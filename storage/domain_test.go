package storage_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

func TestDomains(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		d, err := storage.AddDomain(ctx, storage.Domain{Key: "kopi", Name: "Kopi Tugu 😀", TimeZone: "Asia/Jakarta", AI: true},
			"b.example", "a.example:8443", "b.example")
		ok(t, err)
		if got := d.Hosts(); !slices.Equal(got, []string{"a.example:8443", "b.example"}) {
			t.Errorf("origins %q", got)
		}
		if d.Location().String() != "Asia/Jakarta" || (storage.Domain{TimeZone: "Nowhere/X"}).Location() != time.UTC {
			t.Errorf("location %s", d.Location())
		}
		if time.Since(d.CreatedAt).Abs() > time.Minute || d.CreatedAt.Location() != time.UTC {
			t.Errorf("created at %v", d.CreatedAt)
		}
		if _, err := storage.AddDomain(ctx, storage.Domain{Key: "kopi", Name: "Other"}); !errors.Is(err, storage.ErrKeyTaken) {
			t.Errorf("a taken key: %v", err)
		}
		random, err := storage.AddDomain(ctx, storage.Domain{Name: "No key"})
		ok(t, err)
		if len(random.Key) < 8 || random.TimeZone != "UTC" || random.AI || len(random.Origins) != 0 {
			t.Errorf("defaults: %+v", random)
		}

		// The cache of this process forgets at once.
		if got, err := storage.Origins(ctx); err != nil || !slices.Equal(got, []string{"a.example:8443", "b.example"}) {
			t.Errorf("all origins %q, %v", got, err)
		}
		ok(t, storage.UpdateDomain(ctx, storage.Domain{ID: random.ID, Name: "Renamed", TimeZone: "UTC", AI: true}, []string{"a.example:8443", "c.example"}))
		got, err := storage.DomainByID(ctx, random.ID)
		ok(t, err)
		if got.Name != "Renamed" || !got.AI || got.Key != random.Key || len(got.Origins) != 2 {
			t.Errorf("updated: %+v", got)
		}
		if got, err := storage.Origins(ctx); err != nil || len(got) != 3 {
			t.Errorf("all origins after the update %q, %v", got, err)
		}
		// Saving what is there already changes no row, and is no error.
		ok(t, storage.UpdateDomain(ctx, got, got.Hosts()))
		if err := storage.UpdateDomain(ctx, storage.Domain{ID: "none"}, nil); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("an unknown domain: %v", err)
		}
		if _, err := storage.DomainByID(ctx, "none"); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("an unknown id: %v", err)
		}
		if n, err := storage.CountDomains(ctx); n != 2 || err != nil {
			t.Errorf("%d domains, %v", n, err)
		}
	})
}

// A domain that another process adds works at once; one that it changes, soon.
func TestDomainCacheKeepsNoMisses(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		s := storage.From(ctx)
		if _, err := s.DomainByKey(ctx, "late"); !errors.Is(err, hub.ErrNotFound) {
			t.Fatalf("before: %v", err)
		}
		exec(t, ctx, "INSERT INTO domains (id, widget_key, name, time_zone, ai, created_at) VALUES (?, 'late', 'Late', 'UTC', ?, ?)",
			storage.NewID(), true, hub.Now())
		if d, err := s.DomainByKey(ctx, "late"); err != nil || !d.AI {
			t.Errorf("after: %+v, %v", d, err)
		}
	})
}

func TestSettings(t *testing.T) {
	type settings struct {
		Greeting string
		Hours    []int
		On       bool
	}
	each(t, func(t *testing.T, ctx context.Context) {
		d, _ := enter(t, ctx)
		defaults := settings{Greeting: "Hello", On: true}
		if got, err := storage.Settings(ctx, d.ID, "example", defaults); err != nil || got.Greeting != "Hello" || !got.On {
			t.Errorf("defaults: %+v, %v", got, err)
		}
		for _, greeting := range []string{"Halo 😀", "Halo 😀", "Hej"} {
			ok(t, storage.SaveSettings(ctx, d.ID, "example", settings{Greeting: greeting, Hours: []int{9, 17}}))
			if got, err := storage.Settings(ctx, d.ID, "example", defaults); err != nil || got.Greeting != greeting || got.On || len(got.Hours) != 2 {
				t.Errorf("stored: %+v, %v", got, err)
			}
		}
		if got, err := storage.Settings(ctx, "another", "example", defaults); err != nil || got.Greeting != "Hello" {
			t.Errorf("another domain's: %+v, %v", got, err)
		}
		// What was never stored keeps its default, also beside what was.
		exec(t, ctx, "UPDATE settings SET value = ? WHERE domain_id = ?", `{"Greeting":"Hi"}`, d.ID)
		if got, err := storage.Settings(ctx, d.ID, "example", defaults); err != nil || got.Greeting != "Hi" || !got.On {
			t.Errorf("partly stored: %+v, %v", got, err)
		}
		for what, value := range map[string]string{"broken": `{`, "of another version": `{"Greeting":"Hi","Volume":11}`} {
			exec(t, ctx, "UPDATE settings SET value = ? WHERE domain_id = ?", value, d.ID)
			if _, err := storage.Settings(ctx, d.ID, "example", defaults); err == nil || !strings.Contains(err.Error(), "example") {
				t.Errorf("settings %s: %v", what, err)
			}
		}
	})
}

// Changes that come at the same moment are all kept, the very first among them.
func TestUpdateSettings(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		d, _ := enter(t, ctx)
		const owners = 8
		var all sync.WaitGroup
		for range owners {
			all.Go(func() {
				if err := storage.UpdateSettings(ctx, d.ID, "counter", 100, func(n *int) error { *n++; return nil }); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n, err := storage.Settings(ctx, d.ID, "counter", 100); n != 100+owners || err != nil {
			t.Errorf("%d after %d changes, %v", n, owners, err)
		}
		no := errors.New("no")
		if err := storage.UpdateSettings(ctx, d.ID, "counter", 100, func(n *int) error { *n = 0; return no }); !errors.Is(err, no) {
			t.Errorf("a change that thinks better of it: %v", err)
		}
		if n, err := storage.Settings(ctx, d.ID, "counter", 100); n != 100+owners || err != nil {
			t.Errorf("%d after no change, %v", n, err)
		}
		nowhere := func(n *int) error { t.Errorf("asked about %d of no domain", *n); return nil }
		if err := storage.UpdateSettings(ctx, "nothing", "counter", 100, nowhere); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("of no domain: %v", err)
		}
	})
}

func TestKnowledge(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		d, _ := enter(t, ctx)
		if n, newest, err := storage.KnowledgeStamp(ctx, d.ID); n != 0 || !newest.IsZero() || err != nil {
			t.Errorf("an empty stamp: %d, %v, %v", n, newest, err)
		}
		ok(t, storage.AddKnowledge(ctx, d.ID, storage.Knowledge{Title: "Shipping", Text: strings.Repeat("long ", 20000)}, storage.Knowledge{Title: "Hours 😀"}))
		all, err := storage.KnowledgeOf(ctx, d.ID)
		ok(t, err)
		if len(all) != 2 || all[0].Title != "Shipping" || len(all[0].Text) != 100000 || all[1].Title != "Hours 😀" {
			t.Errorf("knowledge: %d texts", len(all))
		}
		n, newest, err := storage.KnowledgeStamp(ctx, d.ID)
		if n != 2 || !newest.Equal(all[1].UpdatedAt) || err != nil {
			t.Errorf("the stamp: %d, %v, %v", n, newest, err)
		}
		if all, err := storage.KnowledgeOf(ctx, "another"); len(all) != 0 || err != nil {
			t.Errorf("another domain's: %d, %v", len(all), err)
		}
	})
}

func TestRooms(t *testing.T) {
	each(t, func(t *testing.T, ctx context.Context) {
		s := storage.From(ctx)
		d, silent := enter(t, ctx)
		var rooms []hub.Room
		for i := range 3 {
			e, err := s.EnterVisitor(ctx, hub.Domain{ID: d.ID, AI: true}, "", "")
			ok(t, err)
			a := hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "hello"}
			if i == 1 {
				a.Type, a.Data = hub.EventEscalation, hub.MarshalData(hub.Progress{Escalation: "e", State: hub.StateQueued})
			}
			_, err = s.Append(ctx, a)
			ok(t, err)
			exec(t, ctx, "UPDATE rooms SET last_at = ? WHERE id = ?", hub.Now().Add(time.Duration(i)*time.Minute), e.Room.ID)
			rooms = append(rooms, must(s.Room(ctx, e.Room.ID)))
		}
		ids := func(f storage.RoomFilter) (out []string) {
			all, err := storage.Rooms(ctx, d.ID, f)
			ok(t, err)
			for _, r := range all {
				out = append(out, r.ID)
			}
			return out
		}
		if got := ids(storage.RoomFilter{Limit: 10}); !slices.Equal(got, []string{rooms[2].ID, rooms[1].ID, rooms[0].ID}) {
			t.Errorf("all rooms: %v; the silent one is %s", got, silent.Room.ID)
		}
		if got := ids(storage.RoomFilter{Limit: 10, Escalated: true}); !slices.Equal(got, []string{rooms[1].ID}) {
			t.Errorf("escalated: %v", got)
		}
		last := storage.Cursor{At: rooms[2].Last.At.In(time.FixedZone("Jakarta", 7*3600)), ID: rooms[2].ID} // the same moment, written otherwise
		if got := ids(storage.RoomFilter{Limit: 1, After: last}); !slices.Equal(got, []string{rooms[1].ID}) {
			t.Errorf("the next page: %v", got)
		}
		// Conversations of one millisecond are all found, page by page.
		exec(t, ctx, "UPDATE rooms SET last_at = ? WHERE last_at IS NOT NULL", rooms[2].Last.At)
		var paged []string
		for next := (storage.Cursor{}); ; {
			page := must(storage.Rooms(ctx, d.ID, storage.RoomFilter{Limit: 1, After: next}))
			if len(page) == 0 {
				break
			}
			paged = append(paged, page[0].ID)
			next = must(storage.ParseCursor(storage.Cursor{At: page[0].Last.At, ID: page[0].ID}.String()))
		}
		if len(paged) != 3 || paged[0] == paged[1] || paged[1] == paged[2] {
			t.Errorf("pages: %v", paged)
		}
		if n, err := storage.CountWaiting(ctx, d.ID); n != 1 || err != nil {
			t.Errorf("%d wait, %v", n, err)
		}
		if !storage.Waiting(hub.StateQueued) || storage.Waiting(hub.StateJoined) || storage.Waiting("") {
			t.Error("who waits")
		}
		if _, err := storage.RoomIn(ctx, d.ID, rooms[0].ID); err != nil {
			t.Error(err)
		}
		if _, err := storage.RoomIn(ctx, "another", rooms[0].ID); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("another domain's room: %v", err)
		}
	})
}

func TestRefs(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		ref := storage.NewRef()
		if len(ref) != 9 || ref[4] != '-' || strings.Trim(ref, "0123456789ABCDEFGHJKMNPQRSTVWXYZ-") != "" || seen[ref] {
			t.Fatalf("reference %q", ref)
		}
		seen[ref] = true
	}
}
