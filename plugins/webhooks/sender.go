package webhooks

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/bellhub/bellhub/hub"
)

// sender makes requests, over connections of its own.
type sender struct {
	guard  guard
	edge   *transport
	client *http.Client
}

func newSender(allow hub.Networks) *sender {
	s := &sender{guard: newGuard(allow)}
	s.edge = newTransport(s.guard, nil)
	s.client = &http.Client{
		Transport: s.edge,
		// A signed body is meant for one address. A redirect is an answer.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s
}

func (s *sender) close() { s.edge.close() }

// answer is what came of a request.
type answer struct {
	Outcome    string
	Status     int    // 0: no answer
	Detail     string // in the system's words; may be empty
	Body       []byte // its beginning, as much as was asked for
	Took       time.Duration
	RetryAfter time.Duration // as asked for; 0: not
}

// What is left of an answer is read and dropped up to here, so that its connection
// can serve the next request. One that goes on longer costs its connection, and
// keeps no place from others.
const (
	maxDrain  = 64 << 10 // bytes
	drainTime = time.Second
)

// send posts a message, signed, and reads up to most bytes of the answer. ctx
// bounds all of it.
func (s *sender) send(ctx context.Context, to string, k keys, id string, body []byte, most int64) (answer, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return answer{}, errors.New("webhooks: the endpoint's URL is not one")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Bellhub-Webhooks")
	r.Header.Set("Accept", "application/json")
	if err := k.sign(r.Header, id, hub.Now(), body); err != nil {
		return answer{}, err
	}
	a := answer{}
	resp, err := s.client.Do(r)
	if err == nil {
		defer resp.Body.Close()
		a.Status, a.RetryAfter = resp.StatusCode, retryAfter(resp.Header, time.Now())
		a.Body, err = io.ReadAll(io.LimitReader(resp.Body, most))
	}
	a.Took = time.Since(began)
	if err != nil {
		a.Outcome, a.Detail = failure(err)
		return a, nil
	}
	// What follows is the connection's affair, not the answer's.
	defer time.AfterFunc(drainTime, cancel).Stop()
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
	a.Outcome = outcomeOf(a.Status)
	return a, nil
}

// maxURL bounds an endpoint's address, in bytes.
const maxURL = 1000

// The faults of an address: keys of the texts.
const (
	faultURL     = "webhooks.error.url"
	faultHTTPS   = "webhooks.error.https"
	faultUser    = "webhooks.error.user"
	faultBlocked = "webhooks.error.blocked"
)

// hostName is idna.Lookup, and refuses empty and overlong labels.
var hostName = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// parseURL reads an endpoint's address as an owner writes it. fault is empty, or
// what is wrong with it. Whether a name may be reached is seen when it is dialled.
func (s *sender) parseURL(text string) (address, fault string) {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL || u.Opaque != "" || u.Hostname() == "" {
		return "", faultURL
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return "", faultURL
	case u.User != nil:
		return "", faultUser
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", faultURL
		}
	}
	u.Fragment, u.RawFragment = "", ""
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		rule := s.guard.secure
		if u.Scheme == "http" && !s.guard.allow.Contain(ip) {
			return "", faultHTTPS
		}
		network := "tcp4"
		if ip.Is6() {
			network = "tcp6"
		}
		if rule(network, netip.AddrPortFrom(ip, 443).String(), nil) != nil {
			return "", faultBlocked
		}
		return written(u)
	}
	if u.Scheme == "http" && len(s.guard.allow) == 0 {
		return "", faultHTTPS
	}
	host, err := hostName.ToASCII(u.Hostname())
	if err != nil || host == "" {
		return "", faultURL
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	u.Host = host
	return written(u)
}

// written is an address as it is kept, which may be longer than it was typed.
func written(u *url.URL) (address, fault string) {
	if address = u.String(); len(address) > maxURL {
		return "", faultURL
	}
	return address, ""
}
