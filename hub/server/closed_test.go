package server

import (
	"testing"

	"github.com/bellhub/bellhub/hub"
)

// The hub learns with which code a connection ended, whoever began.
func TestTheCodeOfAnEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(client *rawClient, server hub.Conn)
		want hub.CloseCode
	}{
		{"the client leaves", func(c *rawClient, _ hub.Conn) { c.send(closeOf(1001, "")); c.expect("close:1001") }, hub.CloseGoingAway},
		{"the client gives no code", func(c *rawClient, _ hub.Conn) { c.send(clientFrame(bitFin|opClose, "")); c.expect("close:") }, 1005},
		{"the client breaks a rule", func(c *rawClient, _ hub.Conn) { c.send([]byte{bitFin | opText, 1, 'x'}); c.expect("close:1002") }, hub.CloseProtocol},
		{"the client sends no text", func(c *rawClient, _ hub.Conn) {
			c.send(textFrame("\xff"))
			c.expect("close:1007")
			c.send(closeOf(1000, ""))
		}, hub.CloseInvalidText},
		{"the hub closes", func(c *rawClient, s hub.Conn) {
			s.Close(hub.CloseSuperseded, "")
			c.expect("close:4409")
			c.send(closeOf(1000, ""))
		}, hub.CloseSuperseded},
		{"the network breaks", func(c *rawClient, _ hub.Conn) { _ = c.SetLinger(0); c.Close() }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conns, codes := make(chan hub.Conn, 1), make(chan hub.CloseCode, 1)
			r := newEdgeRig(t, edgeOptions(), func(c hub.Conn) {
				conns <- c
				readAll(c)
				codes <- c.Closed()
			})
			client := r.open()
			tt.end(client, receive(t, conns))
			if got := receive(t, codes); got != tt.want {
				t.Errorf("closed with %d, want %d", got, tt.want)
			}
		})
	}
}
