package welcome

import (
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Limits of what an owner writes.
const (
	maxGreetings = 20
	maxText      = 500 // characters: a greeting, not a letter
	maxPage      = 200 // characters
	maxDelay     = 600 // seconds
)

// greeting is what a domain's visitors are told.
type greeting struct {
	ID        string
	DomainID  string
	Position  int64  // the list's order
	Text      string // Markdown, as what the AI says
	Page      string // the pages it is for, as in /products/*; empty: every page
	Delay     int    // seconds since the chat was opened
	Active    bool
	CreatedAt time.Time
}

// choose finds what a visitor on a page is told, whose chat has been open for so
// many seconds: the text of the first greeting for the page. Where that is not
// due, or no greeting is for the page, after is in how many seconds to look
// again; 0 is never.
func choose(all []greeting, page string, open int) (text string, after int) {
	for _, g := range all {
		wait := g.Delay - open
		switch {
		case !g.Active:
		case g.covers(page) && wait <= 0:
			return g.Text, 0
		case g.covers(page):
			return "", wait
		case wait > 0 && (after == 0 || wait < after):
			after = wait
		}
	}
	return "", after
}

// covers tells whether the greeting is for a page, as clean gives it.
func (g greeting) covers(page string) bool {
	if g.Page == "" {
		return true
	}
	pattern := strings.ReplaceAll(regexp.QuoteMeta(clean(g.Page)), `\*`, ".*")
	return regexp.MustCompile("(?is)^" + pattern + "$").MatchString(page)
}

// clean is the part of a page's address that counts: without query and fragment,
// which may hold a visitor's secrets, in the letters that people read, and
// without a slash at its end.
func clean(address string) string {
	address, _, _ = strings.Cut(address, "#")
	address, _, _ = strings.Cut(address, "?")
	if plain, err := url.PathUnescape(address); err == nil {
		address = plain
	}
	if short := strings.TrimSuffix(address, "/"); short != "" {
		return short
	}
	return address
}
