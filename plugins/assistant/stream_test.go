package assistant

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

func TestFramesAddUp(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "short": "Yes.", "words": strings.Repeat("four short words here ", 40),
		"one word": strings.Repeat("x", 2000), "no spaces": strings.Repeat("珈琲豆", 300), "lines": strings.Repeat("- an item\n", 100),
		"spaces": strings.Repeat(" ", 500), "emoji": strings.Repeat("☕️ ", 200),
	} {
		all := slices.Collect(frames(text))
		if strings.Join(all, "") != text {
			t.Errorf("%s: the frames do not add up", name)
		}
		if len(all) > framesPerPiece {
			t.Errorf("%s: %d frames", name, len(all))
		}
		for _, f := range all {
			if f == "" || !utf8.ValidString(f) {
				t.Errorf("%s: a frame %q", name, f)
			}
		}
	}
}

// An answer that is there at once grows for a second and a half; one whose
// words trickle in is sent at most twenty times a second.
func TestGrowKeepsPace(t *testing.T) {
	whole := strings.Repeat("some words ", 100)
	for name, c := range map[string]struct {
		pieces []string
		every  time.Duration // between two pieces
		hurry  bool
		least  time.Duration
		most   time.Duration
	}{
		"at once":       {pieces: []string{whole}, least: 200 * time.Millisecond, most: 300 * time.Millisecond},
		"word by word":  {pieces: strings.SplitAfter(whole, " "), every: 10 * time.Millisecond, least: 2 * time.Second, most: 2300 * time.Millisecond},
		"somebody else": {pieces: []string{whole}, hurry: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var last time.Time
				var sent strings.Builder
				answer := func(yield func(string, error) bool) {
					for _, p := range c.pieces {
						if c.every > 0 {
							_ = pause(t.Context(), c.every)
						}
						if !yield(p, nil) {
							return
						}
					}
				}
				text, err := grow(t.Context(), answer, DefaultPace, func() bool { return c.hurry }, func(added string) {
					if gap := time.Since(last); gap < DefaultPace && !c.hurry {
						t.Errorf("two frames %s apart", gap)
					}
					last = time.Now()
					sent.WriteString(added)
				})
				if err != nil || text != whole || sent.String() != whole {
					t.Errorf("grew %d bytes, sent %d of %d, %v", len(text), sent.Len(), len(whole), err)
				}
				if took := time.Since(began); took < c.least || took > c.most {
					t.Errorf("took %s, want %s to %s", took, c.least, c.most)
				}
			})
		})
	}
}

func TestGrowFails(t *testing.T) {
	never := func() bool { return false }
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		text []string
	}{
		"in the middle":    {t.Context(), broken, []string{"Half an"}},
		"without a word":   {t.Context(), nil, nil},
		"out of time":      {ended, nil, []string{"Half an"}},
		"out of time, bad": {ended, broken, nil},
	} {
		text, err := grow(c.ctx, saying(c.err, c.text...), -1, never, func(string) {})
		if err == nil || text != "" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}
