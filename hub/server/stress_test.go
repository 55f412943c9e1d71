package server

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// Broadcasters, closes, pings, slow readers and bad frames all at once: each
// client sees whole frames, each broadcaster's in order, then one close, then
// the end.
func TestStress(t *testing.T) {
	const broadcasters = 4
	clients, rounds := 150, 300
	if testing.Short() {
		clients, rounds = 40, 100
	}

	var mu sync.Mutex
	room := map[hub.Conn]bool{}
	r := newEdgeRig(t, edgeOptions(), func(c hub.Conn) {
		mu.Lock()
		room[c] = true
		mu.Unlock()
		echoAll(c)
		mu.Lock()
		delete(room, c)
		mu.Unlock()
	}, func(u *upgrader) {
		u.pulse.halt()
		u.pulse = newPulse(100*time.Millisecond, time.Minute)
		u.timing.grace = patience // whoever is too slow still gets its close
	})
	members := func() []hub.Conn {
		mu.Lock()
		defer mu.Unlock()
		all := make([]hub.Conn, 0, len(room))
		for c := range room {
			all = append(all, c)
		}
		return all
	}

	var reading, talking sync.WaitGroup
	for i := range clients {
		c := r.open()
		reading.Go(func() {
			if err := c.follow(broadcasters); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
		talking.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(i), 1))
			for range rounds / 10 {
				switch rnd.IntN(4) {
				case 0:
					c.send(pingOf("p"))
				case 1:
					c.send(clientFrame(opText, "echo "), clientFrame(bitFin, "me"))
				default:
					c.send(textFrame("echo " + strings.Repeat("e", rnd.IntN(2000))))
				}
			}
			switch rnd.IntN(4) { // the others are closed by the server
			case 0:
				c.send(closeOf(1000, ""))
			case 1:
				c.send(clientFrame(0x83, "bad"), []byte("junk"))
			}
		})
	}
	for b := range broadcasters {
		talking.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(b), 2))
			for n := range rounds {
				body := strings.Repeat("b", rnd.IntN(1000))
				packet := frameText(fmt.Appendf(nil, "cast %d %d %08x %s", b, n, crc32.ChecksumIEEE([]byte(body)), body))
				for _, c := range members() {
					_ = c.Send(packet)
					if rnd.IntN(4000) == 0 {
						c.Close(hub.CloseRestart, "stress")
					}
				}
			}
		})
	}
	talking.Wait()
	for _, c := range members() {
		c.Close(hub.CloseGoingAway, "")
	}
	reading.Wait()
}

// follow reads to the end and says what was wrong on the way.
func (c *rawClient) follow(broadcasters int) error {
	defer c.Close()
	last := make([]int, broadcasters)
	for {
		f, err := c.serverFrame()
		if err != nil {
			return fmt.Errorf("before a close: %w", err)
		}
		kind, text, _ := strings.Cut(f, ":")
		switch {
		case kind == "close":
			c.send(closeOf(1000, ""))
			if f, err := c.serverFrame(); err == nil {
				return fmt.Errorf("%.40q after the close", f)
			} else if err.Error() != "EOF" {
				return fmt.Errorf("after the close: %w", err)
			}
			return nil
		case kind == "text" && strings.HasPrefix(text, "cast "):
			var b, n int
			var sum uint32
			fmt.Sscanf(text, "cast %d %d %x", &b, &n, &sum)
			body := text[strings.LastIndexByte(text, ' ')+1:]
			if n < last[b] || crc32.ChecksumIEEE([]byte(body)) != sum {
				return fmt.Errorf("torn or out of order: %.60q", text)
			}
			last[b] = n
		case kind == "text" && !strings.HasPrefix(text, "echo "), kind == "pong" && text != "p", kind == "ping" && text != "":
			return fmt.Errorf("unexpected %.60q", f)
		}
	}
}
