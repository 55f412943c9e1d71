package storage

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// ErrOrigin is what every refusal of [ParseOrigin] is.
var ErrOrigin = errors.New("not an origin")

// maxOrigin is the longest origin that is stored: a DNS name (RFC 1035, 2.3.4)
// is shorter with any port.
const maxOrigin = 255

// ParseOrigin reads whose pages may embed a widget: host[:port], or a whole
// http or https address without path as people paste it. It returns the form
// that a browser's Origin header is compared with: lower case, ASCII, without
// the scheme's own port.
//
// A wildcard is refused: it would let every site that shares a suffix act for
// the domain. http is refused except on loopback, where browsers trust it too.
// Errors wrap [ErrOrigin] and say what is wrong, for people.
func ParseOrigin(s string) (string, error) {
	rest, standard := strings.TrimSpace(s), ""
	refuse := func(why string) (string, error) { return "", fmt.Errorf("%w: %.80q: %s", ErrOrigin, s, why) }
	if strings.Contains(rest, "*") {
		return refuse("wildcards are not allowed: name each host")
	}
	scheme, after, isURL := strings.Cut(rest, "://")
	if isURL {
		switch strings.ToLower(scheme) {
		case "https":
			standard = "443"
		case "http":
			standard = "80"
		default:
			return refuse("want https://host or host[:port]")
		}
		rest = strings.TrimSuffix(after, "/")
	}
	if rest == "" || strings.ContainsAny(rest, "/?#\\@%") {
		return refuse("want only a host, as in www.example.com or localhost:3000")
	}
	u, err := url.Parse("//" + rest)
	if err != nil || u.Host != rest {
		return refuse("not a host")
	}
	host, err := asciiHost(u.Hostname())
	if err != nil {
		return refuse(err.Error())
	}
	port := u.Port()
	if port == "" && strings.HasSuffix(rest, ":") {
		return refuse("a port is missing after the colon")
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return refuse("a port is 1 to 65535")
		}
		port = strconv.FormatUint(n, 10)
	}
	if standard == "80" && !Loopback(host) {
		return refuse("http is only for this machine: use https")
	}
	// Without a scheme it is https, or http on loopback: the browser leaves out
	// either one's own port.
	if standard == "" {
		standard = "443"
		if Loopback(host) {
			standard = "80"
		}
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" && port != standard {
		host += ":" + port
	}
	if len(host) > maxOrigin {
		return refuse("too long")
	}
	return host, nil
}

// asciiHost returns a host name in lower-case ASCII, or an IP address in its
// one canonical form.
func asciiHost(host string) (string, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return "", errors.New("an address with a zone")
		}
		return addr.String(), nil
	}
	ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(host, "."))
	if err != nil || ascii == "" {
		return "", errors.New("not a host name")
	}
	labels := strings.Split(ascii, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return "", errors.New("not a host name")
		}
	}
	// 010.1.1.1 or 1.2.3: browsers read them as addresses, others do not.
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return "", errors.New("not a host name")
	}
	return ascii, nil
}

// Loopback tells whether a host, without port, names this machine.
func Loopback(host string) bool {
	host = strings.Trim(host, "[]")
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
