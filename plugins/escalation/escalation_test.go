package escalation_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/spec/spectest"
	"github.com/bellhub/bellhub/plugins/escalation"
	"github.com/bellhub/bellhub/storage"
)

func TestMain(m *testing.M) {
	code := hubtest.Main(m)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// post stands in for mail: it says whether emails can leave; and for whoever words
// the confirmation.
type post struct {
	reachable bool
	message   string
	host      *hub.Host
}

func (*post) ID() string { return "post" }

func (p *post) Init(_ context.Context, h *hub.Host) error {
	p.host = h
	h.Hooks.BellRung.Bind(h, func(_ context.Context, e hub.BellRung) (hub.BellRung, error) {
		e.Reachable, e.Message = p.reachable, p.message
		return e, nil
	})
	return nil
}

// team stands in for takeover: a person answers, and no longer does.
type team struct{}

func (team) ID() string { return "team" }

func (team) Init(_ context.Context, h *hub.Host) error {
	for frame, event := range map[string]hub.EventType{"takeover": hub.EventTakeover, "handback": hub.EventHandback} {
		h.Handle(frame, hub.From(hub.Admin), func(ctx context.Context, f hub.Frame) (any, error) {
			room, err := h.Room(ctx, f.Room.ID)
			if err != nil {
				return nil, err
			}
			out, err := h.Append(ctx, hub.Append{Room: room.ID, Type: event, Author: f.Author, Epoch: room.Epoch})
			return map[string]int64{"seq": out.Event.Seq, "epoch": out.Room.Epoch}, err
		})
	}
	return nil
}

// shop is a domain with a visitor in it.
type shop struct {
	*hubtest.Kit
	post    *post
	bells   *escalation.Plugin
	visitor *hubtest.Client
}

// each runs a test on every database.
func each(t *testing.T, fn func(t *testing.T, s shop)) {
	for name, db := range map[string]func(testing.TB, ...storage.Migration) (context.Context, *storage.Store){
		"SQLite": hubtest.SQLite, "MariaDB": hubtest.MySQL,
	} {
		t.Run(name, func(t *testing.T) {
			s := shop{bells: escalation.New(), post: &post{reachable: true}}
			limits := hub.DefaultLimits()
			limits.BellsPerIPHour = 4
			s.Kit = hubtest.Start(t, hubtest.Options{Database: db, Limits: &limits, Check: spectest.Open(t).Check}, team{}, s.bells, s.post)
			s.visitor = s.Visitor(t)
			fn(t, s)
		})
	}
}

func (s shop) rule(t *testing.T, email string) storage.CCRule {
	t.Helper()
	r, err := storage.AddRule(s.Ctx, storage.CCRule{DomainID: s.Domain.ID, Email: email, Label: "Support"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ring presses the bell and returns the acknowledgement and the event.
func ring(t *testing.T, c *hubtest.Client, id, why string) (ack, event hubtest.Frame) {
	t.Helper()
	c.Send("contact-admin", id, map[string]any{"reason": why})
	if ack = c.Want("ack", "error"); ack.Type == "error" {
		t.Fatalf("refused: %s", ack.Data)
	}
	return ack, c.WantEvent(hub.EventEscalation)
}

func (s shop) emails(t *testing.T) []storage.Email {
	t.Helper()
	all, err := storage.EmailsOfRoom(s.Ctx, s.Domain.ID, s.visitor.Room)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// answer takes the room over and hands it back.
func (s shop) answer(t *testing.T) {
	t.Helper()
	c := s.admin(t)
	for _, f := range []string{"takeover", "handback"} {
		c.Send(f, storage.NewID(), nil)
		c.Want("ack")
	}
	s.visitor.WantEvent(hub.EventHandback)
}

// admin opens the visitor's room as a member of the team.
func (s shop) admin(t *testing.T) *hubtest.Client {
	t.Helper()
	a, err := storage.EnsureAdmin(s.Ctx, "ana@shop.example")
	if err != nil {
		t.Fatal(err)
	}
	token, err := storage.NewSignIn(s.Ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	cookie, _, err := storage.SignIn(s.Ctx, token, "")
	if err != nil {
		t.Fatal(err)
	}
	who, err := storage.IdentityByToken(s.Ctx, cookie)
	if err != nil {
		t.Fatal(err)
	}
	return s.Admin(t, who, s.visitor.Room)
}

func TestTheBellEmailsEveryActiveRecipientOnce(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.rule(t, "ana@shop.example")
		s.rule(t, "ben@shop.example")
		off := s.rule(t, "cleo@shop.example")
		if err := storage.SetRuleActive(s.Ctx, s.Domain.ID, off.ID, false); err != nil {
			t.Fatal(err)
		}
		// The bell works before a word has been said.
		ack, e := ring(t, s.visitor, "b-1", "  I need an invoice 🧾 <b>now</b>  ")
		if ack.Get("state") != "queued" || ack.Get("seq") != 1.0 || ack.Get("escalation") != e.Get("data.escalation") {
			t.Errorf("acknowledgement: %s", ack.Data)
		}
		if e.Get("text") != "I need an invoice 🧾 <b>now</b>" || e.Get("data.state") != "queued" {
			t.Errorf("event: %s", e.Data)
		}
		var to []string
		for _, m := range s.emails(t) {
			b, err := m.Bell()
			if err != nil || b.Reason != "I need an invoice 🧾 <b>now</b>" || b.Domain != "Shop" || b.DomainKey != "shop" || len(b.Room) != 9 || b.At.IsZero() {
				t.Errorf("facts %+v, %v", b, err)
			}
			to = append(to, m.Recipient+" "+string(m.State))
		}
		if got := strings.Join(to, ", "); got != "ben@shop.example queued, ana@shop.example queued" && got != "ana@shop.example queued, ben@shop.example queued" {
			t.Errorf("emails: %s", got)
		}

		// The same press again changes nothing; another one joins.
		again := s.visitor
		again.Send("contact-admin", "b-1", map[string]any{"reason": "  I need an invoice 🧾 <b>now</b>  "})
		if f := again.Want("ack", "error"); string(f.Data) != string(ack.Data) {
			t.Errorf("retried: %s", f.Data)
		}
		ack2, e2 := ring(t, s.visitor, "b-2", "Please")
		if ack2.Get("escalation") != ack.Get("escalation") || ack2.Get("state") != "queued" || e2.Get("data.again") != true {
			t.Errorf("joined: %s %s", ack2.Data, e2.Data)
		}
		if n := len(s.emails(t)); n != 2 {
			t.Errorf("%d emails after the second bell, want 2", n)
		}

		// Nothing is reset: the conversation goes on.
		s.visitor.Send("message", "m-1", map[string]any{"text": "hello?"})
		s.visitor.Want("ack")
		if r, err := storage.RoomIn(s.Ctx, s.Domain.ID, s.visitor.Room); err != nil || r.Mode != hub.ModeAI || r.Epoch != 1 {
			t.Errorf("room: %+v, %v", r, err)
		}
	})
}

func TestAnAnsweredCallIsOver(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.rule(t, "ana@shop.example")
		first, _ := ring(t, s.visitor, "b-1", "one")
		s.answer(t)
		second, e := ring(t, s.visitor, "b-2", "two")
		if first.Get("escalation") == second.Get("escalation") || e.Get("data.again") != nil || len(s.emails(t)) != 2 {
			t.Errorf("a new call: %s, %d emails", e.Data, len(s.emails(t)))
		}
		s.answer(t)
		ring(t, s.visitor, "b-3", "three")
		s.answer(t)
		fourth, e := ring(t, s.visitor, "b-4", "four")
		if fourth.Get("state") != "logged" || e.Get("data.limited") != true || len(s.emails(t)) != 3 {
			t.Errorf("over the limit of an hour: %s, %d emails", e.Data, len(s.emails(t)))
		}
	})
}

// Whoever answers already hears the bell in the room: a reply is an answer to it.
func TestABellWhileSomebodyAnswers(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		ana := s.admin(t)
		ana.Send("takeover", "t", nil)
		ana.Want("ack")
		ring(t, s.visitor, "b", "are you there?")
		if n, err := storage.CountWaiting(s.Ctx, s.Domain.ID); err != nil || n != 1 {
			t.Errorf("%d wait, %v", n, err)
		}
		ana.Send("message", "m", map[string]any{"text": "I am"})
		ana.Want("ack")
		if n, err := storage.CountWaiting(s.Ctx, s.Domain.ID); err != nil || n != 0 {
			t.Errorf("%d wait after the reply, %v", n, err)
		}
	})
}

func TestNobodyToAlert(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		ack, _ := ring(t, s.visitor, "b-1", "anybody?")
		if ack.Get("state") != "logged" || len(s.emails(t)) != 0 {
			t.Errorf("with no recipient: %s", ack.Data)
		}
		s.rule(t, "ana@shop.example")
		s.post.reachable = false
		ack, _ = ring(t, s.visitor, "b-2", "and now?")
		if ack.Get("state") != "logged" || len(s.emails(t)) != 1 || s.emails(t)[0].State != storage.EmailHeld {
			t.Errorf("with no mail: %s, %+v", ack.Data, s.emails(t))
		}
		s.post.reachable = true
		ack, _ = ring(t, s.visitor, "b-3", "once more")
		if ack.Get("state") != "queued" || len(s.emails(t)) != 2 {
			t.Errorf("once somebody can be reached, a bell reaches them: %s", ack.Data)
		}
	})
}

func TestBadReasons(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		for name, tt := range map[string]struct {
			data any
			code hub.Code
		}{
			"44 empty":        {map[string]any{"reason": ""}, hub.CodeBadReason},
			"44 blank":        {map[string]any{"reason": " \n "}, hub.CodeBadReason},
			"44 none":         {nil, hub.CodeBadReason},
			"44 overlong":     {map[string]any{"reason": strings.Repeat("é", 1001)}, hub.CodeBadReason},
			"43 bidi":         {map[string]any{"reason": "a\u202eb"}, hub.CodeBadReason},
			"32 unknown":      {map[string]any{"reason": "x", "to": "me@evil.example"}, hub.CodeBadField},
			"33 wrong type":   {map[string]any{"reason": 1}, hub.CodeBadField},
			"39 no client id": {map[string]any{"reason": "x"}, hub.CodeBadField},
		} {
			id := "b"
			if strings.HasPrefix(name, "39") {
				id = ""
			}
			s.visitor.Send("contact-admin", id, tt.data)
			if e := s.visitor.Want("error", "ack"); e.Get("code") != string(tt.code) {
				t.Errorf("%s: %s", name, e.Data)
			}
		}
		// Exactly the limit is fine, counted in characters.
		ring(t, s.visitor, "b-ok", strings.Repeat("é", 1000))
	})
}

func TestAnAddressThatRingsTooOften(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.rule(t, "ana@shop.example")
		s.post.message = "Request sent. We're away."
		for i := range 4 {
			v := s.Visitor(t, "shop")
			if ack, e := ring(t, v, "b", fmt.Sprint(i)); ack.Get("state") != "queued" || e.Get("data.message") != s.post.message {
				t.Errorf("bell %d: %s, %s", i, ack.Data, e.Data)
			}
		}
		// Nothing is sent, and nobody is told that it was.
		v := s.Visitor(t, "shop")
		if _, e := ring(t, v, "b", "five"); e.Get("data.limited") != true || e.Get("data.message") != nil {
			t.Errorf("fifth: %s", e.Data)
		}
	})
}

func TestTheLogInTheConsole(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		page := s.bells.Pages()[0]
		show := func(domain string) string {
			c, err := page.Render(s.Ctx, hub.PageRequest{Domain: domain, Path: "/here", Lang: "en"})
			if err != nil {
				t.Fatal(err)
			}
			return string(c.HTML)
		}
		if html := show(s.Domain.ID); !strings.Contains(html, "escalation.empty.title") {
			t.Errorf("empty: %s", html)
		}
		s.rule(t, "ana@shop.example")
		ring(t, s.visitor, "b-1", "<script>alert(1)</script>")
		html := show(s.Domain.ID)
		for _, want := range []string{"&lt;script&gt;alert(1)&lt;/script&gt;", "ana@shop.example", "<small>Support</small>", "/console/rooms/" + s.visitor.Room} {
			if !strings.Contains(html, want) {
				t.Errorf("the page lacks %q: %s", want, html)
			}
		}
		other, err := storage.AddDomain(s.Ctx, storage.Domain{Key: "other", Name: "Other"})
		if err != nil {
			t.Fatal(err)
		}
		if html := show(other.ID); strings.Contains(html, "alert") {
			t.Error("another domain's escalations are shown")
		}
	})
}
