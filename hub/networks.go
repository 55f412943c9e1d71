package hub

import (
	"errors"
	"net/netip"
	"strings"
)

// Networks is a list of networks, as the value of a flag: separated by commas,
// the flag repeated, or both. An address is a network of one.
type Networks []netip.Prefix

var errNetworks = errors.New("want networks or addresses, separated by commas, as in 10.0.0.0/8,192.168.1.7")

// String lists them.
func (n *Networks) String() string {
	texts := make([]string, len(*n))
	for i, one := range *n {
		texts[i] = one.String()
	}
	return strings.Join(texts, ",")
}

// Set adds to them. The error does not repeat s.
func (n *Networks) Set(s string) error {
	var more Networks
	for text := range strings.SplitSeq(s, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		one, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil || addr.Zone() != "" {
				return errNetworks
			}
			one = netip.PrefixFrom(addr, addr.BitLen())
		}
		if a := one.Addr(); a.Is4In6() && one.Bits() >= 96 {
			one = netip.PrefixFrom(a.Unmap(), one.Bits()-96)
		}
		more = append(more, one.Masked())
	}
	*n = append(*n, more...)
	return nil
}

// Contain tells whether an address is in one of them. 127.0.0.1 and
// ::ffff:127.0.0.1 are one address.
func (n Networks) Contain(a netip.Addr) bool {
	for _, one := range n {
		if one.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}
