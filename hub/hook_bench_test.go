package hub_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// BenchmarkTenHooks is a message on its way into the log in memory, past as many
// EventAppending hooks that do nothing, each of a plugin of its own.
func BenchmarkTenHooks(b *testing.B) {
	for _, hooks := range []int{0, 1, 10} {
		b.Run(fmt.Sprintf("hooks=%d", hooks), func(b *testing.B) {
			var host *hub.Host
			plugins := []hub.Plugin{pluginFunc(func(h *hub.Host) { host = h })}
			for i := range hooks {
				plugins = append(plugins, appending(fmt.Sprint("noop-", i), func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
					return e, nil
				}))
			}
			k := hubtest.Start(b, hubtest.Options{}, plugins...)
			e, err := k.Memory.EnterVisitor(b.Context(), k.Domain, "", "")
			if err != nil {
				b.Fatal(err)
			}
			message := hub.Append{Room: e.Room.ID, Type: hub.EventMessage, Author: e.Visitor, Text: "Do you ship to Oslo?"}
			ctx := context.Background()
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if n%40 == 39 {
					// A plugin may not flood a room.
					b.StopTimer()
					if e, err = k.Memory.EnterVisitor(ctx, k.Domain, "", ""); err != nil {
						b.Fatal(err)
					}
					message.Room, message.Author = e.Room.ID, e.Visitor
					b.StartTimer()
				}
				if _, err := host.Append(ctx, message); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
