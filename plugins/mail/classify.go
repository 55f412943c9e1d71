package mail

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/mailgun/mailgun-go/v4"
)

// classify turns an error of mailgun-go into a Failure. secrets are kept out of
// its words.
func classify(err error, seen answer, to string, secrets ...string) *Failure {
	var unexpected *mailgun.UnexpectedResponseError
	if errors.As(err, &unexpected) {
		words := providerWords(unexpected.Data)
		return &Failure{
			Reason: reasonOf(unexpected.Actual, words, to), Status: unexpected.Actual,
			Detail: scrub(words, secrets...), RetryAfter: seen.retryAfter,
		}
	}
	f := &Failure{Reason: Unknown, Status: seen.status}
	var network net.Error
	var request *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		f.Reason = Timeout
	case errors.As(err, &request):
		// Without the URL around it, which a proxy's address could be part of.
		f.Reason, f.Detail = Network, scrub(request.Err.Error(), secrets...)
	case errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF):
		f.Reason = Network
	}
	return f
}

// reasonOf classifies a status that is not a success. Among the 4xx, one that
// names the recipient fails this email alone.
func reasonOf(status int, words, to string) Reason {
	switch {
	case status == http.StatusTooManyRequests:
		return RateLimited
	case status == http.StatusRequestTimeout:
		return Timeout
	case status >= 500:
		return ProviderDown
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired:
		return Unauthorized
	case status == http.StatusRequestEntityTooLarge:
		return TooLarge
	case namesRecipient(words, to):
		return RefusedRecipient
	case status == http.StatusForbidden:
		return Unauthorized // a domain or an account that is not allowed to send
	}
	return Rejected
}

var recipientWords = regexp.MustCompile(`(?i)\brecipients?\b|'?\bto'? parameter`)

func namesRecipient(words, to string) bool {
	return recipientWords.MatchString(words) || strings.Contains(strings.ToLower(words), strings.ToLower(to))
}

// providerWords is the message of Mailgun's error, which is JSON or plain text.
func providerWords(body []byte) string {
	var m struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &m) == nil && m.Message != "" {
		return m.Message
	}
	if s := strings.TrimSpace(string(body)); !strings.HasPrefix(s, "<") { // a proxy's page
		return s
	}
	return ""
}
