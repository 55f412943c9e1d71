package webhooks

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"github.com/bellhub/bellhub/hub"
)

// metadata are addresses of clouds' own services that look public: Azure's
// WireServer.
var metadata = netip.MustParsePrefix("168.63.129.16/32")

// guard decides which addresses may be dialled. It is asked with the address that
// a connection is about to go to, after names have been resolved.
type guard struct {
	allow  hub.Networks
	public *ssrf.Guardian
}

func newGuard(allow hub.Networks) guard {
	return guard{allow, ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(metadata))}
}

// errBlocked is an address that no request may reach. It names none: what a name
// resolves to inside is nobody's business outside.
var errBlocked = errors.New("the address is not of the public internet")

// secure is a net.Dialer's Control for https: the public internet, and what is
// allowed beside it.
func (g guard) secure(network, address string, c syscall.RawConn) error {
	if g.plain(network, address, c) == nil {
		return nil
	}
	if g.public.Safe(network, address, c) != nil {
		return errBlocked
	}
	return nil
}

// plain is one for http: what is allowed, and nothing else.
func (g guard) plain(_, address string, _ syscall.RawConn) error {
	if a, err := netip.ParseAddrPort(address); err == nil && g.allow.Contain(a.Addr()) {
		return nil
	}
	return errBlocked
}

// transport sends https and http requests, each by its own rule. It uses no
// proxy: the guard would only see that one's address.
type transport struct{ https, http *http.Transport }

func newTransport(g guard, r *net.Resolver) *transport {
	return &transport{https: guarded(g.secure, r), http: guarded(g.plain, r)}
}

// maxConns bounds the connections to one host, whichever domains' they are. What
// comes beyond waits, within its own deadline.
const maxConns = 64

func guarded(control func(network, address string, c syscall.RawConn) error, r *net.Resolver) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: control, Resolver: r}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true, // a DialContext of one's own switches it off
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           200,
		MaxIdleConnsPerHost:    8,
		MaxConnsPerHost:        maxConns,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 32 << 10,
		DisableCompression:     true, // what is read of an answer is bounded as it comes
	}
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return t.https.RoundTrip(r)
	}
	return t.http.RoundTrip(r)
}

func (t *transport) close() {
	t.https.CloseIdleConnections()
	t.http.CloseIdleConnections()
}
