package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// TestIsolation asks every route of a domain and of a room for what is another's.
func TestIsolation(t *testing.T) {
	s := newSite(t, alerting(true), pager{})
	mine, theirs := s.domain("mine"), s.domain("theirs")
	r := s.room(theirs, "a secret question")
	rule := s.rule(theirs, "cc@theirs.example", "Sales")
	l, _ := s.link(r, rule, time.Hour)
	me := s.signIn("ana@mine.example", mine.ID)

	form := url.Values{"email": {"x@mine.example"}, "active": {"off"}, "name": {"x"}, "zone": {"UTC"}}
	for _, path := range []string{
		"GET /console/domains/%s", "GET /console/domains/%s/settings", "POST /console/domains/%s/settings",
		"GET /console/domains/%s/email", "POST /console/domains/%s/email/rules",
		"POST /console/domains/%s/email/rules/" + rule.ID + "/active", "POST /console/domains/%s/email/rules/" + rule.ID + "/remove",
		"GET /console/domains/%s/escalations", "POST /console/domains/%s/escalations", "GET /console/domains/%s/nothing",
	} {
		method, path, _ := strings.Cut(path, " ")
		unknown := s.do(method, fmt.Sprintf(path, storage.NewID()), me, form)
		unknown.want(t, http.StatusNotFound, "Nothing here")
		for _, id := range []string{theirs.ID, strings.ToUpper(mine.ID), mine.ID + "%20", "x", "%00", "1"} {
			a := s.do(method, fmt.Sprintf(path, id), me, form)
			a.want(t, http.StatusNotFound)
			if a.body != unknown.body {
				t.Errorf("%s %s %s: not the page of what does not exist", method, path, id)
			}
		}
		s.do(method, fmt.Sprintf(path, theirs.ID), "", form).want(t, http.StatusUnauthorized)
	}
	// Through one's own domain another's rule is no nearer.
	for _, act := range []string{"active", "remove"} {
		s.post("/console/domains/"+mine.ID+"/email/rules/"+rule.ID+"/"+act, me, form).want(t, http.StatusNotFound)
	}
	if got := must(storage.RuleByID(s.ctx, theirs.ID, rule.ID)); !got.Active {
		t.Error("another's rule was switched")
	}
	for _, path := range []string{
		"GET /console/rooms/%s", "POST /console/rooms/%s/links/" + l.ID + "/revoke",
		"GET /console/rooms/%s/stop-emails", "POST /console/rooms/%s/stop-emails",
	} {
		method, path, _ := strings.Cut(path, " ")
		for _, id := range []string{r.ID, storage.NewID(), "x"} {
			a := s.do(method, fmt.Sprintf(path, id), me, form)
			a.want(t, http.StatusNotFound, "Nothing here")
			a.lacks(t, r.Ref, theirs.Name)
			s.do(method, fmt.Sprintf(path, id), "", form).want(t, http.StatusNotFound)
		}
	}
	home := s.get("/console/domains/"+mine.ID, me)
	home.want(t, http.StatusOK)
	home.lacks(t, theirs.ID, theirs.Name, r.Ref, "secret", "Add domain")
}

func TestOperator(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	operator, member := s.signIn("op@kopitugu.example"), s.signIn("ana@kopitugu.example", d.ID)

	s.get("/console", operator).leadsTo(t, "/console/domains/"+d.ID)
	s.get("/console/domains/new", operator).want(t, http.StatusOK, "Add domain")
	s.get("/console/domains/new", member).want(t, http.StatusNotFound)
	s.post("/console/domains", member, url.Values{"name": {"x"}}).want(t, http.StatusNotFound)
	s.post("/console/domains", operator, url.Values{"name": {""}}).want(t, http.StatusUnprocessableEntity, "name-error")
	s.post("/console/domains", operator, url.Values{"name": {"x"}, "key": {"Ünï"}}).want(t, http.StatusUnprocessableEntity, "key-error")
	s.post("/console/domains", operator, url.Values{"name": {"x"}, "key": {"tugu"}}).want(t, http.StatusUnprocessableEntity, "Another domain has this key.")
	a := s.post("/console/domains", operator, url.Values{"name": {"Toko <b>"}, "key": {"toko"}})
	added := must(storage.DomainByKey(s.ctx, "toko"))
	a.leadsTo(t, "/console/domains/"+added.ID)
	page := s.get("/console/domains/"+added.ID, operator)
	page.want(t, http.StatusOK, "No conversations yet", "Toko &lt;b&gt;", "Nobody will be emailed. Add a recipient.",
		"&lt;script src=&#34;https://chat.example/widget.js&#34; data-domain=&#34;toko&#34; defer&gt;&lt;/script&gt;")
	s.get("/console/domains/"+added.ID, member).want(t, http.StatusNotFound)

	nobody := s.signIn("new@kopitugu.example", storage.NewID())
	s.get("/console", nobody).want(t, http.StatusOK, "not a member of any domain")
}

func TestConversations(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	me := s.signIn("ana@kopitugu.example", d.ID)
	first := s.ring(s.room(d, "first"), "an <i>invoice</i>", hub.StateNotified)
	for hub.Now().Equal(first.Last.At) { // the list is ordered by the millisecond
	}
	second := s.room(d, "<script>alert(1)</script>")
	answered := s.ring(s.room(d, "third"), "done", hub.StateJoined)

	page := s.get("/console/domains/"+d.ID, me)
	page.want(t, http.StatusOK, "(1) Conversations", first.Ref, second.Ref, answered.Ref,
		"an &lt;i&gt;invoice&lt;/i&gt;", "&lt;script&gt;alert(1)", "Bell: team notified", "Visitor:")
	if strings.Index(page.body, first.Ref) > strings.Index(page.body, second.Ref) {
		t.Error("who waits does not come first")
	}
	if strings.Count(page.body, `data-room="`+first.ID) != 1 {
		t.Error("who waits is listed twice")
	}
	waiting := s.get("/console/domains/"+d.ID+"?show=waiting", me)
	waiting.want(t, http.StatusOK, first.Ref)
	waiting.lacks(t, second.Ref, answered.Ref)

	for i := range 40 {
		s.room(d, fmt.Sprint("room ", i))
	}
	page = s.get("/console/domains/"+d.ID, me)
	_, rest, ok := strings.Cut(page.body, `data-older href="`)
	older, _, _ := strings.Cut(rest, `"`)
	if !ok {
		t.Fatal("no way to older conversations")
	}
	page = s.get(strings.ReplaceAll(older, "&amp;", "&"), me)
	page.want(t, http.StatusOK, second.Ref)
	page.lacks(t, "room 39", "data-live")
	s.get("/console/domains/"+d.ID+"?after=yesterday", me).want(t, http.StatusNotFound)
}

func TestSettings(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	me := s.signIn("ana@kopitugu.example", d.ID)
	path := "/console/domains/" + d.ID + "/settings"
	s.get(path, me).want(t, http.StatusOK, "Kopi tugu", "Asia/Jakarta", `value="tugu"`, "Copy", "checked")

	for name, c := range map[string]struct {
		form  url.Values
		words string
	}{
		"no name":   {url.Values{"name": {" "}, "zone": {"UTC"}}, "name-error"},
		"long name": {url.Values{"name": {strings.Repeat("a", 101)}, "zone": {"UTC"}}, "name-error"},
		"no zone":   {url.Values{"name": {"Tugu"}, "zone": {""}}, "zone-error"},
		"a zone":    {url.Values{"name": {"Tugu"}, "zone": {"Mars/Base"}}, "zone-error"},
		"a path":    {url.Values{"name": {"Tugu"}, "zone": {"../../etc/passwd"}}, "zone-error"},
		"local":     {url.Values{"name": {"Tugu"}, "zone": {"Local"}}, "zone-error"},
		"wildcard":  {url.Values{"name": {"Tugu"}, "zone": {"UTC"}, "origins": {"a.example\n*.b.example"}}, "Line 2 has a wildcard"},
		"scheme":    {url.Values{"name": {"Tugu"}, "zone": {"UTC"}, "origins": {"a.example\n\njavascript:alert(1)"}}, "Line 3 is not a host"},
		"port":      {url.Values{"name": {"Tugu"}, "zone": {"UTC"}, "origins": {"a.example:99999"}}, "Line 1 is not a host"},
		"too many":  {url.Values{"name": {"Tugu"}, "zone": {"UTC"}, "origins": {strings.Repeat("a.example\n", 101)}}, "At most 100"},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.post(path, me, c.form)
			a.want(t, http.StatusUnprocessableEntity, c.words)
			if text := c.form.Get("origins"); len(text) < 100 && !strings.Contains(a.body, ">"+text+"</textarea>") {
				t.Error("what was typed is gone")
			}
		})
	}
	if got := must(storage.DomainByID(s.ctx, d.ID)); got.Name != d.Name || len(got.Origins) != 0 {
		t.Fatalf("a refused form was stored: %+v", got)
	}
	s.post(path, me, url.Values{
		"name": {"Tugu & Co"}, "zone": {"Europe/Oslo"},
		"origins": {"https://Shop.Example/some/page?x=1\r\nlocalhost:3000\r\nshop.example\r\n"},
	}).leadsTo(t, path+"?done=saved")
	got := must(storage.DomainByID(s.ctx, d.ID))
	if got.Name != "Tugu & Co" || got.TimeZone != "Europe/Oslo" || got.AI || strings.Join(got.Hosts(), " ") != "localhost:3000 shop.example" {
		t.Fatalf("%+v", got)
	}
	s.get(path+"?done=saved", me).want(t, http.StatusOK, "Settings saved.", "Tugu &amp; Co")
}

func TestMailOff(t *testing.T) {
	s := newSite(t, alerting(false))
	d := s.domain("tugu")
	me := s.signIn("ana@kopitugu.example", d.ID)
	r := s.room(d, "hi")
	must(storage.AddEmails(s.ctx, storage.Email{DomainID: d.ID, RoomID: r.ID, Kind: storage.EmailBell, Recipient: "a@b.example", State: storage.EmailHeld}))
	for _, path := range []string{"", "/settings", "/email"} {
		s.get("/console/domains/"+d.ID+path, me).want(t, http.StatusOK, "Mail is not configured. 1 bells wait.")
	}
	s.get("/console/rooms/"+r.ID, me).want(t, http.StatusOK, "Mail is not configured. 1 bells wait.", "held")
}
