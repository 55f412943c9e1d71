package server

import (
	"net/netip"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
)

// clients knows the address behind each request, and counts sockets by it.
type clients struct {
	opts Options

	mu     sync.Mutex
	counts map[netip.Addr]int
	warned sync.Once
}

func newClients(o Options) *clients { return &clients{opts: o, counts: map[netip.Addr]int{}} }

// ip is the client's address: the peer's, or where trusted proxies stand
// between, the nearest address that none of them vouches for. What is further
// left in X-Forwarded-For is only what that client claims.
func (k *clients) ip(c *fiber.Ctx) netip.Addr {
	peer, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	peer = peer.Unmap()
	if !k.trusted(peer) {
		return peer
	}
	// Some proxies add a line of their own rather than to the line there is:
	// in their order the lines are one list (RFC 9110, section 5.3).
	var hops []string
	for _, line := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		hops = append(hops, strings.Split(string(line), ",")...)
	}
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		if peer = hop.Unmap(); !k.trusted(peer) {
			break
		}
	}
	return peer
}

func (k *clients) trusted(ip netip.Addr) bool {
	for _, p := range k.opts.TrustedProxies {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// enter counts a socket in; ok is false where its address has too many. leave
// counts it out again.
func (k *clients) enter(c *fiber.Ctx, ip netip.Addr) (leave func(), ok bool) {
	if _, unknown := k.proxied(c); unknown {
		return func() {}, true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := k.opts.ConnectionsPerIP; n > 0 && k.counts[ip] >= n {
		return nil, false
	}
	k.counts[ip]++
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.counts[ip]--; k.counts[ip] <= 0 {
			delete(k.counts, ip)
		}
	}, true
}

// proxied tells whether a proxy passed the request on. One from a private
// address that nobody said to trust is most likely a forgotten setting, which
// would make all visitors share one address: it is named once, and its sockets
// are not counted.
func (k *clients) proxied(c *fiber.Ctx) (forwarded, unknown bool) {
	forwarded = c.Get(fiber.HeaderXForwardedFor) != "" || c.Get("Forwarded") != ""
	if !forwarded {
		return false, false
	}
	peer, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	peer = peer.Unmap()
	if k.trusted(peer) || !peer.IsPrivate() && !peer.IsLoopback() {
		return true, false
	}
	k.warned.Do(func() {
		k.opts.Log.Warn("a proxy forwards requests but is not trusted: all visitors seem to share its address; set -trusted-proxies", "peer", peer)
	})
	return true, true
}
