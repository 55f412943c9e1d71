package mail

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/storage"
)

func testMessage() Message {
	return Message{
		ID: "0195a0c2-0000-7000-8000-000000000001", Kind: "bell",
		MessageID: "<0195a0c2@" + gunDomain + ">", References: "<room.r1@" + gunDomain + ">",
		From: `"Kopi Tugu" <bell@` + gunDomain + `>`, To: "you@kopitugu.example", Subject: "Kopi Tugu 😀",
		Text: "text 😀 https://chat.example/join/toksecret", HTML: "<p>html 😀 toksecret</p>",
		Link: "https://chat.example/join/toksecret", token: "toksecret",
	}
}

func TestMailgunGetsTheWholeMessage(t *testing.T) {
	g := newGun(t)
	s := newMailgun(gunOptions(g), sendTimeout)
	defer s.close()
	m := testMessage()
	id, err := s.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	shots := g.shots()
	if len(shots) != 1 || shots[0].ID != id {
		t.Fatalf("id %q, accepted %v", id, shots)
	}
	for name, want := range map[string]string{
		"from": m.From, "to": m.To, "subject": m.Subject, "text": m.Text, "html": m.HTML,
		"o:tracking": "no", "o:tracking-opens": "no", "o:tracking-clicks": "no",
		"o:tag": "bell|" + m.ID, "v:delivery-id": m.ID,
		"h:Message-Id": m.MessageID, "h:References": m.References, "h:In-Reply-To": m.References,
		"h:Auto-Submitted": "auto-generated",
	} {
		if got := shots[0].field(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestFailures drives every kind of failure through the real client: why it
// failed, whether it is tried again, and that nothing secret is said.
func TestFailures(t *testing.T) {
	echo := `{"message":"no: ` + gunKey + ` toksecret"}`
	for _, c := range []struct {
		name   string
		fault  fault
		change func(*options)
		reason Reason
		again  bool
		wait   time.Duration
	}{
		{"400", fault{status: 400, body: echo}, nil, Rejected, false, 0},
		{"400 from", fault{status: 400, body: `{"message":"'from' parameter is not a valid address"}`}, nil, Rejected, false, 0},
		{"400 to", fault{status: 400, body: `{"message":"'to' parameter is not a valid address. please check documentation"}`}, nil, RefusedRecipient, false, 0},
		{"400 address", fault{status: 400, body: `{"message":"YOU@kopitugu.example was refused"}`}, nil, RefusedRecipient, false, 0},
		{"404", fault{status: 404, body: "page not found"}, nil, Rejected, false, 0},
		{"413", fault{status: 413}, nil, TooLarge, false, 0},
		{"422", fault{status: 422}, nil, Rejected, false, 0},
		{"307", fault{status: 307, header: map[string]string{"Location": "https://elsewhere.example/"}}, nil, Rejected, false, 0},
		{"401", fault{status: 401, body: "Forbidden"}, nil, Unauthorized, true, pause},
		{"402", fault{status: 402}, nil, Unauthorized, true, pause},
		{"403 domain", fault{status: 403, body: `{"message":"Domain is not allowed to send"}`}, nil, Unauthorized, true, pause},
		{"403 sandbox", fault{status: 403, body: `{"message":"Please add the address to authorized recipients"}`}, nil, RefusedRecipient, false, 0},
		{"another key", fault{}, func(o *options) { o.Key = "another-secret" }, Unauthorized, true, pause},
		{"408", fault{status: 408}, nil, Timeout, true, 0},
		{"429", fault{status: 429, body: echo}, nil, RateLimited, true, 0},
		{"429 for a while", fault{status: 429, header: map[string]string{"Retry-After": "90"}}, nil, RateLimited, true, 90 * time.Second},
		{"429 for ever", fault{status: 429, header: map[string]string{"Retry-After": "99999999999"}}, nil, RateLimited, true, maxRetryAfter},
		{"429 nonsense", fault{status: 429, header: map[string]string{"Retry-After": "soon"}}, nil, RateLimited, true, 0},
		{"500", fault{status: 500, body: "<html>" + gunKey + "</html>"}, nil, ProviderDown, true, 0},
		{"503 for a while", fault{status: 503, header: map[string]string{"Retry-After": "7"}}, nil, ProviderDown, true, 7 * time.Second},
		{"stall", fault{stall: true}, nil, Timeout, true, 0},
		{"stall after accepting", fault{stall: true, accept: true}, nil, Timeout, true, 0},
		{"reset", fault{reset: true}, nil, Network, true, 0},
		{"reset after accepting", fault{reset: true, accept: true}, nil, Network, true, 0},
		{"not JSON", fault{status: 200, body: "<html>hello</html>", accept: true}, nil, Unknown, true, 0},
		{"nobody there", fault{}, func(o *options) { o.APIBase = "http://127.0.0.1:1/v3" }, Network, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGun(t)
			o := gunOptions(g)
			if c.change != nil {
				c.change(&o)
			} else {
				g.fail(c.fault)
			}
			s := newMailgun(o, sendTimeout)
			defer s.close()
			ctx := t.Context()
			if c.fault.stall {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
				defer cancel()
			}
			_, err := s.Send(ctx, testMessage())
			var f *Failure
			if !errors.As(err, &f) {
				t.Fatalf("error %v", err)
			}
			if f.Reason != c.reason {
				t.Errorf("%v: reason %q, want %q", err, f.Reason, c.reason)
			}
			if again, wait := f.Retry(); again != c.again || wait != c.wait {
				t.Errorf("again %v after %s, want %v after %s", again, wait, c.again, c.wait)
			}
			noSecrets(t, f.Error()+f.Public(), string(o.Key), string(o.SigningKey), "toksecret", "/join/")
			if f.Public() == "" || strings.ContainsAny(f.Public(), "\r\n") {
				t.Errorf("for people: %q", f.Public())
			}
			if n := g.requests(); n > 1 {
				t.Errorf("%d requests for one attempt", n)
			}
		})
	}
}

func noSecrets(t *testing.T, said string, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if s != "" && strings.Contains(said, s) {
			t.Errorf("%q gives a secret away", said)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "0": 0, "-5": 0, "120": 2 * time.Minute, "1.5": 0, "999999999": maxRetryAfter,
		now.Add(time.Minute).Format(http.TimeFormat): time.Minute,
		now.Add(-time.Hour).Format(http.TimeFormat):  0,
	} {
		if got := retryAfter(v, now); got != want {
			t.Errorf("%q: %s, want %s", v, got, want)
		}
	}
}

func TestScrub(t *testing.T) {
	basic := "Basic YXBpOmtleS0z" // "api:key-3"
	got := scrub("a key-3\r\n"+basic+" \u202Eb "+strings.Repeat("x", 400), "key-3", "")
	if strings.Contains(got, "key-3") || strings.Contains(got, "YXBpOmtleS0z") || strings.ContainsAny(got, "\r\n\u202E") {
		t.Errorf("scrubbed: %q", got)
	}
	if n := len([]rune(got)); n > maxDetail+1 {
		t.Errorf("%d characters", n)
	}
}

func TestValidate(t *testing.T) {
	good := options{
		From: "Bellhub <bell@mg.example.com>", Domain: "mg.example.com", Key: "key-secret",
		APIBase: "https://api.eu.mailgun.net/v3", SigningKey: "sign-secret",
	}
	for _, c := range []struct {
		name   string
		change func(*options)
		want   string // part of the error; empty: none
	}{
		{"all", func(*options) {}, ""},
		{"nothing", func(o *options) { *o = New().opts }, ""},
		{"no key", func(o *options) { o.Key = "" }, "-mailgun-key must be set where -mailgun-domain is"},
		{"an address alone", func(o *options) { o.Key, o.Domain = "", "" }, ""},
		{"a wrong address alone", func(o *options) { *o = New().opts; o.From = "nobody" }, "-mail-from"},
		{"no base", func(o *options) { o.APIBase = "" }, "-mailgun-api-base"},
		{"bare from", func(o *options) { o.From = "bell@mg.example.com" }, ""},
		{"slash", func(o *options) { o.APIBase += "/" }, ""},
		{"loopback", func(o *options) { o.APIBase = "http://127.0.0.1:99/v3" }, ""},
		{"no signing key", func(o *options) { o.SigningKey = "" }, "-mailgun-signing-key must be set where -mailgun-key is"},
		{"no domain", func(o *options) { o.Domain = "" }, "-mailgun-domain must be set where -mailgun-key is"},
		{"no from", func(o *options) { o.From = "" }, ""}, // of the domain, then
		{"two froms", func(o *options) { o.From = "a@x.example, b@x.example" }, "-mail-from"},
		{"local from", func(o *options) { o.From = "bell@localhost" }, "-mail-from"},
		{"line end", func(o *options) { o.From = "Bell\r\n <bell@mg.example.com>" }, "-mail-from"},
		{"domain with a path", func(o *options) { o.Domain = "mg.example.com/v3" }, "-mailgun-domain"},
		{"key with a line end", func(o *options) { o.Key = "key-secret\n" }, "-mailgun-key"},
		{"plain http", func(o *options) { o.APIBase = "http://api.mailgun.net/v3" }, "-mailgun-api-base must be https"},
		{"look-alike loopback", func(o *options) { o.APIBase = "http://127.0.0.1.evil.example/v3" }, "-mailgun-api-base must be https"},
		{"no version", func(o *options) { o.APIBase = "https://api.mailgun.net" }, "-mailgun-api-base must end with /v3"},
		{"user", func(o *options) { o.APIBase = "https://api:key-secret@api.mailgun.net/v3" }, "-mailgun-api-base"},
		{"no URL", func(o *options) { o.APIBase = "api.mailgun.net/v3" }, "-mailgun-api-base"},
	} {
		o := good
		c.change(&o)
		p := New()
		p.opts = o
		err := p.Validate()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		if err != nil {
			noSecrets(t, err.Error(), "key-secret", "sign-secret")
		}
	}
}

// Row 68: what is refused when a rule is saved never reaches the provider
// either, should a row hold it all the same.
func TestRecipientsAreOnePlainAddress(t *testing.T) {
	for _, bad := range []string{
		"a@x.example,b@x.example", "a@x.example; b@x.example", "Ana <a@x.example>", "a@x.example\r\nBcc: b@x.example",
		"а@x.example", "a@еxample.com", "a@localhost", "a@[127.0.0.1]", "a@-x.example", "", "a b@x.example",
	} {
		if got, err := storage.ParseAddress(bad); err == nil {
			t.Errorf("%q was read as %q", bad, got)
		}
	}
}
