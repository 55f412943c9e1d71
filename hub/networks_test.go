package hub_test

import (
	"net/netip"
	"testing"

	"github.com/bellhub/bellhub/hub"
)

func TestNetworks(t *testing.T) {
	var n hub.Networks
	for _, s := range []string{"10.1.2.3/8, 192.0.2.7", "", "fd00:1::/64", "::ffff:172.16.0.0/108"} {
		if err := n.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	if got := n.String(); got != "10.0.0.0/8,192.0.2.7/32,fd00:1::/64,172.16.0.0/12" {
		t.Errorf("they are %s", got)
	}
	for address, want := range map[string]bool{
		"10.255.0.1": true, "::ffff:10.0.0.1": true, "192.0.2.7": true, "192.0.2.8": false,
		"fd00:1::2": true, "fd00:2::1": false, "172.31.0.1": true, "172.32.0.1": false,
	} {
		if n.Contain(netip.MustParseAddr(address)) != want {
			t.Errorf("%s: want %v", address, want)
		}
	}
	for _, bad := range []string{"10.0.0.0/33", "shop.example", "fe80::1%eth0", "10.0.0.1;10.0.0.2"} {
		if err := new(hub.Networks).Set(bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}
