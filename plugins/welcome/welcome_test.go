package welcome_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/spec/spectest"
	"github.com/bellhub/bellhub/plugins/welcome"
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

// ai stands in for the assistant: it answers each of a visitor's messages, and
// notes what the log holds when it is asked.
type ai struct{ asked chan []hub.Event }

func (ai) ID() string { return "ai" }

func (a ai) Init(_ context.Context, h *hub.Host) error {
	h.Hooks.EventStored.Bind(h, func(ctx context.Context, e hub.EventStored) {
		if e.Event.Type != hub.EventMessage || e.Event.Author.Kind != hub.Visitor {
			return
		}
		log, _, err := h.Events(ctx, e.Room.ID, hub.Range{Newest: true})
		if err == nil {
			_, err = h.Append(ctx, hub.Append{
				Room: e.Room.ID, Type: hub.EventMessage, Author: hub.Author{Kind: hub.AI}, Text: "Yes, to Norway.", Epoch: e.Room.Epoch,
			})
		}
		if err != nil {
			h.Log.Error("no answer", "err", err)
		}
		a.asked <- log
	})
	return nil
}

// shop is a domain with an AI.
type shop struct {
	*hubtest.Kit
	ctx    context.Context
	domain storage.Domain
	page   hub.Page
	ai     ai
}

// open is a shop on a database.
func open(t *testing.T, db func(testing.TB, ...storage.Migration) (context.Context, *storage.Store)) shop {
	t.Helper()
	p := welcome.New()
	s := shop{page: p.Pages()[0], ai: ai{make(chan []hub.Event, 10)}}
	ctx, store := db(t, p.Migrations()...)
	s.ctx = ctx
	s.Kit = hubtest.Start(t, hubtest.Options{Ctx: ctx, Store: store, Check: spectest.Open(t).Check}, s.ai, p)
	var err error
	if s.domain, err = storage.AddDomain(ctx, storage.Domain{Key: "shop", Name: "Shop", AI: true}); err != nil {
		t.Fatal(err)
	}
	return s
}

// each runs a test on every database.
func each(t *testing.T, fn func(t *testing.T, s shop)) {
	for name, db := range map[string]func(testing.TB, ...storage.Migration) (context.Context, *storage.Store){
		"SQLite": hubtest.SQLite, "MariaDB": hubtest.MySQL,
	} {
		t.Run(name, func(t *testing.T) { fn(t, open(t, db)) })
	}
}

// write adds a greeting as the owner does.
func (s shop) write(t *testing.T, text, page, delay string) {
	t.Helper()
	if got := s.post(t, "do", "save", "text", text, "page", page, "delay", delay); got.Redirect == "" {
		t.Fatalf("not added: %s", got.HTML)
	}
}

func (s shop) post(t *testing.T, pairs ...string) hub.PageContent {
	t.Helper()
	got, err := s.render(true, pairs...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (s shop) render(post bool, pairs ...string) (hub.PageContent, error) {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return s.page.Render(s.ctx, hub.PageRequest{
		Domain: s.domain.ID, Path: "/console/domains/x/welcome", Post: post, Form: form, Lang: "en",
	})
}

// ask asks for a greeting, and returns when to ask again.
func ask(t *testing.T, c *hubtest.Client, page string, after int) any {
	t.Helper()
	c.Send("greeting", storage.NewID(), map[string]any{"page": page, "open": after})
	f := c.Want("ack", "error")
	if f.Type == "error" {
		t.Fatalf("refused: %s", f.Data)
	}
	return f.Get("after")
}

func (s shop) listed(t *testing.T) int {
	t.Helper()
	all, err := storage.Rooms(s.ctx, s.domain.ID, storage.RoomFilter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// silent checks that nothing was said to a client since it looked last.
func silent(t *testing.T, what string, c *hubtest.Client) {
	t.Helper()
	for _, f := range c.Drain() {
		if f.Type == "event" {
			t.Errorf("%s: %s", what, f.Data)
		}
	}
}

func TestAVisitorIsGreetedAndTheAIKnows(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.write(t, "Shall I help you **choose**?", "/beans/*", "10")
		s.write(t, "Hello!", "", "30")
		visitor := s.Visitor(t, "shop")
		other := s.Again(t, visitor)
		if after := ask(t, visitor, "/beans/gayo", 0); after != 10.0 {
			t.Errorf("ask again after %v s, want 10", after)
		}
		if after := ask(t, visitor, "/about", 10); after != 20.0 {
			t.Errorf("ask again after %v s, want 20", after)
		}
		silent(t, "before the delay was over", visitor)
		if after := ask(t, visitor, "/beans/gayo", 10); after != nil {
			t.Errorf("ask again after %v s", after)
		}
		for _, c := range []*hubtest.Client{visitor, other} {
			e := c.WantEvent(hub.EventMessage)
			if e.Get("seq") != 1.0 || e.Get("author.kind") != "ai" || e.Get("text") != "Shall I help you **choose**?" || e.Get("html") == nil {
				t.Errorf("the greeting is %s", e.Data)
			}
		}
		// Another tab, later, on another page.
		if after := ask(t, other, "/about", 30); after != nil {
			t.Errorf("greeted, and to ask again after %v s", after)
		}
		silent(t, "greeted again", other)
		if n := s.listed(t); n != 0 {
			t.Errorf("%d conversations are listed, and nobody has said a word", n)
		}

		// It is history to the AI.
		visitor.Send("message", "m-1", map[string]any{"text": "Do you ship to Oslo?"})
		for _, want := range []string{"Do you ship to Oslo?", "Yes, to Norway."} {
			if e := visitor.WantEvent(hub.EventMessage); e.Get("text") != want {
				t.Errorf("the log goes on with %s, want %q", e.Data, want)
			}
		}
		log := <-s.ai.asked
		if len(log) != 2 || log[0].Text != "Shall I help you **choose**?" || log[0].Author.Kind != hub.AI || log[1].Text != "Do you ship to Oslo?" {
			t.Errorf("the AI was asked after %v", log)
		}
		if n := s.listed(t); n != 1 {
			t.Errorf("%d conversations are listed", n)
		}
	})
}

// Whatever was said first, whoever answers, also where this node has not heard
// of it yet: nobody is greeted.
func TestNobodyIsGreetedLate(t *testing.T) {
	admin := hub.Author{Kind: hub.Admin, ID: "ana", Name: "Ana"}
	for name, before := range map[string]func(t *testing.T, s shop, c *hubtest.Client){
		"the visitor has spoken": func(_ *testing.T, _ shop, c *hubtest.Client) {
			c.Send("message", "m-1", map[string]any{"text": "Hi"})
			c.Want("ack")
		},
		"on another node the visitor has": func(t *testing.T, s shop, c *hubtest.Client) {
			s.behind(t, hub.Append{Room: c.Room, Type: hub.EventMessage, Author: hub.Author{Kind: hub.Visitor, ID: "v"}, Text: "Hi"})
		},
		"a person answers, says another node": func(t *testing.T, s shop, c *hubtest.Client) {
			s.behind(t, hub.Append{Room: c.Room, Type: hub.EventTakeover, Author: admin, Epoch: 1})
		},
		"a person has been there": func(t *testing.T, s shop, c *hubtest.Client) {
			s.behind(t, hub.Append{Room: c.Room, Type: hub.EventTakeover, Author: admin, Epoch: 1})
			s.behind(t, hub.Append{Room: c.Room, Type: hub.EventHandback, Author: admin, Epoch: 2})
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, s shop) {
				s.write(t, "Hello!", "", "0")
				c := s.Visitor(t, "shop")
				before(t, s, c)
				if after := ask(t, c, "/", 0); after != nil {
					t.Errorf("ask again after %v s", after)
				}
				events, _, err := storage.From(s.ctx).Events(s.ctx, c.Room, hub.Range{Newest: true})
				for _, e := range events {
					if e.Text == "Hello!" {
						t.Error("greeted")
					}
				}
				if err != nil || len(events) == 0 {
					t.Errorf("the log: %v, %v", events, err)
				}
			})
		})
	}
	t.Run("the AI is off", func(t *testing.T) {
		s := open(t, hubtest.SQLite)
		s.write(t, "Hello!", "", "0")
		off := s.domain
		off.AI = false
		if err := storage.UpdateDomain(s.ctx, off, nil); err != nil {
			t.Fatal(err)
		}
		c := s.Visitor(t, "shop")
		if after := ask(t, c, "/", 0); after != nil {
			t.Errorf("ask again after %v s", after)
		}
		silent(t, "nobody answers", c)
	})
}

// behind appends behind the hub's back, as another node does whose signal is lost.
func (s shop) behind(t *testing.T, a hub.Append) {
	t.Helper()
	if _, err := storage.From(s.ctx).Append(s.ctx, a); err != nil {
		t.Fatal(err)
	}
}

// A greeting was stored, and nobody learnt of it: whoever asks again is shown it,
// and it is not said twice.
func TestAGreetingThatNobodyHeardIsShown(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.write(t, "Hello!", "", "0")
		c := s.Visitor(t, "shop")
		s.behind(t, hub.Append{
			Room: c.Room, Type: hub.EventMessage, Author: hub.Author{Kind: hub.AI, ID: "welcome", Name: "AI assistant"},
			Text: "Hello!", Epoch: 1, ClientID: "greeting", Hash: "greeting",
		})
		ask(t, c, "/", 0)
		if e := c.WantEvent(hub.EventMessage); e.Get("seq") != 1.0 || e.Get("text") != "Hello!" {
			t.Errorf("it is shown %s", e.Data)
		}
		silent(t, "greeted again", c)
	})
}

// Many tabs ask at the same moment, and some frames are sent twice.
func TestManyTabsGreetOnce(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.write(t, "Hello!", "", "0")
		tabs := []*hubtest.Client{s.Visitor(t, "shop")}
		for range 4 {
			tabs = append(tabs, s.Again(t, tabs[0]))
		}
		for _, c := range tabs {
			for range 2 {
				c.Send("greeting", "g-1", map[string]any{"page": "/"})
			}
		}
		for _, c := range tabs {
			greeted := 0
			for range 3 { // two acknowledgements and the greeting, in whatever order
				if c.Want("ack", "event").Type == "event" {
					greeted++
				}
			}
			if silent(t, "greeted again", c); greeted != 1 {
				t.Errorf("greeted %d times", greeted)
			}
		}
	})
}

func TestWhatIsAskedIsChecked(t *testing.T) {
	s := open(t, hubtest.SQLite)
	c := s.Visitor(t, "shop")
	for _, tt := range []struct {
		data string
		code hub.Code
	}{
		{`{"page":"/` + strings.Repeat("x", 2000) + `"}`, hub.CodeBadField},
		{`{"page":"/","open":-1}`, hub.CodeBadField},
		{`{"page":"/","open":1.5}`, hub.CodeBadField},
		{`{"page":7}`, hub.CodeBadField},
		{`{"page":"/","token":"x"}`, hub.CodeBadField},
	} {
		c.SendRaw(`{"type":"greeting","id":"g","data":` + tt.data + `}`)
		c.WantError(tt.code)
	}
	a, err := storage.EnsureAdmin(s.ctx, "ana@shop.example")
	if err != nil {
		t.Fatal(err)
	}
	token, err := storage.NewSignIn(s.ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	cookie, _, err := storage.SignIn(s.ctx, token, "")
	if err != nil {
		t.Fatal(err)
	}
	who, err := storage.IdentityByToken(s.ctx, cookie)
	if err != nil {
		t.Fatal(err)
	}
	admin := s.Admin(t, who, c.Room)
	admin.Send("greeting", "g", map[string]any{"page": "/"})
	admin.WantError(hub.CodeForbidden)
}
