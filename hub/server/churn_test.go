//go:build unix

package server

import (
	"context"
	"os"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// churning are the ways in which clients come and go.
var churning = []struct {
	name string
	goes func(c *crowd, reset bool)
}{
	{"orderly", func(c *crowd, _ bool) {
		m := c.open()
		m.enter(`"domain":"shop"`)
		m.send(closeOf(1000, ""))
		m.expect("close:1000")
		m.expectEnd()
	}},
	{"after the welcome", func(c *crowd, reset bool) {
		m := c.open()
		m.enter(`"domain":"shop"`)
		m.leave(reset)
	}},
	{"saying nothing", func(c *crowd, reset bool) { c.connect().leave(reset) }},
	{"in the middle of the handshake", func(c *crowd, reset bool) {
		m := c.connect()
		m.send([]byte(handshakeText())[:100])
		m.leave(reset)
	}},
	{"without waiting for the handshake's answer", func(c *crowd, reset bool) {
		m := c.connect()
		m.send([]byte(handshakeText()))
		m.leave(reset)
	}},
	{"before hello", func(c *crowd, reset bool) { c.open().leave(reset) }},
	{"in the middle of hello", func(c *crowd, reset bool) {
		c.open(textFrame(`{"type":"hello","data":{"domain":"shop"}}`)[:20]).leave(reset)
	}},
	{"without waiting for the welcome", func(c *crowd, reset bool) {
		c.open(textFrame(`{"type":"hello","data":{"domain":"shop"}}`)).leave(reset)
	}},
	{"in the middle of a message", func(c *crowd, reset bool) {
		m := c.open()
		m.enter(`"domain":"shop"`)
		m.send(textFrame(`{"type":"message","id":"c-1","data":{"text":"half of it"}}`)[:40])
		m.leave(reset)
	}},
	{"between fragments", func(c *crowd, reset bool) {
		m := c.open()
		m.enter(`"domain":"shop"`)
		m.send(clientFrame(opText, `{"type":"message",`))
		m.leave(reset)
	}},
	{"without waiting for the acknowledgement", func(c *crowd, reset bool) {
		m := c.open()
		m.enter(`"domain":"shop"`)
		m.send(textFrame(`{"type":"message","id":"c-1","data":{"text":"all of it"}}`))
		m.leave(reset)
	}},
	{"after a breach of the protocol", func(c *crowd, reset bool) {
		m := c.open()
		m.send([]byte{0x81, 0})
		m.leave(reset)
	}},
}

// leave ends the connection without a word: by a FIN, or by a reset.
func (c *rawClient) leave(reset bool) {
	if reset {
		_ = c.SetLinger(0)
	}
	_ = c.Close()
}

// Ten thousand clients come and go, in every way, and leave nothing behind: no
// room, no session, no goroutine, no file descriptor.
func TestTenThousandComeAndGo(t *testing.T) {
	many := 10_000
	if testing.Short() {
		many = 1000
	}
	c := gather(t, everySize, nil)
	come := func(n int) {
		var all sync.WaitGroup
		turns := make(chan int, n)
		for i := range n {
			turns <- i
		}
		close(turns)
		for range 16 {
			all.Go(func() {
				for i := range turns {
					churning[i/2%len(churning)].goes(c, i%2 == 1)
				}
			})
		}
		all.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := c.site.server.upgrader.wait(ctx); err != nil {
			t.Fatal("sockets are left:", err)
		}
	}
	come(100) // what is made once is made by now
	before := goleak.IgnoreCurrent()
	come(many)
	// The collector closes sockets that it finds, and so would hide one that
	// nobody closed: the last ones are counted without it.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	descriptors := openFiles(t)
	come(many / 10)
	// fasthttp keeps a goroutine for 10 s, should another connection come; the
	// hub some idle ones, for the next frames.
	err := goleak.Find(before,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).workerFunc"),
		goleak.IgnoreAnyFunction("github.com/bellhub/bellhub/hub.(*crew).next"))
	if err != nil {
		t.Error(err)
	}
	if s := c.hub.Stats(); s.Connections != 0 || s.Rooms != 0 {
		t.Errorf("the hub still has %+v", s)
	}
	// A handshake that was given up is closed by fasthttp, when it sees that.
	for late := time.Now().Add(patience); openFiles(t) > descriptors; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("%d descriptors are open, %d were before", openFiles(t), descriptors)
		}
	}
}

// openFiles counts this process's file descriptors.
func openFiles(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("needs Linux's /proc:", err)
	}
	return len(all)
}
