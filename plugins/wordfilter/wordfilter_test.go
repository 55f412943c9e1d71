package wordfilter_test

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/spec/spectest"
	"github.com/bellhub/bellhub/plugins/wordfilter"
	"github.com/bellhub/bellhub/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// neighbour is another plugin, which hears of what is about to be stored, and
// speaks as the AI.
type neighbour struct {
	host  *hub.Host
	heard []string
}

func (*neighbour) ID() string { return "neighbour" }

func (n *neighbour) Init(_ context.Context, h *hub.Host) error {
	n.host = h
	h.Hooks.EventAppending.Bind(h, func(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
		n.heard = append(n.heard, e.Event.Text)
		return e, nil
	})
	return nil
}

// shop is a domain with a visitor in it.
type shop struct {
	*hubtest.Kit
	ctx       context.Context
	domain    storage.Domain
	plugin    *wordfilter.Plugin
	neighbour *neighbour
	visitor   *hubtest.Client
}

func open(t *testing.T) shop {
	t.Helper()
	s := shop{plugin: wordfilter.New(), neighbour: &neighbour{}}
	ctx, store := hubtest.SQLite(t)
	s.ctx = ctx
	// Listed first, the neighbour's hook comes after the filter's all the same.
	s.Kit = hubtest.Start(t, hubtest.Options{
		Ctx: ctx, Store: store, Limits: &hub.Limits{MaxText: 4000}, Texts: s.plugin.Texts(), Check: spectest.Open(t).Check,
	}, s.neighbour, s.plugin)
	var err error
	if s.domain, err = storage.AddDomain(ctx, storage.Domain{Key: "shop", Name: "Shop", AI: true}); err != nil {
		t.Fatal(err)
	}
	s.visitor = s.Visitor(t, "shop")
	return s
}

// page opens the page, or sends one of its forms.
func (s shop) page(t *testing.T, lang string, form url.Values) hub.PageContent {
	t.Helper()
	ask := hub.PageRequest{Domain: s.domain.ID, Path: "/console/domains/" + s.domain.ID + "/wordfilter", Lang: lang, Form: form, Post: form != nil}
	c, err := s.plugin.Pages()[0].Render(s.ctx, ask)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// do sends a form that must be right.
func (s shop) do(t *testing.T, pairs ...string) {
	t.Helper()
	if c := s.page(t, "en", form(pairs...)); !strings.Contains(c.Redirect, "/wordfilter?done=") {
		t.Fatalf("%v: %s", pairs, text(c))
	}
}

func form(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f
}

var tags = regexp.MustCompile(`<[^>]*>`)

// text is what a page says.
func text(c hub.PageContent) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(string(c.HTML), " "))), " ")
}

// says has the visitor say something; it returns what became of it.
func (s shop) says(t *testing.T, text string) string {
	t.Helper()
	id := fmt.Sprint("m-", len(s.visitor.Transcript()))
	s.visitor.Send("message", id, map[string]any{"text": text})
	for {
		switch f := s.visitor.Want("event", "error"); {
		case f.Type == "error":
			return fmt.Sprint(f.Get("code"), ": ", f.Get("message"))
		case f.Get("type") == "message":
			return f.Get("text").(string)
		}
	}
}

// Owners who save at the same moment lose nothing of each other's.
func TestOwnersWhoSaveAtOnce(t *testing.T) {
	s := open(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { s.do(t, "add", fmt.Sprint("rude", i), "action", "mask") })
	}
	all.Go(func() { s.do(t, "message", "Be kind.", "team", "on") })
	all.Wait()
	if got := text(s.page(t, "en", nil)); strings.Count(got, " rude") != 8 || !strings.Contains(got, "In everybody's messages") {
		t.Errorf("the page says %s", got)
	}
}

const refusal = "vetoed: Please put it another way: a word in it is not allowed here."

func TestWhatBecomesOfAMessage(t *testing.T) {
	s := open(t)
	if got := s.says(t, "you idiot"); got != "you idiot" {
		t.Errorf("without a list: %q", got)
	}
	s.do(t, "add", "idiot\r\ngo  away*", "action", "mask")
	s.do(t, "add", "damn", "action", "refuse")
	for said, want := range map[string]string{
		"You IDIOT, go awaaay":  "You •••••, go awaaay",
		"go away":               "•• ••••",
		"idiotic":               "idiotic",
		"Damn, you idiot":       refusal,
		"Do you ship to Oslo? ": "Do you ship to Oslo?",
	} {
		s.neighbour.heard = nil
		if got := s.says(t, said); got != want {
			t.Errorf("%q became %q, want %q", said, got, want)
		}
		switch heard := s.neighbour.heard; {
		case want == refusal && len(heard) > 0:
			t.Errorf("another plugin acted on a message that was refused: %q", heard)
		case want != refusal && (len(heard) != 1 || heard[0] != want):
			t.Errorf("another plugin heard %q", heard)
		}
	}
	// In the owner's words; those of the domain's default again without them.
	s.do(t, "message", "  Mohon sopan. ")
	if got := s.says(t, "damn"); got != "vetoed: Mohon sopan." {
		t.Errorf("refused with %q", got)
	}
	s.do(t, "message", "")
	if got := s.says(t, "damn"); got != refusal {
		t.Errorf("refused with %q", got)
	}
	s.do(t, "remove", "DAMN")
	if got := s.says(t, "damn"); got != "damn" {
		t.Errorf("after its removal: %q", got)
	}
}

// What is resent is the same message, though the filter has changed it.
func TestAMaskedMessageSentAgain(t *testing.T) {
	s := open(t)
	s.do(t, "add", "idiot", "action", "mask")
	for range 2 {
		s.visitor.Send("message", "m-1", map[string]any{"text": "idiot"})
		if ack := s.visitor.Want("ack", "error"); ack.Get("seq") != 1.0 {
			t.Fatalf("%s: %s", ack.Type, ack.Data)
		}
	}
}

func TestTheTeamAndTheAI(t *testing.T) {
	s := open(t)
	s.do(t, "add", "idiot", "action", "mask")
	s.do(t, "add", "damn", "action", "refuse")
	speak := func(kind hub.Kind, text string) string {
		room, err := s.neighbour.host.Room(s.ctx, s.visitor.Room)
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.neighbour.host.Append(s.ctx, hub.Append{
			Room: room.ID, Type: hub.EventMessage, Author: hub.Author{Kind: kind, ID: "x", Name: "X"}, Text: text, Epoch: room.Epoch,
		})
		if err != nil {
			return err.Error()
		}
		return out.Event.Text
	}
	for _, kind := range []hub.Kind{hub.AI, hub.Admin} {
		if got := speak(kind, "damn idiot"); got != "damn idiot" {
			t.Errorf("%s, who is not filtered: %q", kind, got)
		}
	}
	s.do(t, "message", "", "team", "on")
	if page := text(s.page(t, "en", nil)); !strings.Contains(page, "In everybody's messages") {
		t.Errorf("the page: %s", page)
	}
	for kind, want := range map[hub.Kind]string{
		hub.AI:    "•••• •••••", // an answer is never refused
		hub.Admin: refusal,
	} {
		if got := speak(kind, "damn idiot"); got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
}

func TestDomainsHaveTheirOwnLists(t *testing.T) {
	s := open(t)
	other, err := storage.AddDomain(s.ctx, storage.Domain{Key: "other", Name: "Other", AI: true})
	if err != nil {
		t.Fatal(err)
	}
	mine := s
	mine.domain = other
	mine.do(t, "add", "idiot", "action", "refuse")
	if got := s.says(t, "idiot"); got != "idiot" {
		t.Errorf("by another domain's list: %q", got)
	}
	if page := text(s.page(t, "en", nil)); !strings.Contains(page, "No words yet") || strings.Contains(page, "Remove") {
		t.Errorf("another domain's list is shown: %s", page)
	}
	mine.visitor = s.Visitor(t, "other")
	if got := mine.says(t, "idiot"); got != refusal {
		t.Errorf("by its own list: %q", got)
	}
}

// A conversation goes on while the list cannot be read: unfiltered where it was
// never known, and by what was known where it was.
func TestABrokenList(t *testing.T) {
	s := open(t)
	if err := storage.SaveSettings(s.ctx, s.domain.ID, "wordfilter", map[string]any{"words": 1}); err != nil {
		t.Fatal(err)
	}
	if got := s.says(t, "idiot"); got != "idiot" {
		t.Errorf("never known: %q", got)
	}
	if err := storage.SaveSettings(s.ctx, s.domain.ID, "wordfilter", map[string]any{"mask": []string{"idiot"}}); err != nil {
		t.Fatal(err)
	}
	if got := s.says(t, "idiot"); got != "•••••" {
		t.Errorf("mended: %q", got)
	}
	if err := storage.SaveSettings(s.ctx, s.domain.ID, "wordfilter", map[string]any{"words": 1}); err != nil {
		t.Fatal(err)
	}
	wordfilter.Expire(s.plugin)
	if got := s.says(t, "idiot"); got != "•••••" {
		t.Errorf("broken again: %q", got)
	}
}

func TestThePage(t *testing.T) {
	s := open(t)
	if page := text(s.page(t, "en", nil)); !strings.Contains(page, "No words yet Messages are shown as they are written.") {
		t.Errorf("empty: %s", page)
	}
	s.do(t, "add", "zebra\n\n<b>bold</b>\nIdiot", "action", "mask")
	s.do(t, "add", "IDIOT", "action", "refuse") // the same word: its new action
	c := s.page(t, "en", nil)
	if page := text(c); !strings.Contains(page, "<b>bold</b> Masked Remove IDIOT Refused Remove zebra Masked Remove") {
		t.Errorf("the list: %s", page)
	}
	if strings.Contains(string(c.HTML), "<b>") {
		t.Error("an entry is read as HTML")
	}
	if page := text(s.page(t, "id", nil)); !strings.Contains(page, "IDIOT Ditolak Hapus") {
		t.Errorf("in Indonesian: %s", page)
	}
	for tried, want := range map[string]string{
		"a zebra <i>": "It would be shown as: a ••••• <i>",
		"you idiot":   "It would be refused. Its author would read: Please put it another way",
		"hello":       "It would be shown as it is.",
	} {
		c := s.page(t, "en", form("try", tried))
		if page := text(c); c.Redirect != "" || !strings.Contains(page, want) || !strings.Contains(page, tried) {
			t.Errorf("%q tried: %s", tried, page)
		}
	}
	if page := text(s.page(t, "en", form("try", " "))); strings.Contains(page, "It would be") {
		t.Errorf("nothing tried: %s", page)
	}
	s.do(t, "remove", "IDIOT")
	if page := text(s.page(t, "en", nil)); strings.Contains(page, "IDIOT") {
		t.Errorf("removed: %s", page)
	}
}

// What is wrong stands beside its field, nothing is stored, and nothing that was
// typed is lost.
func TestMistakes(t *testing.T) {
	s := open(t)
	s.do(t, "add", "kept", "action", "mask")
	for name, tt := range map[string]struct{ field, value, want string }{
		"nothing":       {"add", " \n ", "Enter a word or a phrase."},
		"only a star":   {"add", "fine\n*", "Line 2: there is no word before the *."},
		"star apart":    {"add", "idiot *", "Line 1: there is no word before the *."},
		"unseen alone":  {"add", "\u200b", "Line 1: there is no word before the *."},
		"bidi":          {"add", "a\u202eb", "Line 1 has a character that cannot be shown."},
		"not UTF-8":     {"add", "a\xffb", "Line 1 has a character that cannot be shown."},
		"too long":      {"add", "a\n" + strings.Repeat("é", 101), "Line 2: at most 100 characters."},
		"too many":      {"add", numbers(500, ""), "At most 500 words and phrases."},
		"too much":      {"add", numbers(300, strings.Repeat("語", 90)), "The list has become too long to store."},
		"long message":  {"message", strings.Repeat("é", 302), "2 characters too many."},
		"bidi message":  {"message", "a\u202eb", "The text has a character that cannot be shown."},
		"bytes message": {"message", "a\xff", "The text has a character that cannot be shown."},
	} {
		c := s.page(t, "en", form(tt.field, tt.value, "action", "refuse"))
		at := regexp.MustCompile(`id="` + tt.field + `-error">([^<]*)<`).FindStringSubmatch(string(c.HTML))
		if c.Redirect != "" || at == nil || !strings.Contains(html.UnescapeString(at[1]), tt.want) || strings.Count(string(c.HTML), `aria-invalid="true"`) != 1 {
			t.Errorf("%s: %v", name, at)
		}
		if tt.field == "add" && !strings.Contains(string(c.HTML), `value="refuse" selected`) {
			t.Errorf("%s: the choice is lost", name)
		}
	}
	if page := text(s.page(t, "en", nil)); strings.Count(page, "Masked") != 1 || strings.Contains(page, "Refused") {
		t.Errorf("what was wrong has been stored: %s", page)
	}
	s.do(t, "add", numbers(499, strings.Repeat("x", 97)), "action", "mask") // just so many, just so long
}

// numbers is n entries.
func numbers(n int, suffix string) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, "%03d%s\n", i, suffix)
	}
	return all.String()
}

func TestEveryLanguageHasTheWords(t *testing.T) {
	all := wordfilter.New().Texts()
	if len(all) < 2 {
		t.Fatalf("languages: %d", len(all))
	}
	for lang, texts := range all {
		for key := range all[hub.DefaultLang] {
			if strings.TrimSpace(texts[key]) == "" || !strings.HasPrefix(key, "wordfilter.") {
				t.Errorf("%s: %s", lang, key)
			}
		}
		if len(texts) != len(all[hub.DefaultLang]) {
			t.Errorf("%s has words that English lacks", lang)
		}
	}
}
