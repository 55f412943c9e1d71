package webhooks

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/storage"
)

// So many deliveries at once to an endpoint that answers each after a time: who
// finds a place, and how long that holds the others up.
func TestPlaces(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer time.Duration
		found  int
		took   time.Duration // until the last has found a place, or gave up
	}{
		{"a burst to a fast endpoint", 10 * time.Millisecond, concurrency, 30 * time.Millisecond},
		{"one that takes its time", 300 * time.Millisecond, concurrency, 900 * time.Millisecond},
		{"one that takes too long", 14 * time.Second, inFlight, placeWait},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlaces()
				began := time.Now()
				var found, inside atomic.Int64
				var decided, all sync.WaitGroup
				for range concurrency {
					decided.Add(1)
					all.Go(func() {
						leave, ok := p.take(t.Context(), "a")
						decided.Done()
						if !ok {
							return
						}
						found.Add(1)
						if n := inside.Add(1); n > inFlight {
							t.Errorf("%d are under way at once", n)
						}
						time.Sleep(tt.answer) // the bubble's time
						inside.Add(-1)
						leave()
					})
				}
				decided.Wait()
				if took := time.Since(began); took != tt.took || int(found.Load()) != tt.found {
					t.Errorf("%d found a place within %s, want %d within %s", found.Load(), took, tt.found, tt.took)
				}
				if leave, ok := p.take(t.Context(), "b"); !ok || time.Since(began) != tt.took {
					t.Error("another endpoint's delivery had to wait")
				} else {
					leave()
				}
				all.Wait()
				if len(p.all) != 0 {
					t.Errorf("%d endpoints are remembered", len(p.all))
				}
			})
		})
	}
}

// Before an endpoint that is known to be slow nobody waits, until it has answered
// in time.
func TestNobodyWaitsForASlowEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlaces()
		var leave []func()
		for range inFlight {
			l, _ := p.take(t.Context(), "a")
			leave = append(leave, l)
		}
		for _, want := range []time.Duration{placeWait, 0, 0} {
			began := time.Now()
			if _, ok := p.take(t.Context(), "a"); ok || time.Since(began) != want {
				t.Errorf("a place: %t, after %s, want none after %s", ok, time.Since(began), want)
			}
		}
		leave[0]()
		quick, ok := p.take(t.Context(), "a")
		if !ok {
			t.Fatal("no place, although one was left")
		}
		quick()
		leave[0], _ = p.take(t.Context(), "a")
		time.AfterFunc(placeWait/2, leave[0])
		last, ok := p.take(t.Context(), "a")
		if !ok {
			t.Error("nobody waited, although it has got faster")
		}
		stopped, cancel := context.WithCancel(t.Context())
		cancel()
		if _, ok := p.take(stopped, "a"); ok {
			t.Error("a place for a delivery whose time is over")
		}
		for _, l := range append(leave[1:], last) {
			l()
		}
	})
}

// The last attempt at a delivery is made at an endpoint, not at the door: where
// there is no place for it, the delivery goes on.
func TestALastAttemptThatFindsNoPlace(t *testing.T) {
	p := New()
	ctx, store := hubtest.SQLite(t, p.Migrations()...)
	seen := hubtest.NewObserver()
	k := hubtest.Start(t, hubtest.Options{Ctx: ctx, Store: store, Observer: seen}, p)
	d, err := storage.AddDomain(ctx, storage.Domain{Key: "shop", Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := addEndpoint(ctx, endpoint{DomainID: d.ID, URL: "https://shop.example/", Events: "notice"})
	if err != nil {
		t.Fatal(err)
	}
	v := k.Visitor(t, "shop")
	v.Send("message", "c-1", map[string]any{"text": "hello"})
	v.Want("ack")
	for range inFlight {
		leave, _ := p.places.take(ctx, e.ID)
		defer leave()
	}
	task := storage.Task{
		Key: storage.NewID(), Room: v.Room, Seq: 1, Attempt: len(storage.Schedule) + 1, Last: true,
		Payload: hub.MarshalData(order{Domain: d.ID, Endpoint: e.ID}),
	}
	if err := p.deliver(ctx, task); err != nil {
		t.Fatal(err)
	}
	seen.Want(t, "counter webhooks deliveries busy", 2) // that one, and the first of the next job
	one, err := deliveryIn(ctx, d.ID, task.Key)
	if err != nil || one.State != deliveryWaiting || one.Outcome != outcomeBusy || one.Attempts != 0 || one.Replays != 1 {
		t.Errorf("%+v, %v", one, err)
	}
	if e, err = endpointIn(ctx, d.ID, e.ID); err != nil || e.Failures != 0 {
		t.Errorf("it counts as a failure of the endpoint: %+v, %v", e, err)
	}
}
