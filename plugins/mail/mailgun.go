package mail

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mailgun/mailgun-go/v4"
)

// DefaultAPIBase is Mailgun's US region. The EU's is
// https://api.eu.mailgun.net/v3.
const DefaultAPIBase = mailgun.APIBaseUS

// deliveryID is the custom variable that every attempt of an email carries, and
// that Mailgun's events bring back.
const deliveryID = "delivery-id"

// mailgunSender sends through Mailgun's HTTP API.
type mailgunSender struct {
	client *mailgun.MailgunImpl
	http   *http.Client
	key    string
}

var _ Sender = (*mailgunSender)(nil)

func newMailgun(o options, limit time.Duration) *mailgunSender {
	s := &mailgunSender{key: string(o.Key), http: &http.Client{
		Transport: &observer{next: http.DefaultTransport.(*http.Transport).Clone()},
		Timeout:   limit, // mailgun-go's own client waits for ever
		// A redirect would carry the link to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	s.client = mailgun.NewMailgun(o.Domain, string(o.Key))
	s.client.SetAPIBase(strings.TrimRight(o.APIBase, "/"))
	s.client.SetClient(s.http)
	return s
}

// Send implements [Sender].
func (s *mailgunSender) Send(ctx context.Context, m Message) (string, error) {
	out := mailgun.NewMessage(m.From, m.Subject, m.Text, m.To)
	out.SetHTML(m.HTML)
	// Counting pixels and rewritten links: the team's business is not Mailgun's,
	// and a rewritten link would pass through a third party.
	out.SetTracking(false)
	out.SetTrackingOpens(false)
	out.SetTrackingClicks(false)
	out.AddHeader("Message-Id", m.MessageID)
	out.AddHeader("References", m.References)
	out.AddHeader("In-Reply-To", m.References)
	out.AddHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	// The id is a tag too, because Mailgun's event search knows tags and no
	// variables.
	err := out.AddTag(m.Kind, m.ID)
	if err == nil {
		err = out.AddVariable(deliveryID, m.ID)
	}
	if err != nil {
		return "", &Failure{Reason: Rejected, Detail: scrub(err.Error(), s.key, m.token)}
	}
	var seen answer
	_, id, err := s.client.Send(context.WithValue(ctx, answerKey{}, &seen), out)
	if err != nil {
		return "", classify(err, seen, m.To, s.key, m.token)
	}
	return id, nil
}

func (s *mailgunSender) close() { s.http.CloseIdleConnections() }

// answer is what mailgun-go does not hand on of the provider's answer.
type answer struct {
	status     int
	retryAfter time.Duration
}

type answerKey struct{}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 10

// observer is a transport that notes down status and Retry-After for the call
// whose context carries an answer.
type observer struct{ next *http.Transport }

// RoundTrip implements [http.RoundTripper].
func (o *observer) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := o.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if a, ok := r.Context().Value(answerKey{}).(*answer); ok {
		a.status = resp.StatusCode
		a.retryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

// CloseIdleConnections is what [http.Client.CloseIdleConnections] looks for.
func (o *observer) CloseIdleConnections() { o.next.CloseIdleConnections() }

// retryAfter reads the header: seconds, or a date (RFC 9110, section 10.2.3).
// 0 is none, or one that has passed.
func retryAfter(v string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(v); err == nil {
		return min(time.Duration(max(n, 0)), maxRetryAfter/time.Second) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
