package assistant

import (
	"context"
	"errors"
	"iter"

	"github.com/bellhub/bellhub/hub"
)

// Responder finds the answer to a question: the built-in one, or a model
// somewhere else.
type Responder interface {
	// Answer yields the answer, as Markdown, piece by piece; pieces are whole
	// characters and add up to the answer. An error ends it, and nothing of the
	// answer is kept: it is asked for again, unless the error is ErrFinal. It is
	// called concurrently, and stops soon after ctx ends.
	Answer(ctx context.Context, q Question) iter.Seq2[string, error]
}

// ErrFinal, wrapped in a Responder's error, says that asking again would not
// help.
var ErrFinal = errors.New("assistant: asking again would not help")

// Question is what a visitor wants to know.
type Question struct {
	Domain  string // the name of whom the answer is given for
	Text    string
	Lang    string // "en" or "id": what the question looks like
	History []Turn // the conversation before it, the oldest first

	// Passages are what the domain's knowledge has on it, the best first. What
	// is in them was written by the domain's owner.
	Passages []Passage
	Topics   []string // the titles of the domain's knowledge in Lang
}

// Turn is something said earlier in the conversation.
type Turn struct {
	By   hub.Kind
	Text string
}

// Passage is a piece of a domain's knowledge.
type Passage struct {
	Title string // of the text it is from
	Text  string // Markdown: a paragraph, or a list with the line that leads into it
	// Score ranks the passages of one question.
	Score float64
	// Cover is how much of the question the passage speaks of, from 0 to 1:
	// rare words count more.
	Cover float64
	// OnTopic tells that the text's title speaks of the question.
	OnTopic bool

	terms map[string]float64 // the question's stems, and what each counts
}
