package webhooks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/bellhub/bellhub/storage"
)

// The outcomes of an attempt. Each is a key of the texts, behind
// "webhooks.outcome.", and a value of the counter.
const (
	outcomeDelivered = "delivered"
	outcomeBlocked   = "blocked"  // the address may not be reached
	outcomeName      = "name"     // the host's name is not known
	outcomeNetwork   = "network"  // no connection, or it broke
	outcomeTLS       = "tls"      // the certificate, or the handshake
	outcomeTimeout   = "timeout"  // no answer in time
	outcomeStatus    = "status"   // an answer that is no success
	outcomeRedirect  = "redirect" // 3xx
	outcomeGone      = "gone"     // 410: the endpoint is switched off

	// Those in which nothing was sent.
	outcomeHeld    = "held"    // the endpoint keeps us waiting
	outcomeBusy    = "busy"    // as many deliveries as may be are under way to the endpoint
	outcomePaused  = "paused"  // the endpoint is switched off
	outcomeRemoved = "removed" // the endpoint is no more
	outcomeLost    = "lost"    // the conversation is no more
)

// outcomeNames are all of them, for counting.
func outcomeNames() []string {
	return []string{
		outcomeDelivered, outcomeBlocked, outcomeName, outcomeNetwork, outcomeTLS, outcomeTimeout, outcomeStatus,
		outcomeRedirect, outcomeGone, outcomeHeld, outcomeBusy, outcomePaused, outcomeRemoved, outcomeLost,
	}
}

// outcomeOf is what an answer's status means.
func outcomeOf(status int) string {
	switch {
	case status >= 200 && status <= 299:
		return outcomeDelivered
	case status >= 300 && status <= 399:
		return outcomeRedirect
	case status == http.StatusGone:
		return outcomeGone
	}
	return outcomeStatus
}

// failure is why there was no answer: the outcome, and in the system's words what
// more is known. Those never hold an address: what a name leads to inside is
// nobody's business outside, and the URL may hold a token.
func failure(err error) (outcome, detail string) {
	var name *net.DNSError
	var errno syscall.Errno
	var timeout net.Error
	switch {
	case errors.Is(err, errBlocked):
		return outcomeBlocked, ""
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return outcomeTimeout, ""
	case errors.As(err, &name):
		return outcomeName, ""
	case errors.As(err, &errno):
		return outcomeNetwork, errno.Error()
	}
	if detail, is := handshake(err); is {
		return outcomeTLS, detail
	}
	return outcomeNetwork, ""
}

// handshake tells whether an error is TLS's, and what it says of the certificate.
func handshake(err error) (detail string, is bool) {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &host):
		return "the certificate is for another name", true
	case errors.As(err, &invalid):
		return oneLine(invalid.Error()), true
	case errors.As(err, &unknown):
		return "the certificate is signed by an unknown authority", true
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "the answer is not TLS", true
	case errors.As(err, &alert):
		return oneLine(alert.Error()), true
	}
	return "", errors.As(err, &verify)
}

// maxDetail bounds, in bytes, what is kept of a system's words.
const maxDetail = 200

// oneLine makes somebody else's words a short line of readable characters.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if len(s) > maxDetail {
		s = strings.ToValidUTF8(s[:maxDetail], "") + "…"
	}
	return s
}

// maxRetryAfter bounds what an endpoint may ask for: the longest wait of the
// schedule.
var maxRetryAfter = storage.Schedule[len(storage.Schedule)-1]

// retryAfter reads the header Retry-After of an answer: seconds, or a date. 0 is
// none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	var d time.Duration
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(v); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}
