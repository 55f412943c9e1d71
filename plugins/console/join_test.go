package console_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

func count(s *site, table string) (n int64) {
	if err := storage.Read(s.ctx).Table(table).Count(&n).Error; err != nil {
		s.t.Fatal(err)
	}
	return n
}

func TestJoin(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	r := s.room(d, "my secret question")
	l, token := s.link(r, s.rule(d, "cc@kopitugu.example", "Finance"), time.Hour)
	path, room := "/join/"+token, "/console/rooms/"+r.ID

	for range 2 {
		a := s.get(path, "")
		a.want(t, http.StatusOK, r.Ref, d.Name, `value="Finance"`, "Open conversation")
		a.lacks(t, "cc@kopitugu.example", "my secret question", r.ID)
		if s.do(http.MethodHead, path, "", nil).StatusCode != http.StatusOK || a.cookie() != nil {
			t.Error("looking at the link does something")
		}
	}
	if count(s, "grants") != 0 || count(s, "sessions") != 0 {
		t.Fatal("GET or HEAD wrote something")
	}
	s.post(path, "", url.Values{"name": {"A\u202Eb"}}).want(t, http.StatusUnprocessableEntity, "name-error")
	if count(s, "grants") != 0 {
		t.Fatal("a name that was refused is a grant")
	}

	in := s.post(path, "", url.Values{"name": {" Budi "}})
	in.leadsTo(t, room)
	c := in.cookie()
	if c == nil || c.Expires.Before(l.ExpiresAt.Add(-time.Second)) {
		t.Fatalf("cookie %+v", c)
	}
	s.get(path, c.Value).leadsTo(t, room)
	page := s.get(room, c.Value)
	page.want(t, http.StatusOK, r.Ref, "Stop these emails")
	page.lacks(t, "cc@kopitugu.example", "/console/domains/", "Revoke")
	access, _, err := storage.From(s.ctx).EnterAdmin(s.ctx, must(storage.IdentityByToken(s.ctx, c.Value)), r.ID)
	if err != nil || access.Author.Name != "Budi" {
		t.Fatalf("%+v %v", access, err)
	}
	if got := s.post(path, c.Value, url.Values{"name": {"Budi"}}).cookie(); got == nil || got.Value != c.Value {
		t.Error("the same browser gets a second session")
	}

	// One room, and nothing else.
	other := s.room(d, "another")
	s.get("/console/rooms/"+other.ID, c.Value).want(t, http.StatusNotFound)
	s.get("/console/domains/"+d.ID, c.Value).want(t, http.StatusUnauthorized)

	if err := storage.RevokeLink(s.ctx, d.ID, l.ID); err != nil {
		t.Fatal(err)
	}
	s.get(room, c.Value).want(t, http.StatusNotFound)
	s.get(path, c.Value).want(t, http.StatusGone, "withdrawn")
	s.post(path, "", url.Values{"name": {"Budi"}}).want(t, http.StatusGone, "withdrawn")
}

func TestJoinTwoLinks(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	r := s.room(d, "hi")
	_, one := s.link(r, s.rule(d, "a@kopitugu.example", ""), 48*time.Hour)
	_, two := s.link(r, s.rule(d, "b@kopitugu.example", "Sales"), time.Hour)
	in := s.post("/join/"+one, "", url.Values{"name": {"Ana"}}).cookie()
	s.get("/join/"+two, in.Value).want(t, http.StatusOK, `value="Sales"`)
	again := s.post("/join/"+two, in.Value, url.Values{"name": {"Budi"}}).cookie()
	if again.Expires.Before(in.Expires) {
		t.Error("a second link shortens the session")
	}
	s.get("/join/"+two, in.Value).leadsTo(t, "/console/rooms/"+r.ID)
}

// A recipient who is signed in as well is in the room as a member, under the
// name typed at the link, and may still stop the emails.
func TestJoinAsMember(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	r := s.room(d, "hi")
	me := s.signIn("ana@kopitugu.example", d.ID)
	rule := s.rule(d, "ana@kopitugu.example", "Sales")
	_, token := s.link(r, rule, time.Hour)
	s.post("/join/"+token, me, url.Values{"name": {"Ana"}}).leadsTo(t, "/console/rooms/"+r.ID)
	access, _, err := storage.From(s.ctx).EnterAdmin(s.ctx, must(storage.IdentityByToken(s.ctx, me)), r.ID)
	if err != nil || access.Author.Name != "Ana" || access.Link != "" {
		t.Errorf("%+v %v", access, err)
	}
	s.get("/console/rooms/"+r.ID, me).want(t, http.StatusOK, "Stop these emails")
	s.post("/console/rooms/"+r.ID+"/stop-emails", me, nil).want(t, http.StatusOK)
	if now := must(storage.RuleByID(s.ctx, d.ID, rule.ID)); now.Active {
		t.Error("the rule is still active")
	}
	s.get("/console/rooms/"+r.ID, me).lacks(t, "Stop these emails")
	s.get("/console/rooms/"+r.ID+"/stop-emails", me).want(t, http.StatusNotFound)
}

func TestJoinRefused(t *testing.T) {
	s := newSite(t, alerting(true))
	for _, token := range []string{"x", "..%2f..%2fconsole", "%ff"} {
		s.get("/join/"+token, "").want(t, http.StatusNotFound)
		s.post("/join/"+token, "", url.Values{"name": {"A"}}).want(t, http.StatusNotFound)
		s.post("/join/"+token+"/renew", "", url.Values{}).want(t, http.StatusNotFound)
	}
}

func TestRenew(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	r := s.room(d, "my secret question")
	rule := s.rule(d, "cc@kopitugu.example", "Finance")
	_, token := s.link(r, rule, -time.Minute)
	path := "/join/" + token

	page := s.get(path, "")
	page.want(t, http.StatusGone, "has expired", "Email me a new link")
	page.lacks(t, "cc@", r.Ref, d.Name, "secret")
	s.post(path, "", url.Values{"name": {"A"}}).want(t, http.StatusGone, "has expired")

	var first string
	renewals := func() []storage.Email {
		var out []storage.Email
		for _, e := range must(storage.EmailsOfRoom(s.ctx, d.ID, r.ID)) {
			if e.Kind == storage.EmailNewLink {
				out = append(out, e)
			}
		}
		return out
	}
	for range 3 {
		a := s.post(path+"/renew", "", url.Values{})
		a.want(t, http.StatusOK, "Check your inbox")
		a.lacks(t, "cc@", r.Ref)
		if first == "" {
			first = a.body
		}
		if a.body != first {
			t.Error("the answer tells whether an email was sent")
		}
	}
	got := renewals()
	if len(got) != 1 || got[0].Recipient != "cc@kopitugu.example" || got[0].RuleID != rule.ID || got[0].State != storage.EmailQueued {
		t.Fatalf("%+v", got)
	}
	if bell, err := got[0].Bell(); err != nil || bell.Room != r.Ref || bell.Reason != "help" {
		t.Errorf("%+v %v", bell, err)
	}
	if err := storage.DB(s.ctx).Exec("UPDATE emails SET created_at = ?", hub.Now().Add(-storage.RenewEvery)).Error; err != nil {
		t.Fatal(err)
	}
	s.post(path+"/renew", "", url.Values{}).want(t, http.StatusOK)
	if len(renewals()) != 2 {
		t.Error("no second email after five minutes")
	}

	if err := storage.DB(s.ctx).Exec("UPDATE emails SET created_at = '2020-01-01 00:00:00'").Error; err != nil {
		t.Fatal(err)
	}
	if err := storage.SetRuleActive(s.ctx, d.ID, rule.ID, false); err != nil {
		t.Fatal(err)
	}
	_, late := s.link(r, rule, -time.Minute)
	if a := s.post("/join/"+late+"/renew", "", url.Values{}); a.StatusCode != http.StatusOK || a.body != first {
		t.Error("the answer tells that the rule is off")
	}
	if len(renewals()) != 2 {
		t.Error("a rule that is off is emailed")
	}
}

func TestStopEmails(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	r := s.room(d, "hi")
	rule := s.rule(d, "cc@kopitugu.example", "")
	_, token := s.link(r, rule, time.Hour)
	me := s.post("/join/"+token, "", url.Values{"name": {"Ana"}}).cookie().Value
	path := "/console/rooms/" + r.ID + "/stop-emails"

	client := s.kit.Admin(t, must(storage.IdentityByToken(s.ctx, me)), r.ID)
	s.get(path, me).want(t, http.StatusOK, "Stop these emails?")
	if !must(storage.RuleByID(s.ctx, d.ID, rule.ID)).Active {
		t.Fatal("GET switched the rule off")
	}
	s.post(path, me, url.Values{}).want(t, http.StatusOK, "no more of these emails")
	if must(storage.RuleByID(s.ctx, d.ID, rule.ID)).Active {
		t.Error("the rule is still on")
	}
	client.WantClosed(hub.CloseRevoked)
	s.get("/console/rooms/"+r.ID, me).want(t, http.StatusNotFound)
	s.post(path, me, url.Values{}).want(t, http.StatusNotFound)

	// A member has Email Settings for it.
	member := s.signIn("ana@kopitugu.example", d.ID)
	s.post(path, member, url.Values{}).want(t, http.StatusNotFound)
}

func TestRevokeLink(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	r := s.room(d, "hi")
	l, token := s.link(r, s.rule(d, "cc@kopitugu.example", `<i>"Sales"`), time.Hour)
	s.get("/join/"+token, "").want(t, http.StatusOK, `value="&lt;i&gt;&#34;Sales&#34;"`)
	guest := s.post("/join/"+token, "", url.Values{"name": {"Ana"}}).cookie().Value
	member := s.signIn("ana@kopitugu.example", d.ID)
	path := "/console/rooms/" + r.ID + "/links/" + l.ID + "/revoke"

	s.get("/console/rooms/"+r.ID, member).want(t, http.StatusOK, "cc@kopitugu.example", "&lt;i&gt;&#34;Sales&#34;", "Revoke", "queued")
	s.post(path, guest, url.Values{}).want(t, http.StatusNotFound)
	other := s.room(d, "other")
	s.post("/console/rooms/"+other.ID+"/links/"+l.ID+"/revoke", member, url.Values{}).want(t, http.StatusNotFound)

	client := s.kit.Admin(t, must(storage.IdentityByToken(s.ctx, guest)), r.ID)
	s.post(path, member, url.Values{}).leadsTo(t, "/console/rooms/"+r.ID+"?done=revoked")
	client.WantClosed(hub.CloseRevoked)
	s.get("/console/rooms/"+r.ID, guest).want(t, http.StatusNotFound)
	s.post(path, member, url.Values{}).want(t, http.StatusNotFound)
}
