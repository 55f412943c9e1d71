//go:build unix

package server

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkRoomOfAThousand has one member speak, again once all others have
// heard it, and reports how long the slowest of a hundred waited, with and
// without a member that does not read. A stalled one is soon closed, so another
// takes its place.
func BenchmarkRoomOfAThousand(b *testing.B) {
	for _, stalled := range []bool{false, true} {
		b.Run(map[bool]string{false: "all reading", true: "one stalled"}[stalled], func(b *testing.B) {
			const others = 999
			c := gather(b, net.ListenConfig{Control: small(syscall.SO_SNDBUF)}, nil)
			members := make([]*rawClient, others)
			for i := range members {
				members[i] = c.join()
				members[i].SetDeadline(time.Time{})
			}
			got := make(chan time.Time, others)
			var reading sync.WaitGroup
			for _, m := range members {
				reading.Go(func() {
					if err := m.events(func(int) { got <- time.Now() }); err != nil {
						b.Error(err)
					}
				})
			}
			if stalled {
				c.stall()
			}
			text := strings.Repeat("x", 128)
			var waits []time.Duration
			for b.Loop() {
				sent := time.Now()
				members[0].send(textFrame(fmt.Sprintf(`{"type":"message","id":"c-%d","data":{"text":"%s"}}`, len(waits), text)))
				for range others {
					waits = append(waits, receive(b, got).Sub(sent))
				}
				select {
				case <-c.left:
					c.stall()
				default:
				}
			}
			slices.Sort(waits)
			b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(waits[len(waits)/2].Microseconds())/1000, "p50-ms")
			if err := c.hub.Drain(b.Context()); err != nil {
				b.Error(err)
			}
			reading.Wait()
		})
	}
}
