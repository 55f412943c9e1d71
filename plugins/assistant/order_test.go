package assistant

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

func TestRoomsLetTheEarliestIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRooms()
		leave, err := r.enter(t.Context(), "a", 9)
		if err != nil {
			t.Fatal(err)
		}
		var order []int64 // written by one turn at a time
		for _, seq := range []int64{4, 2, 3, 2} {
			go func() {
				leave, err := r.enter(t.Context(), "a", seq)
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, seq)
				leave()
			}()
		}
		other, err := r.enter(t.Context(), "b", 1) // another room waits for nobody
		if err != nil {
			t.Fatal(err)
		}
		other()
		synctest.Wait()
		if !r.crowded("a") || r.crowded("b") || len(order) != 0 {
			t.Errorf("crowded: %v, %v; entered: %v", r.crowded("a"), r.crowded("b"), order)
		}
		leave()
		synctest.Wait()
		if !slices.Equal(order, []int64{2, 2, 3, 4}) {
			t.Errorf("entered in order %v", order)
		}
		if len(r.queue) != 0 {
			t.Errorf("rooms left behind: %v", r.queue)
		}
	})
}

func TestRoomsForgetWhoGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRooms()
		leave, _ := r.enter(t.Context(), "a", 1)
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() {
			_, err := r.enter(ctx, "a", 2)
			gone <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-gone; err == nil {
			t.Error("it entered")
		}
		if r.crowded("a") {
			t.Error("it still waits")
		}
		leave()
		if len(r.queue) != 0 {
			t.Errorf("rooms left behind: %v", r.queue)
		}
	})
}
