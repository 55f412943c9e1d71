package assistant

import (
	"strings"
	"testing"
)

func told(text string) string {
	q := Question{Domain: "Kopi *Tugu*", Text: text}
	newIndex(shop).consult(&q)
	return reply(q)
}

func TestReply(t *testing.T) {
	en, id := phrases[english], phrases[indonesian]
	for question, want := range map[string]string{
		"Do you ship to Oslo?":        "We ship abroad by courier:\n\n- Norway and Sweden: 39 euros, 4 days. Oslo too.\n\nFrom *Shipping*",
		"Hello, do you ship to Oslo?": "We ship abroad by courier:\n\n- Norway and Sweden: 39 euros, 4 days. Oslo too.\n\nFrom *Shipping*",
		"Kapan buka?":                 "Kami buka dari hari Selasa sampai Minggu.\n\nDari *Jam buka*",
		"Do you sell tractors?":       en.unknown,
		"Apakah menjual traktor?":     id.unknown,
		"Thanks!":                     en.thanks,
		"makasih kak":                 id.thanks,
		"bye":                         en.bye,
		"How are you?":                en.fine,
		"Can I talk to a human?":      en.person,
		"human":                       en.person,
		"bisa bicara dengan orang?":   id.person,
		"Who are you?":                "I'm an AI assistant, not a person. I answer from what Kopi \\*Tugu\\* has written down. For a person, press the bell next to the message box.",
		"halo":                        id.hello + " " + id.topics + "\n\n- Jam buka",
	} {
		if got := told(question); got != want {
			t.Errorf("%q is told\n%q, want\n%q", question, got, want)
		}
	}
	if got := told("hi"); !strings.HasPrefix(got, en.hello) || !strings.Contains(got, "\n- Shipping\n") {
		t.Errorf("hi is told %q", got)
	}
}

// The assistant cannot ring the bell, so nothing that it says may sound as if
// it had, or as if somebody were sure to come.
func TestPhrasesPromiseNobody(t *testing.T) {
	for lang, p := range phrases {
		for _, text := range []string{p.unknown, p.who, p.person} {
			if !strings.Contains(text, "bell") && !strings.Contains(text, "lonceng") {
				t.Errorf("%s: no way to a person: %q", lang, text)
			}
			for _, lie := range []string{"I have called", "I called", "I notified", "will be with you", "is on the way", "connecting you", "sudah saya panggil", "segera datang"} {
				if strings.Contains(text, lie) {
					t.Errorf("%s: %q says %q", lang, text, lie)
				}
			}
		}
	}
}

func TestLongParagraphIsCut(t *testing.T) {
	p := Passage{
		Title: "T", Text: strings.Repeat("This sentence is about something else entirely. ", 10) + "Parking is in the yard. " + strings.Repeat("And so is this. ", 10),
		terms: map[string]float64{stem("parking"): 1},
	}
	if got := excerpt(p); got != "Parking is in the yard." {
		t.Errorf("the excerpt is %q", got)
	}
}

func TestWeakAnswerSaysSo(t *testing.T) {
	if got := told("Do you ship to the moon?"); !strings.HasPrefix(got, phrases[english].closest) && got != phrases[english].unknown {
		t.Errorf("it is told %q", got)
	}
}
