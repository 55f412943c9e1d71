package hub_test

import (
	"context"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// slowReturn is a store whose commit of one text is in the log before Append
// says so.
type slowReturn struct {
	*hubtest.Memory
	committed, release chan struct{}
}

func (s *slowReturn) Append(ctx context.Context, a hub.Append) (hub.Appended, error) {
	out, err := s.Memory.Append(ctx, a)
	if a.Text == "slow" {
		close(s.committed)
		<-s.release
	}
	return out, err
}

// The sender is acknowledged before it is shown its own event, also where the
// next event overtook it and the gap is filled from the log.
func TestTheAcknowledgementComesFirst(t *testing.T) {
	s := &slowReturn{hubtest.NewMemory(), make(chan struct{}), make(chan struct{})}
	k := hubtest.Start(t, hubtest.Options{Store: s, Limits: &hub.Limits{}})
	s.AddDomain(hub.Domain{Key: "shop", AI: true})
	sender := k.Visitor(t, "shop")
	other := k.Dial(t, hub.Handshake{})
	other.Send("hello", "1", map[string]any{"domain": "shop", "token": sender.Token, "room": sender.Room})
	other.Want("welcome")
	sender.Send("message", "s", text("slow"))
	<-s.committed
	other.Send("message", "o", text("fast"))
	other.WantEvent(hub.EventMessage) // 1, from the log
	close(s.release)
	if f := sender.Want("ack", "event"); f.Type != "ack" {
		t.Errorf("the sender is shown %s before its acknowledgement", f.Data)
	}
}
