package storage_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// BenchmarkAppend is the cost of a message in the log, with so many senders who
// each wait for their acknowledgement.
func BenchmarkAppend(b *testing.B) {
	for _, db := range backends {
		for _, senders := range []int{1, 200} {
			b.Run(fmt.Sprintf("%s/senders=%d", db.name, senders), func(b *testing.B) {
				s := open(b, db.address(b))
				if err := s.Migrate(b.Context()); err != nil {
					b.Fatal(err)
				}
				ctx := storage.With(b.Context(), s)
				d, err := storage.AddDomain(ctx, storage.Domain{Name: "Shop"})
				if err != nil {
					b.Fatal(err)
				}
				entries := make([]hub.Entry, senders)
				for i := range entries {
					if entries[i], err = s.EnterVisitor(ctx, hub.Domain{ID: d.ID}, "", ""); err != nil {
						b.Fatal(err)
					}
				}
				b.ResetTimer()
				var all sync.WaitGroup
				for i, e := range entries {
					all.Go(func() {
						for n := i; n < b.N; n += senders {
							if _, err := s.Append(ctx, message(e, fmt.Sprint(n), "Do you ship to Oslo?")); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				all.Wait()
			})
		}
	}
}
