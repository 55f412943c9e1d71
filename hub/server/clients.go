package server

import (
	"net/netip"
	"regexp"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
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
	at := peer(c)
	if !k.trusted(at) {
		return at
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
		if at = hop.Unmap(); !k.trusted(at) {
			break
		}
	}
	return at
}

func (k *clients) trusted(ip netip.Addr) bool {
	return k.opts.TrustedProxies.Contain(ip)
}

// ids are what a request's id may look like: those of the proxies in use, and
// nothing that could forge a line of a log.
var ids = regexp.MustCompile(`^[0-9A-Za-z._:-]{8,64}$`)

// requestID is the id that a trusted proxy gave the request, so that its log
// and ours can be laid side by side, or a new one.
func (k *clients) requestID(c *fiber.Ctx) string {
	if id := c.Get(fiber.HeaderXRequestID); id != "" && k.trusted(peer(c)) && ids.MatchString(id) {
		return id
	}
	return uuid.NewString()
}

// peer is the address at the other end of the TCP connection.
func peer(c *fiber.Ctx) netip.Addr {
	ip, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	return ip.Unmap()
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
	at := peer(c)
	if k.trusted(at) || !at.IsPrivate() && !at.IsLoopback() {
		return true, false
	}
	k.warned.Do(func() {
		k.opts.Log.Warn("a proxy forwards requests but is not trusted: all visitors seem to share its address; set -trusted-proxies", "peer", at)
	})
	return true, true
}
