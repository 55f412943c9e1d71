package hours

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bellhub/bellhub/hub"
)

// What one form may hold: far more than a real timetable needs.
const (
	maxSpans    = 8   // of a day
	maxClosures = 100 // lines
	maxNote     = 60  // characters
	maxText     = 300 // characters: a confirmation is a line or two
	// yearsAhead is how far away a closed date may be: one further off is a typing
	// error.
	yearsAhead = 2
)

// problem is why a field cannot be used: a key of the texts, with what to fill
// in.
type problem struct {
	key   string
	pairs []string
}

func wrong(key string, pairs ...string) *problem { return &problem{"hours.error." + key, pairs} }

// 9-17, 09:00–17:30, 09.00 - 17.30.
var spanForm = regexp.MustCompile(`^(\d{1,2})(?:[:.](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[:.](\d{2}))?$`)

// parseDay reads a day's hours, in order. Nothing means closed.
func parseDay(text string) ([]span, *problem) {
	var all []span
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || r == '\n' }) {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		s, ok := parseSpan(part)
		switch {
		case !ok:
			return nil, wrong("span", "text", part)
		case s.From == s.To:
			return nil, wrong("empty", "text", part)
		case len(all) == maxSpans:
			return nil, wrong("spans", "n", strconv.Itoa(maxSpans))
		case s.To < s.From:
			s.To += day
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.From, b.From) })
	for i := 1; i < len(all); i++ {
		if all[i].From < all[i-1].To {
			return nil, wrong("overlap", "a", all[i-1].String(), "b", all[i].String())
		}
	}
	return all, nil
}

func parseSpan(text string) (s span, ok bool) {
	m := spanForm.FindStringSubmatch(text)
	if m == nil {
		return s, false
	}
	n := make([]int, 5)
	for i := 1; i < len(n); i++ {
		n[i], _ = strconv.Atoi(m[i]) // digits, or nothing
	}
	s = span{n[1]*60 + n[2], n[3]*60 + n[4]}
	return s, n[2] < 60 && n[4] < 60 && s.From < day && s.To <= day
}

// String writes a span as the form takes it.
func (s span) String() string {
	to := s.To
	if to > day {
		to -= day
	}
	return fmt.Sprintf("%02d:%02d–%02d:%02d", s.From/60, s.From%60, to/60, to%60)
}

// writeDay is the other way round.
func writeDay(all []span) string {
	parts := make([]string, len(all))
	for i, s := range all {
		parts[i] = s.String()
	}
	return strings.Join(parts, ", ")
}

// 2026-12-24, 2026-12-24 – 2027-01-01 Winter break.
var closureForm = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})(?:\s*(?:–|—|-|\.\.)\s*(\d{4}-\d{2}-\d{2}))?(?:\s+(.*))?$`)

// parseClosed reads closed dates, a line each, and puts them in order.
func parseClosed(text string, today time.Time) ([]closure, *problem) {
	var all []closure
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		at := strconv.Itoa(i + 1)
		m := closureForm.FindStringSubmatch(line)
		if m == nil {
			return nil, wrong("date", "line", at)
		}
		c := closure{From: m[1], To: cmp.Or(m[2], m[1]), Note: m[3]}
		_, bad := time.Parse(time.DateOnly, c.From)
		last, worse := time.Parse(time.DateOnly, c.To)
		note, readable := hub.CleanName(c.Note, maxNote)
		switch {
		case bad != nil || worse != nil:
			return nil, wrong("date", "line", at)
		case c.To < c.From:
			return nil, wrong("backwards", "line", at)
		case last.After(today.AddDate(yearsAhead, 0, 0)):
			return nil, wrong("far", "line", at, "n", strconv.Itoa(yearsAhead))
		case c.Note != "" && !readable:
			return nil, wrong("note", "line", at, "n", strconv.Itoa(maxNote))
		case len(all) == maxClosures:
			return nil, wrong("dates", "n", strconv.Itoa(maxClosures))
		}
		c.Note = note
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b closure) int { return cmp.Compare(a.From, b.From) })
	return all, nil
}

// writeClosed is the other way round.
func writeClosed(all []closure) string {
	lines := make([]string, len(all))
	for i, c := range all {
		line := c.From
		if c.To != c.From {
			line += " – " + c.To
		}
		lines[i] = strings.TrimSpace(line + " " + c.Note)
	}
	return strings.Join(lines, "\n")
}

// parseText reads the owner's own wording, made one line.
func parseText(text string) (string, *problem) {
	text = strings.Join(strings.Fields(text), " ")
	if n := utf8.RuneCountInString(text); n > maxText {
		return "", wrong("long", "n", strconv.Itoa(n-maxText))
	}
	for _, r := range text {
		if !hub.Readable(r) || r == utf8.RuneError {
			return "", wrong("characters")
		}
	}
	return text, nil
}
