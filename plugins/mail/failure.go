package mail

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Reason says why an attempt failed.
type Reason string

// The reasons, and what follows from each: see [Failure.Retry].
const (
	Network          Reason = "network"           // the provider could not be reached, or hung up
	Timeout          Reason = "timeout"           // no answer in time
	RateLimited      Reason = "rate_limited"      // 429
	ProviderDown     Reason = "provider_down"     // 5xx
	Unauthorized     Reason = "unauthorized"      // 401, 402, 403: key, account or domain
	RefusedRecipient Reason = "refused_recipient" // a 4xx that names the recipient
	Rejected         Reason = "rejected"          // another 4xx: this email will never do
	TooLarge         Reason = "too_large"         // 413
	Unknown          Reason = "unknown"           // an answer that makes no sense
)

// sentences are the reasons in words, for the email's row that people read.
var sentences = map[Reason]string{
	Network:          "The mail provider could not be reached.",
	Timeout:          "The mail provider did not answer in time.",
	RateLimited:      "The mail provider asked to slow down.",
	ProviderDown:     "The mail provider has a fault.",
	Unauthorized:     "The mail provider refused the key, the account or the sending domain.",
	RefusedRecipient: "The mail provider refused the recipient's address.",
	Rejected:         "The mail provider refused the email.",
	TooLarge:         "The mail provider found the email too large.",
	Unknown:          "The mail provider gave an answer that makes no sense.",
}

// outcomeAccepted is the outcome of an attempt that worked, beside the reasons.
const outcomeAccepted = "accepted"

// outcomes are all that an attempt can come to, for counting.
func outcomes() []string {
	all := []string{outcomeAccepted}
	for reason := range sentences {
		all = append(all, string(reason))
	}
	return all
}

// Failure is an attempt that failed. It carries no cause: what a library's
// error may print is not known, and this one is logged and stored.
type Failure struct {
	Reason     Reason
	Status     int           // of the provider's answer; 0 where there was none
	Detail     string        // the provider's or the network's words, scrubbed; may be empty
	RetryAfter time.Duration // what the provider asked for; 0: nothing
}

func (f *Failure) Error() string {
	s := "mail: " + string(f.Reason)
	if f.Status != 0 {
		s += fmt.Sprintf(" (%d)", f.Status)
	}
	if f.Detail != "" {
		s += ": " + f.Detail
	}
	return s
}

// Public is the failure in a sentence, for the email's row.
func (f *Failure) Public() string {
	s := sentences[f.Reason]
	if f.Detail != "" {
		s += " (" + f.Detail + ")"
	}
	return s
}

const (
	// maxRetryAfter bounds what a provider may ask for: the longest wait of the
	// schedule.
	maxRetryAfter = 4 * time.Hour
	// pause is how long nothing is tried after the provider refused the key: a
	// person has to mend that.
	pause = 30 * time.Minute
)

// Retry tells whether another attempt could succeed, and how long to wait for
// it; 0 leaves that to the schedule.
func (f *Failure) Retry() (again bool, wait time.Duration) {
	switch f.Reason {
	case RefusedRecipient, Rejected, TooLarge:
		return false, 0
	case Unauthorized:
		return true, pause
	}
	return true, min(max(f.RetryAfter, 0), maxRetryAfter)
}

// lost tells whether the provider may have accepted the message all the same.
func (f *Failure) lost() bool {
	switch f.Reason {
	case Network, Timeout, ProviderDown, Unknown:
		return true
	}
	return false
}

// maxDetail bounds, in characters, what is kept of somebody else's words.
const maxDetail = 200

// scrub makes somebody else's words fit to be stored: one short line without
// the secrets given, in the forms that they travel in.
func scrub(s string, secrets ...string) string {
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		basic := base64.StdEncoding.EncodeToString([]byte("api:" + secret))
		s = strings.NewReplacer(basic, "…", secret, "…").Replace(s)
	}
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	return cut(s, maxDetail)
}

// cut bounds a text to n characters.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i] + "…"
		}
		n--
	}
	return s
}
