package mail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"github.com/bellhub/bellhub/storage"
)

//go:embed templates
var templates embed.FS

var (
	textBody = template.Must(template.New("bell.txt").
			Funcs(template.FuncMap{"fold": fold, "quote": quote}).ParseFS(templates, "templates/bell.txt"))
	htmlBody = htmltemplate.Must(htmltemplate.ParseFS(templates, "templates/bell.html"))
)

const (
	maxSubjectName = 120 // characters of a domain's name in the subject
	maxPreheader   = 200 // characters: what a list of emails may show
)

// letterhead is what an email about a bell is written from.
type letterhead struct {
	kind      storage.EmailKind
	bell      storage.Bell
	recipient string
	label     string
	link      string
	until     time.Time // the link's end
	ai        bool      // the AI answers in the room
}

// fact is a row of the table at the top.
type fact struct{ Label, Column, Value string }

// page is what the templates see. All of it is cleaned; the HTML template
// escapes.
type page struct {
	Lang, Subject, Preheader, Heading string
	Facts                             []fact
	ReasonLabel                       string
	Reason                            []string // lines, defanged
	Open, Link                        string
	Notes                             [][]string // paragraphs of sentences
}

// render writes the email: subject, text and HTML.
func render(w words, l letterhead) (subject, text, html string, err error) {
	p := l.page(w)
	var t, h bytes.Buffer
	if err := textBody.Execute(&t, p); err != nil {
		return "", "", "", fmt.Errorf("mail: render text: %w", err)
	}
	if err := htmlBody.Execute(&h, p); err != nil {
		return "", "", "", fmt.Errorf("mail: render HTML: %w", err)
	}
	return p.Subject, t.String(), h.String(), nil
}

func (l letterhead) page(w words) page {
	domain, ref := oneLine(l.bell.Domain), oneLine(l.bell.Room)
	loc := zone(l.bell.TimeZone)
	reason := lines(l.bell.Reason)
	for i := range reason {
		reason[i] = defang(reason[i])
	}
	heading := "email.heading"
	if l.kind == storage.EmailNewLink {
		heading = "email.newLink.heading"
	}
	return page{
		Lang:      w.lang,
		Subject:   w.text("email.subject", "domain", cut(domain, maxSubjectName), "ref", ref),
		Preheader: cut(oneLine(strings.Join(reason, " ")), maxPreheader),
		Heading:   w.text(heading, "domain", domain),
		Facts: columns(
			fact{Label: w.text("email.domain"), Value: domain + " (" + oneLine(l.bell.DomainKey) + ")"},
			fact{Label: w.text("email.room"), Value: ref},
			fact{Label: w.text("email.time"), Value: w.dateIn(l.bell.At.In(loc))},
		),
		ReasonLabel: w.text("email.reason"),
		Reason:      reason,
		Open:        w.text("email.open"),
		Link:        l.link,
		Notes:       l.notes(w, domain, loc),
	}
}

// notes are the paragraphs under the link.
func (l letterhead) notes(w words, domain string, loc *time.Location) [][]string {
	first := []string{w.text("email.note.ai"), w.text("email.note.reply")}
	if !l.ai {
		first = first[1:] // no AI keeps answering where none does
	}
	why := "email.note.why"
	if l.label != "" {
		why = "email.note.why.label"
	}
	return [][]string{
		first,
		{w.text("email.note.link", "until", w.date(l.until.In(loc))), w.text("email.note.share", "domain", domain)},
		{w.text(why, "address", l.recipient, "label", oneLine(l.label), "domain", domain)},
	}
}

// columns pads the labels of a table to one width.
func columns(all ...fact) []fact {
	width := 0
	for _, f := range all {
		width = max(width, utf8.RuneCountInString(f.Label))
	}
	for i := range all {
		all[i].Column = column(all[i].Label, width)
	}
	return all
}
