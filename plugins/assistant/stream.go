package assistant

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// framesPerPiece bounds the frames of an answer that is there at once: at
	// DefaultPace it has grown in a quarter of a second, which the eye can
	// follow and nobody has to wait for.
	framesPerPiece = 5
	// frameBytes is what makes a frame worth sending on its own.
	frameBytes = 16
)

// grow collects an answer and shows it as it grows: send gets what was added,
// at most once in pace, and what it got adds up to the answer. Where hurry says
// so there is no pause.
func grow(ctx context.Context, answer iter.Seq2[string, error], pace time.Duration, hurry func() bool, send func(string)) (string, error) {
	var whole strings.Builder
	var held string
	var last time.Time
	show := func(frame string) error {
		if wait := pace - time.Since(last); wait > 0 && !hurry() {
			if err := pause(ctx, wait); err != nil {
				return err
			}
		}
		send(frame)
		last = time.Now()
		return nil
	}
	for piece, err := range answer {
		if err != nil {
			return "", err
		}
		whole.WriteString(piece)
		held += piece
		switch {
		case len(piece) > 2*frameBytes: // an answer that is there at once
			for frame := range frames(held) {
				if err := show(frame); err != nil {
					return "", err
				}
			}
		case time.Since(last) < pace || held == "":
			continue // words come faster than frames should
		default:
			if err := show(held); err != nil {
				return "", err
			}
		}
		held = ""
	}
	if err := ctx.Err(); err != nil { // a Responder may end early without a word
		return "", err
	}
	if strings.TrimSpace(whole.String()) == "" {
		return "", errors.New("assistant: the answer is empty")
	}
	if held != "" {
		if err := show(held); err != nil {
			return "", err
		}
	}
	return whole.String(), nil
}

// frames cuts a text after words, into at most framesPerPiece pieces of about
// the same length.
func frames(text string) iter.Seq[string] {
	size := max(frameBytes, (len(text)+framesPerPiece-1)/framesPerPiece)
	return func(yield func(string) bool) {
		for len(text) > size {
			i := size
			for i < len(text) {
				r, n := utf8.DecodeRuneInString(text[i:])
				i += n
				if unicode.IsSpace(r) {
					break
				}
			}
			if !yield(text[:i]) {
				return
			}
			text = text[i:]
		}
		if text != "" {
			yield(text)
		}
	}
}
