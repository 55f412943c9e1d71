//go:build unix

package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// crowd is one room with many members, over real sockets.
type crowd struct {
	*edgeRig
	site        *site
	hub         *hub.Hub
	left        chan struct{} // one for each member who has left
	room, token string
}

// everySize is the kernel's choice of buffers.
var everySize net.ListenConfig

// leaving tells a crowd who has left.
type leaving chan struct{}

func (leaving) ID() string { return "leaving" }

func (l leaving) Init(_ context.Context, h *hub.Host) error {
	h.Hooks.SessionClosed.Bind(h, func(context.Context, hub.SessionClosed) { l <- struct{}{} })
	return nil
}

// gather serves a hub in memory, and makes its room.
func gather(t testing.TB, sockets net.ListenConfig, change func(*Options)) *crowd {
	t.Helper()
	c := &crowd{left: make(leaving, 20_000)}
	s := serveOn(t, sockets, func(o *Options) {
		base, _ := url.Parse("https://chat.example")
		store := hubtest.NewMemory()
		store.AddDomain(hub.Domain{Key: "shop", Name: "Shop", AI: true})
		var err error
		c.hub, err = hub.New(t.Context(), hub.Options{
			Store: store, BaseURL: base, Frame: Frame, Render: Render, Asset: func(s string) string { return s },
		})
		if err == nil {
			err = c.hub.Init(leaving(c.left))
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := c.hub.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		o.Hub, o.ConnectionsPerIP = c.hub, 0
		if change != nil {
			change(o)
		}
	})
	c.site, c.edgeRig = s, &edgeRig{t: t, addr: s.addr}
	first := c.open()
	c.token, c.room = first.enter(`"domain":"shop"`)
	first.Close()
	<-c.left
	return c
}

// enter says hello and returns what the welcome gives.
func (c *rawClient) enter(hello string) (token, room string) {
	c.t.Helper()
	c.send(textFrame(`{"type":"hello","id":"1","data":{` + hello + `}}`))
	got, err := c.serverFrame()
	for got == "ping:" {
		got, err = c.serverFrame()
	}
	var welcome struct {
		Type string
		Data struct {
			Token string
			Room  struct{ ID string }
		}
	}
	if err == nil {
		err = json.Unmarshal([]byte(strings.TrimPrefix(got, "text:")), &welcome)
	}
	if err != nil || welcome.Type != "welcome" {
		c.t.Fatalf("hello: %.200q %v", got, err)
	}
	return welcome.Data.Token, welcome.Data.Room.ID
}

func (c *crowd) hello() string {
	return fmt.Sprintf(`"domain":"shop","token":"%s","room":"%s"`, c.token, c.room)
}

// join connects one more member.
func (c *crowd) join() *rawClient {
	c.t.Helper()
	m := c.open()
	m.enter(c.hello())
	return m
}

// small gives sockets as small a buffer as the kernel allows: a stalled one is
// then soon full.
func small(option int) func(network, address string, raw syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, option, 8<<10) })
	}
}

// stall connects a member that reads nothing after its welcome.
func (c *crowd) stall() *rawClient {
	c.t.Helper()
	d := net.Dialer{Control: small(syscall.SO_RCVBUF)}
	nc, err := d.Dial("tcp", c.addr)
	if err != nil {
		c.t.Fatal(err)
	}
	m := &rawClient{t: c.t, TCPConn: nc.(*net.TCPConn), br: bufio.NewReader(nc)}
	c.t.Cleanup(func() { m.Close() })
	m.shake()
	m.enter(c.hello())
	return m
}

// events reads a member's events, in order, until it is closed; got is told of
// each.
func (c *rawClient) events(got func(seq int)) error {
	for want := 1; ; want++ {
		f, err := c.serverFrame()
		for ; err == nil && !strings.HasPrefix(f, `text:{"type":"event"`); f, err = c.serverFrame() {
			if f == "ping:" {
				c.send(clientFrame(bitFin|opPong, ""))
			} else if strings.HasPrefix(f, "close:") {
				c.send(closeOf(1000, ""))
				if f != "close:1012 the server restarts" {
					return errors.New(f)
				}
				return nil
			}
		}
		if err != nil {
			return err
		}
		if mark := fmt.Sprintf(`{"seq":%d,`, want); !strings.Contains(f[:60], mark) {
			return fmt.Errorf("event %d is %.80q", want, f)
		}
		got(want)
	}
}

// One member of a thousand stops reading. Message after message reaches every
// other one all the same, while it is there and when it is gone; and gone it is,
// once its queue is full.
func TestOneStalledMemberOfAThousand(t *testing.T) {
	const others = 999
	const queue = 64 << 10
	c := gather(t, net.ListenConfig{Control: small(syscall.SO_SNDBUF)}, func(o *Options) { o.SendQueueBytes = queue })
	members := make([]*rawClient, others)
	for i := range members {
		members[i] = c.join()
		members[i].SetDeadline(time.Now().Add(4 * patience))
	}
	stalled := c.stall()

	got := make(chan int, others)
	var reading sync.WaitGroup
	for _, m := range members {
		reading.Go(func() {
			if err := m.events(func(seq int) { got <- seq }); err != nil {
				t.Error(err)
			}
		})
	}
	text := strings.Repeat("x", 3900)
	round := 0
	say := func() {
		t.Helper()
		round++
		members[0].send(textFrame(fmt.Sprintf(`{"type":"message","id":"c-%d","data":{"text":"%s"}}`, round, text)))
		for range others {
			if seq := receive(t, got); seq != round {
				t.Fatalf("event %d came in round %d", seq, round)
			}
		}
	}
	for round*len(text) < 4*queue { // more than it and the kernel hold
		say()
	}
	select {
	case <-c.left:
	case <-time.After(5 * time.Second):
		t.Fatal("the stalled member is still there")
	}
	say() // and without it
	if n := c.hub.Stats().Connections; n != others {
		t.Errorf("%d connections are left, want %d", n, others)
	}
	stalled.SetDeadline(time.Now().Add(patience))
	if err := stalled.events(func(int) {}); err == nil {
		t.Error("the stalled member was taken leave of like the others")
	}
	if err := c.hub.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	reading.Wait()
}
