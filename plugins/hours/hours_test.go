package hours_test

import (
	"cmp"
	"context"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/spec/spectest"
	"github.com/bellhub/bellhub/plugins/hours"
	"github.com/bellhub/bellhub/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bell stands in for the plugins on either side: it asks as the bell does, and
// says like mail whether emails can leave.
type bell struct {
	host      *hub.Host
	reachable bool
}

func (*bell) ID() string { return "bell" }

func (b *bell) Init(_ context.Context, h *hub.Host) error {
	b.host = h
	h.Hooks.BellRung.Bind(h, func(_ context.Context, e hub.BellRung) (hub.BellRung, error) {
		e.Reachable = b.reachable
		return e, nil
	})
	return nil
}

// shop is a domain in Jakarta, on a Sunday night.
type shop struct {
	*hubtest.Kit
	ctx     context.Context
	domain  storage.Domain
	bell    *bell
	plugin  *hours.Plugin
	visitor *hubtest.Client
}

func open(t *testing.T, now string) shop {
	t.Helper()
	at, err := time.Parse(time.RFC3339, now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, store := hubtest.SQLite(t)
	s := shop{ctx: ctx, bell: &bell{reachable: true}, plugin: hours.At(at)}
	// Listed first: its hook is the last all the same.
	s.Kit = hubtest.Start(t, hubtest.Options{Ctx: ctx, Store: store, Texts: s.plugin.Texts(), Check: spectest.Open(t).Check}, s.plugin, s.bell)
	s.domain, err = storage.AddDomain(ctx, storage.Domain{Key: "shop", Name: "Shop", TimeZone: "Asia/Jakarta", AI: true})
	if err != nil {
		t.Fatal(err)
	}
	s.visitor = s.Visitor(t, "shop")
	return s
}

// ring asks what a visitor who rings now is told.
func (s shop) ring(t *testing.T, lang ...string) string {
	t.Helper()
	room, err := s.bell.host.Room(s.ctx, s.visitor.Room)
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.bell.host.BellRung(s.ctx, hub.BellRung{Domain: room.Domain, Room: room, Reason: "invoice", Lang: cmp.Or(append(lang, hub.DefaultLang)...)})
	if err != nil {
		t.Fatalf("the bell is refused: %v", err)
	}
	if e.Reachable != s.bell.reachable {
		t.Error("who can be reached was changed")
	}
	return e.Message
}

// page opens the page, or sends its form.
func (s shop) page(t *testing.T, lang string, form url.Values) hub.PageContent {
	t.Helper()
	c, err := s.plugin.Pages()[0].Render(s.ctx, hub.PageRequest{
		Domain: s.domain.ID, Path: "/console/domains/" + s.domain.ID + "/hours", Lang: lang, Form: form, Post: form != nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// save sends the form, which must be right.
func (s shop) save(t *testing.T, form url.Values) {
	t.Helper()
	if c := s.page(t, "en", form); !strings.HasSuffix(c.Redirect, "/hours?done=saved") {
		t.Fatalf("not saved: %s", text(c))
	}
}

var tags = regexp.MustCompile(`<[^>]*>`)

// text is what a page says.
func text(c hub.PageContent) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(string(c.HTML), " "))), " ")
}

func working() url.Values {
	f := url.Values{}
	for _, d := range []string{"monday", "tuesday", "wednesday", "thursday", "friday"} {
		f.Set(d, "09:00-17:00")
	}
	return f
}

const (
	sundayNight = "2026-03-01T22:14:00+07:00"
	mondayNoon  = "2026-03-02T12:00:00+07:00"
)

func (s shop) recipient(t *testing.T) storage.CCRule {
	t.Helper()
	r, err := storage.AddRule(s.ctx, storage.CCRule{DomainID: s.domain.ID, Email: "ana@shop.example"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatAVisitorIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		now         string
		lang        string     // the visitor's
		form        url.Values // nil: nothing was ever saved
		nobody      bool       // no active recipient
		unreachable bool       // no emails leave
		want        string
	}{
		"no hours set":     {now: sundayNight},
		"within the hours": {now: mondayNoon, form: working()},
		"outside":          {now: sundayNight, form: working(), want: "Request sent. We're away until Monday 09:00 (UTC+7)."},
		"outside, no mail": {now: sundayNight, form: working(), unreachable: true, want: "Recorded, but nobody could be alerted. We're away until Monday 09:00 (UTC+7)."},
		"outside, nobody":  {now: sundayNight, form: working(), nobody: true, want: "Recorded, but nobody could be alerted. We're away until Monday 09:00 (UTC+7)."},
		"in Indonesian":    {now: sundayNight, lang: "id", form: working(), want: "Permintaan terkirim. Kami kembali Senin 09.00 (UTC+7)."},
		"in a language that the owner's words are not in": {now: sundayNight, form: with(with(working(), "lang", "id"), "text", "Sampai {when}."), want: "Permintaan terkirim. Sampai Senin 09.00 (UTC+7)."},
		"in no language of ours":                          {now: sundayNight, form: with(with(working(), "lang", "xx"), "text", "See you {when}."), want: "Request sent. See you Monday 09:00 (UTC+7)."},
		"in the owner's words":                            {now: sundayNight, form: with(working(), "text", " Selamat malam!\n Sampai {when}. "), want: "Request sent. Selamat malam! Sampai Monday 09:00 (UTC+7)."},
		"over a holiday":                                  {now: sundayNight, form: with(working(), "closed", "2026-03-02 – 2026-03-07"), want: "Request sent. We're away until Monday 9 March, 09:00 (UTC+7)."},
		"into the next year":                              {now: "2026-12-23T20:00:00+07:00", form: with(working(), "closed", "2026-12-24 – 2027-01-03"), want: "Request sent. We're away until Monday 4 January 2027, 09:00 (UTC+7)."},
		"closed on one date":                              {now: mondayNoon, form: url.Values{"closed": {"2026-03-02"}}, want: "Request sent. We're away until Tuesday 00:00 (UTC+7)."},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, tt.now)
			s.bell.reachable = !tt.unreachable
			rule := s.recipient(t)
			if tt.nobody {
				if err := storage.SetRuleActive(s.ctx, s.domain.ID, rule.ID, false); err != nil {
					t.Fatal(err)
				}
			}
			if tt.form != nil {
				s.save(t, tt.form)
			}
			if got := s.ring(t, tt.lang); got != tt.want {
				t.Errorf("told %q, want %q", got, tt.want)
			}
		})
	}
}

func with(f url.Values, name, value string) url.Values {
	f.Set(name, value)
	return f
}

// Somebody who works late is there, whatever the hours say.
func TestAPersonIsAnswering(t *testing.T) {
	s := open(t, sundayNight)
	s.save(t, working())
	room, err := s.bell.host.Room(s.ctx, s.visitor.Room)
	if err != nil {
		t.Fatal(err)
	}
	a := hub.Append{Room: room.ID, Type: hub.EventTakeover, Author: hub.Author{Kind: hub.Admin, ID: "ana", Name: "Ana"}, Epoch: room.Epoch}
	if _, err := s.bell.host.Append(s.ctx, a); err != nil {
		t.Fatal(err)
	}
	if got := s.ring(t); got != "" {
		t.Errorf("told %q", got)
	}
}

func TestDomainsHaveTheirOwnHours(t *testing.T) {
	s := open(t, sundayNight)
	other, err := storage.AddDomain(s.ctx, storage.Domain{Key: "other", Name: "Other", AI: true})
	if err != nil {
		t.Fatal(err)
	}
	shop := s.domain
	s.domain = other
	s.save(t, working())
	if got := s.ring(t); got != "" {
		t.Errorf("by another domain's hours, told %q", got)
	}
	s.domain = shop
	if page := text(s.page(t, "en", nil)); !strings.Contains(page, "Always open") {
		t.Errorf("another domain's hours are shown: %s", page)
	}
}

// The bell rings though the hours are broken, or the domain is gone.
func TestTheBellNeverFailsBecauseOfHours(t *testing.T) {
	s := open(t, sundayNight)
	s.recipient(t)
	s.save(t, working())
	if err := storage.SaveSettings(s.ctx, s.domain.ID, "hours", map[string]any{"weeks": 53}); err != nil {
		t.Fatal(err)
	}
	if got := s.ring(t); got != "" {
		t.Errorf("told %q", got)
	}
	if err := storage.SaveSettings(s.ctx, s.domain.ID, "hours", map[string]any{"closed": []any{map[string]any{"from": "2026-03-01", "to": "2026-03-01"}}}); err != nil {
		t.Fatal(err)
	}
	if got := s.ring(t); got == "" {
		t.Error("told nothing on a closed date")
	}
	if err := storage.DB(s.ctx).Exec("UPDATE domains SET id = 'gone'").Error; err != nil {
		t.Fatal(err)
	}
	if got := s.ring(t); got != "" {
		t.Errorf("told %q", got)
	}
}

func TestThePage(t *testing.T) {
	s := open(t, sundayNight)
	if page := text(s.page(t, "en", nil)); !strings.Contains(page, "Always open No hours are set") || !strings.Contains(page, "Asia/Jakarta (UTC+7)") {
		t.Errorf("empty: %s", page)
	}
	s.save(t, with(working(), "closed", "2026-12-25 Christmas\r\n2026-12-24"))
	shown := s.page(t, "en", nil)
	for _, want := range []string{
		"Closed now Opens Monday 09:00 (UTC+7).",
		"reads: Request sent. We're away until Monday 09:00 (UTC+7).",
		"2026-12-24 2026-12-25 Christmas",
	} {
		if page := text(shown); !strings.Contains(page, want) {
			t.Errorf("the page lacks %q: %s", want, page)
		}
	}
	if !strings.Contains(string(shown.HTML), `name="monday" value="09:00–17:00"`) {
		t.Errorf("Monday is not shown: %s", shown.HTML)
	}
	if page := text(s.page(t, "id", nil)); !strings.Contains(page, "Sedang tutup Buka Senin 09.00 (UTC+7).") {
		t.Errorf("in Indonesian: %s", page)
	}
	// Cleared again.
	s.save(t, url.Values{})
	if page := text(s.page(t, "en", nil)); !strings.Contains(page, "Always open") {
		t.Errorf("cleared: %s", page)
	}
}

func TestTheOpenPageSaysUntilWhen(t *testing.T) {
	s := open(t, mondayNoon)
	s.save(t, working())
	page := text(s.page(t, "en", nil))
	for _, want := range []string{"Open now Closes Monday 17:00 (UTC+7).", "We're away until Tuesday 09:00 (UTC+7)."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q: %s", want, page)
		}
	}
}

// What is wrong stands beside its field, nothing is stored, and nothing that was
// typed is lost.
func TestMistakes(t *testing.T) {
	s := open(t, mondayNoon)
	s.save(t, working())
	for field, tt := range map[string]struct{ value, id, want string }{
		"monday": {"9 to 5<b>", "monday-error", "“9 to 5&lt;b&gt;” is not understood."},
		"sunday": {"9-12, 11-17", "sunday-error", "09:00–12:00 and 11:00–17:00 overlap."},
		"closed": {"2026-12-25\n26.12.2026", "closed-error", "Line 2: write a date"},
		"text":   {strings.Repeat("é", 302), "text-error", "2 characters too many."},
	} {
		c := s.page(t, "en", with(with(working(), "tuesday", "10-11"), field, tt.value))
		page := string(c.HTML)
		at := regexp.MustCompile(`id="` + tt.id + `">([^<]*)<`).FindStringSubmatch(page)
		if c.Redirect != "" || at == nil || !strings.Contains(at[1], tt.want) {
			t.Errorf("%s: %v", field, at)
		}
		if !strings.Contains(page, html.EscapeString(tt.value)) || !strings.Contains(page, `value="10-11"`) || strings.Count(page, `aria-invalid="true"`) != 1 {
			t.Errorf("%s: the form is not as it was sent: %s", field, page)
		}
	}
	if page := string(s.page(t, "en", nil).HTML); !strings.Contains(page, `name="tuesday" value="09:00–17:00"`) {
		t.Error("what was wrong has been stored")
	}
}

func TestEveryLanguageHasTheWords(t *testing.T) {
	all := hours.New().Texts()
	if len(all) < 2 {
		t.Fatalf("languages: %d", len(all))
	}
	for lang, texts := range all {
		for key := range all[hub.DefaultLang] {
			if strings.TrimSpace(texts[key]) == "" || !strings.HasPrefix(key, "hours.") {
				t.Errorf("%s: %s", lang, key)
			}
		}
		if len(texts) != len(all[hub.DefaultLang]) {
			t.Errorf("%s has words that English lacks", lang)
		}
		for list, n := range map[string]int{"hours.weekdays": 7, "hours.months": 12} {
			if got := len(strings.Fields(texts[list])); got != n {
				t.Errorf("%s: %d %s", lang, got, list)
			}
		}
	}
}
