package hub_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// In a large room, too, every member is shown everything once and in order,
// while others come and go and the room gets small again.
func TestALargeRoomIsShownEverythingInOrder(t *testing.T) {
	k, _ := start(t, hubtest.Options{Limits: &hub.Limits{}})
	const members, talkers, each = 40, 8, 40
	all := []*hubtest.Client{k.Visitor(t, "shop")}
	for len(all) < members {
		all = append(all, k.Again(t, "shop", all[0]))
	}
	var talk sync.WaitGroup
	for i, c := range all[:talkers] {
		talk.Go(func() {
			for n := range each {
				id := fmt.Sprint(i, "-", n)
				c.Send("message", id, text(id))
				c.Want("ack")
			}
		})
	}
	talk.Go(func() {
		for _, c := range all[talkers+2 : members] {
			c.HangUp()
		}
	})
	late, seen := k.Dial(t, hub.Handshake{}), 0.0
	talk.Go(func() {
		late.Send("hello", "h", map[string]any{"domain": "shop", "token": all[0].Token, "room": all[0].Room})
		if events := late.Want("welcome").Get("events").([]any); len(events) > 0 {
			seen = events[len(events)-1].(map[string]any)["seq"].(float64)
		}
	})
	talk.Wait()
	for c, from := range map[*hubtest.Client]float64{all[talkers]: 0, all[talkers+1]: 0, late: seen} {
		for seq := from + 1; seq <= talkers*each; seq++ {
			if e := c.WantEvent(hub.EventMessage); e.Get("seq") != seq {
				t.Fatalf("a member who had seen %v was shown %v, want %v", from, e.Get("seq"), seq)
			}
		}
	}
}
