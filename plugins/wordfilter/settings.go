package wordfilter

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bellhub/bellhub/hub"
)

// What a list may hold.
const (
	maxEntries = 500
	maxEntry   = 100 // characters
	maxMessage = 300 // characters: a visitor reads it below the message
	// maxStored is how many bytes of JSON the settings may come to: MySQL's text
	// holds 65,535. It is met only by hundreds of long entries in a script whose
	// characters take three bytes.
	maxStored = 60_000
)

// settings are a domain's list, as it is stored.
type settings struct {
	Mask    []string `json:"mask"` // as the owner wrote them
	Refuse  []string `json:"refuse"`
	Team    bool     `json:"team"`    // also what admins and the AI say
	Message string   `json:"message"` // of a refusal; empty: ours, in its reader's language
}

func (s settings) equal(o settings) bool {
	return slices.Equal(s.Mask, o.Mask) && slices.Equal(s.Refuse, o.Refuse) &&
		s.Team == o.Team && s.Message == o.Message
}

// full tells whether this is more than can be kept.
func (s settings) full() *problem {
	if len(s.Mask)+len(s.Refuse) > maxEntries {
		return wrong("many", "n", strconv.Itoa(maxEntries))
	}
	if b, err := json.Marshal(s); err != nil || len(b) > maxStored {
		return wrong("full")
	}
	return nil
}

// word is an entry as the page shows it.
type word struct {
	Text   string
	Refuse bool
}

// words lists the entries by how they are compared.
func (s settings) words() []word {
	var all []word
	for _, text := range s.Mask {
		all = append(all, word{text, false})
	}
	for _, text := range s.Refuse {
		all = append(all, word{text, true})
	}
	slices.SortFunc(all, func(a, b word) int { return cmp.Compare(key(a.Text), key(b.Text)) })
	return all
}

// key is the same for entries that match the same.
func key(text string) string {
	var out strings.Builder
	for _, s := range fold(text) {
		out.WriteRune(s.r)
	}
	return out.String()
}

// remove takes entries away, however they are spelled. What s shares with another
// stays as it is.
func (s *settings) remove(entries ...string) {
	gone := map[string]bool{}
	for _, e := range entries {
		gone[key(e)] = true
	}
	match := func(e string) bool { return gone[key(e)] }
	s.Mask = slices.DeleteFunc(slices.Clone(s.Mask), match)
	s.Refuse = slices.DeleteFunc(slices.Clone(s.Refuse), match)
}

// add adds entries; those that are there get their new spelling and action.
func (s *settings) add(entries []string, refuse bool) {
	s.remove(entries...)
	to := &s.Mask
	if refuse {
		to = &s.Refuse
	}
	seen := map[string]bool{}
	for _, e := range entries {
		if k := key(e); !seen[k] {
			seen[k] = true
			*to = append(*to, e)
		}
	}
}

// problem is why a field cannot be used: a key of the texts, with what to fill
// in.
type problem struct {
	key   string
	pairs []string
}

func wrong(key string, pairs ...string) *problem { return &problem{"wordfilter.error." + key, pairs} }

// parseEntries reads entries, one a line.
func parseEntries(text string) ([]string, *problem) {
	var all []string
	for i, line := range strings.Split(text, "\n") {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" {
			continue
		}
		at := strconv.Itoa(i + 1)
		bare := strings.TrimSuffix(line, "*")
		switch {
		case !clean(line):
			return nil, wrong("characters", "line", at)
		case utf8.RuneCountInString(line) > maxEntry:
			return nil, wrong("long", "line", at, "n", strconv.Itoa(maxEntry))
		case len(fold(bare)) == 0 || bare != strings.TrimSpace(bare):
			return nil, wrong("blank", "line", at)
		}
		all = append(all, line)
	}
	if len(all) == 0 {
		return nil, wrong("none")
	}
	return all, nil
}

// parseMessage reads the owner's words for a refusal, made one line.
func parseMessage(text string) (string, *problem) {
	text = strings.Join(strings.Fields(text), " ")
	switch n := utf8.RuneCountInString(text); {
	case n > maxMessage:
		return "", wrong("message", "n", strconv.Itoa(n-maxMessage))
	case !clean(text):
		return "", wrong("messageCharacters")
	}
	return text, nil
}

// clean tells whether a line has only what can be shown.
func clean(line string) bool {
	return utf8.ValidString(line) && !strings.ContainsFunc(line, func(r rune) bool { return !hub.Readable(r) })
}
