package mail

import (
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/storage"
)

// sample is the email of the documentation.
func sample() letterhead {
	at := time.Date(2026, 3, 3, 15, 14, 0, 0, time.UTC)
	return letterhead{
		kind: storage.EmailBell, recipient: "you@kopitugu.example", label: "Support",
		link: "https://chat.example/join/…", until: at.Add(24 * time.Hour), ai: true,
		bell: storage.Bell{
			Domain: "Kopi Tugu", DomainKey: "kopitugu", TimeZone: "Asia/Jakarta", Room: "K7QM-2XAB",
			Reason: "I need an invoice in my company's name", At: at,
		},
	}
}

const sampleText = `A visitor to Kopi Tugu asked for an admin.

Domain:  Kopi Tugu (kopitugu)
Room:    K7QM-2XAB
Time:    Tue 3 Mar 2026, 22:14 Asia/Jakarta (UTC+7)
Reason:
> I need an invoice in my company's name

Open conversation:
https://chat.example/join/…

The AI keeps answering until you switch to Live Agent mode.
Replying to this email does not reach the visitor.

This link opens this room only, until Wed 4 Mar 2026, 22:14.
Whoever has it can answer as Kopi Tugu: do not forward it.

You get this because you@kopitugu.example is an active recipient
(Support) in Kopi Tugu's CC Rules. To stop, open the conversation
and choose "Stop these emails".
`

func mustRender(t *testing.T, lang string, l letterhead) (subject, text, html string) {
	t.Helper()
	subject, text, html, err := render(words{lang, texts(t)}, l)
	if err != nil {
		t.Fatal(err)
	}
	return subject, text, html
}

func TestTextBodyIsTheDocumentedOne(t *testing.T) {
	subject, text, _ := mustRender(t, "en", sample())
	if text != sampleText {
		t.Errorf("got:\n%s\nwant:\n%s", text, sampleText)
	}
	if want := "Kopi Tugu: a visitor asked for an admin (K7QM-2XAB)"; subject != want {
		t.Errorf("subject %q, want %q", subject, want)
	}
}

func TestVariants(t *testing.T) {
	for name, c := range map[string]struct {
		change    func(*letterhead)
		has, lack []string
	}{
		"no label": {
			func(l *letterhead) { l.label = "" },
			[]string{"is an active recipient in\nKopi Tugu's CC Rules."},
			[]string{"(Support)"},
		},
		"no AI in the room": {
			func(l *letterhead) { l.ai = false },
			[]string{"Replying to this email"},
			[]string{"The AI keeps answering"},
		},
		"new link": {
			func(l *letterhead) { l.kind = storage.EmailNewLink },
			[]string{"A new link to the conversation"},
			[]string{"asked for an admin.\n"},
		},
		"unknown zone": {
			func(l *letterhead) { l.bell.TimeZone = "Mars/Olympus" },
			[]string{"Time:    Tue 3 Mar 2026, 15:14 UTC\n"},
			nil,
		},
		"half an hour": {
			func(l *letterhead) { l.bell.TimeZone = "Asia/Kolkata" },
			[]string{"20:44 Asia/Kolkata (UTC+5:30)"},
			nil,
		},
		"west": {
			func(l *letterhead) { l.bell.TimeZone = "America/New_York" },
			[]string{"10:14 America/New_York (UTC-5)"},
			nil,
		},
		"several lines": {
			func(l *letterhead) { l.bell.Reason = "one\r\n\r\n-- \r\ntwo" },
			[]string{"> one\n>\n> --\n> two\n"},
			[]string{"\r"},
		},
	} {
		l := sample()
		c.change(&l)
		_, text, _ := mustRender(t, "en", l)
		for _, s := range c.has {
			if !strings.Contains(text, s) {
				t.Errorf("%s: no %q in\n%s", name, s, text)
			}
		}
		for _, s := range c.lack {
			if strings.Contains(text, s) {
				t.Errorf("%s: %q in\n%s", name, s, text)
			}
		}
	}
}

// Rows 65, 66, 67 and 71 of the inputs that every release is tried with.
func TestHostileInput(t *testing.T) {
	l := sample()
	l.bell.Domain = "Kopi\r\nBcc: all@evil.example"
	l.bell.Reason = `<img src=x onerror=alert(1)> <a href="https://evil.example/">Pay</a> javascript:alert(1) ` +
		"www.evil.example boss@evil.example \u202Egnp.exe 😀 </blockquote><script>x()</script>"
	l.label = "Sales\r\nX-Evil: 1"
	subject, text, html := mustRender(t, "en", l)
	if strings.ContainsAny(subject, "\r\n") {
		t.Errorf("a line end in the subject %q", subject)
	}
	for _, bad := range []string{"\r", "\nBcc:", "\nX-Evil:"} {
		if strings.Contains(text, bad) || strings.Contains(html, bad) {
			t.Errorf("%q in a body", bad)
		}
	}
	for _, bad := range []string{"<img", "<script", "<a href=\"https://evil", "onerror=alert(1)>", "</blockquote><"} {
		if strings.Contains(html, bad) {
			t.Errorf("%q in the HTML", bad)
		}
	}
	for _, body := range []string{text, html} {
		for _, bad := range []string{"https://evil", "www.evil", "javascript:", "boss@evil", "\u202E", "gnp.exe"} {
			if strings.Contains(body, bad) {
				t.Errorf("%q in\n%s", bad, body)
			}
		}
		for _, good := range []string{"hxxps://evil[.]example/", "javascript[:]alert(1)", "😀"} {
			if !strings.Contains(body, good) {
				t.Errorf("no %q in\n%s", good, body)
			}
		}
	}
	if n := strings.Count(html, "<a "); n != 1 {
		t.Errorf("%d links in the HTML, want the button alone", n)
	}
}

func TestHTMLBody(t *testing.T) {
	for _, lang := range []string{"en", "id"} {
		l := sample()
		l.link = "https://chat.example/join/" + strings.Repeat("aB_-", 11)[:43]
		_, text, html := mustRender(t, lang, l)
		for _, want := range []string{
			`<html lang="` + lang + `">`, `content="light dark"`, "prefers-color-scheme: dark",
			`<a class="button" href="` + l.link + `"`, ">" + l.link + "</p>", `<th scope="row"`, "<blockquote",
			"I need an invoice in my company&#39;s name",
		} {
			if !strings.Contains(html, want) {
				t.Errorf("%s: no %q in\n%s", lang, want, html)
			}
		}
		// The preheader is the first thing that a list of emails finds.
		_, body, _ := strings.Cut(html, "<body")
		if i, j := strings.Index(body, "invoice"), strings.Index(body, "<h1"); i < 0 || i > j {
			t.Errorf("%s: the reason does not come before the heading", lang)
		}
		if strings.Contains(html, "<img") || strings.Contains(html, "url(") {
			t.Errorf("%s: the HTML fetches something", lang)
		}
		for _, body := range []string{text, html} {
			if strings.Contains(body, "email.") || strings.Contains(body, "{") && body == text {
				t.Errorf("%s: a text is missing or not filled:\n%s", lang, body)
			}
		}
	}
	if _, text, _ := mustRender(t, "id", sample()); !strings.Contains(text, "Waktu:   Sel 3 Mar 2026, 22.14 Asia/Jakarta (UTC+7)\n") {
		t.Errorf("Indonesian:\n%s", text)
	}
}
