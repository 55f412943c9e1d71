package assistant

import (
	"context"
	"iter"
	"slices"
	"strings"
)

// Quoting is the built-in Responder. It quotes the passages that fit the
// question best, and says so plainly where none does. It needs no network and
// invents nothing.
type Quoting struct{}

// Answer implements [Responder].
func (Quoting) Answer(_ context.Context, q Question) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield(reply(q), nil) }
}

// What a passage must cover of the question to be an answer; less will do where
// the title of its text speaks of the question.
const (
	coverNeeded  = 0.5
	coverOnTopic = 0.28
	coverSure    = 0.6 // below it the answer says that it is the closest there is
)

const (
	quoteBytes  = 420  // a paragraph longer than this is cut to what bears on the question
	quoteParts  = 4    // and a list, to so many sentences or items
	secondScore = 0.75 // of the best passage's, for a second one from the same text
	secondOther = 0.9  // and from another text
	secondBytes = 600  // of both passages together
)

// reply composes the answer.
func reply(q Question) string {
	say := phrases[q.Lang]
	if text := smallTalk(q, say); text != "" {
		return text
	}
	if len(q.Passages) == 0 || !fits(q.Passages[0]) {
		return say.unknown
	}
	best := q.Passages[0]
	var b strings.Builder
	if best.Cover < coverSure {
		b.WriteString(say.closest + "\n\n")
	}
	first := excerpt(best)
	b.WriteString(first)
	titles := []string{best.Title}
	// A second passage only where it is nearly as good: a short answer is read.
	if i := slices.IndexFunc(q.Passages[1:], func(p Passage) bool {
		least := secondScore
		if p.Title != best.Title {
			least = secondOther
		}
		return fits(p) && p.bears(p.Text) > 0 && p.Score >= least*best.Score && len(first)+len(excerpt(p)) <= secondBytes
	}); i >= 0 {
		p := q.Passages[1+i]
		b.WriteString("\n\n" + excerpt(p))
		if p.Title != best.Title {
			titles = append(titles, p.Title)
		}
	}
	for i := range titles {
		titles[i] = "*" + literal(titles[i]) + "*"
	}
	b.WriteString("\n\n" + say.from + " " + strings.Join(titles, ", "))
	return b.String()
}

func fits(p Passage) bool {
	return p.Cover >= coverNeeded || p.OnTopic && p.Cover >= coverOnTopic
}

// excerpt is the part of a passage that bears on the question: the items of a
// list, or the sentences of a long paragraph, that the question's words are in,
// in their order.
func excerpt(p Passage) string {
	lead, all, list := parts(p.Text)
	if !list && len(p.Text) <= quoteBytes || strings.Contains(p.Text, "```") {
		return p.Text
	}
	scores := make([]float64, len(all))
	for i, part := range all {
		scores[i] = p.bears(part)
	}
	best := slices.Max(scores)
	var kept []string
	for i, part := range all {
		// Where no part bears on it, the passage was found by its title or its
		// lead: its beginning says most.
		if scores[i] > best/2 || best == 0 {
			kept = append(kept, part)
		}
	}
	return join(lead, kept[:min(len(kept), quoteParts)], list)
}

// bears sums up the question's words in a text.
func (p Passage) bears(text string) float64 {
	found := map[string]float64{}
	for t := range terms(text, "") {
		if p.terms[t] > 0 {
			found[t] = p.terms[t]
		}
		for _, k := range kin[t] {
			if v := p.terms[k] * kinWeight; v > found[k] {
				found[k] = v
			}
		}
	}
	sum := 0.0
	for _, v := range found {
		sum += v
	}
	return sum
}

func join(lead string, parts []string, list bool) string {
	if !list {
		return strings.Join(parts, " ")
	}
	text := strings.Join(parts, "\n")
	if lead != "" {
		text = lead + "\n\n" + text
	}
	return text
}

// literal keeps Markdown from reading a title.
func literal(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "<", `\<`, "\n", " ").Replace(s)
}
