package server

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// Who is slow to say what it wants is let go 5 s after it connected, however it
// spreads its bytes.
func TestSlowHandshakes(t *testing.T) {
	s := serve(t, nil)
	request := strings.ReplaceAll(upgrade+"\nConnection: Upgrade\n\n", "\n", "\r\n")
	var all sync.WaitGroup
	for name, c := range map[string]struct {
		at    string        // sent at once
		drops string        // sent a byte at a time
		every time.Duration // so often
	}{
		"nothing at all":          {"", "", 0},
		"half a request line":     {request[:6], "", 0},
		"all but the last line":   {request[:len(request)-2], "", 0},
		"a header without end":    {request[:len(request)-2], "X: " + strings.Repeat("x", 4000), 20 * time.Millisecond},
		"a byte each half second": {request[:len(request)-2], "X: y and so on, for very long", 500 * time.Millisecond},
	} {
		all.Go(func() {
			nc, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer nc.Close()
			began := time.Now()
			_ = nc.SetDeadline(began.Add(patience))
			over := make(chan struct{})
			all.Go(func() {
				_, _ = io.WriteString(nc, c.at)
				for i := range len(c.drops) {
					select {
					case <-over:
						return
					case <-time.After(c.every):
						_, _ = io.WriteString(nc, c.drops[i:i+1])
					}
				}
			})
			answer, err := io.ReadAll(nc)
			close(over)
			if errors.Is(err, os.ErrDeadlineExceeded) || strings.HasPrefix(string(answer), "HTTP/1.1 101") {
				t.Errorf("%s: still there after %s: %.60q %v", name, time.Since(began), answer, err)
			}
		})
	}
	all.Wait()
}
