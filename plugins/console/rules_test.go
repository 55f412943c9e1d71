package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

func TestAddRule(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	me := s.signIn("ana@kopitugu.example", d.ID)
	path := "/console/domains/" + d.ID + "/email"
	s.get(path, me).want(t, http.StatusOK, "Nobody will be emailed. Add a recipient.", "CC Rules",
		"Every active recipient gets every bell and can answer it. A label tells them apart in the email and the log.")

	for name, address := range map[string]string{
		"empty": "", "list": "a@b.example, c@d.example", "semicolon": "a@b.example;c@d.example", "two": "a@b.example c@d.example",
		"display name": `"Ana" <a@b.example>`, "angle": "<a@b.example>", "comment": "a@b.example (Ana)",
		"look-alike": "ana@kоpitugu.example", "look-alike local": "аna@kopitugu.example", "full width": "ana＠kopitugu.example",
		"CR": "a@b.example\r\nBcc: c@d.example", "LF": "a@b.example\nx", "NUL": "a\x00@b.example", "bare host": "a@localhost",
		"IP": "a@[192.0.2.1]", "no local": "@b.example", "two ats": "a@b@c.example", "long": strings.Repeat("a", 250) + "@b.example",
	} {
		t.Run(name, func(t *testing.T) {
			a := s.post(path+"/rules", me, url.Values{"email": {address}, "label": {"Support"}})
			a.want(t, http.StatusUnprocessableEntity, "Enter one email address, like name@example.com.",
				`aria-describedby="add-help email-error"`, `value="Support"`)
		})
	}
	long := s.post(path+"/rules", me, url.Values{"email": {"a@b.example"}, "label": {strings.Repeat("é", 61)}})
	long.want(t, http.StatusUnprocessableEntity, "label-error")
	if n := len(must(storage.Rules(s.ctx, d.ID))); n != 0 {
		t.Fatalf("%d rules", n)
	}

	a := s.post(path+"/rules", me, url.Values{"email": {" CC@KopiTugu.example "}, "label": {" Sup\r\nport <b>\u202E"}})
	rules := must(storage.Rules(s.ctx, d.ID))
	if len(rules) != 1 || rules[0].Email != "cc@kopitugu.example" || rules[0].Label != "Support <b>" || !rules[0].Active ||
		rules[0].AddedBy != "ana@kopitugu.example" {
		t.Fatalf("%+v", rules)
	}
	a.leadsTo(t, path+"?done=added&rule="+rules[0].ID)
	page := s.get(path+"?done=added&rule="+rules[0].ID, me)
	page.want(t, http.StatusOK, "cc@kopitugu.example gets every bell from now on.", "Support &lt;b&gt;", `aria-checked="true"`)
	page.lacks(t, "Nobody will be emailed")

	s.post(path+"/rules", me, url.Values{"email": {"CC@kopitugu.EXAMPLE"}}).
		want(t, http.StatusUnprocessableEntity, "This address has a rule already.")
	// A form of another domain's flash says nothing of this one's rules.
	other := s.domain("other")
	rule := s.rule(other, "secret@other.example", "")
	s.get(path+"?done=off&rule="+rule.ID, me).lacks(t, "secret@other.example")
}

func TestSwitchAndRemoveRule(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	me := s.signIn("ana@kopitugu.example", d.ID)
	r := s.room(d, "hi")
	path := "/console/domains/" + d.ID + "/email"
	for _, way := range []string{"active", "remove"} {
		rule := s.rule(d, way+"@kopitugu.example", "")
		_, token := s.link(r, rule, time.Hour)
		guest := s.post("/join/"+token, "", url.Values{"name": {"Ana"}}).cookie().Value
		client := s.kit.Admin(t, must(storage.IdentityByToken(s.ctx, guest)), r.ID)

		s.post(path+"/rules/"+rule.ID+"/"+way, me, url.Values{"active": {"off"}})
		client.WantClosed(hub.CloseRevoked)
		s.get("/console/rooms/"+r.ID, guest).want(t, http.StatusNotFound)
		s.get("/join/"+token, guest).want(t, http.StatusGone, "withdrawn")
		if way == "remove" {
			s.get(path+"?done=removed", me).want(t, http.StatusOK, "Links already sent stop working now.")
			s.post(path+"/rules/"+rule.ID+"/remove", me, url.Values{}).want(t, http.StatusNotFound)
			continue
		}
		s.get(path+"?done=off&rule="+rule.ID, me).want(t, http.StatusOK,
			"Links already sent to active@kopitugu.example stop working now.", `aria-checked="false"`, "Nobody will be emailed. Add a recipient.")
		s.post(path+"/rules/"+rule.ID+"/active", me, url.Values{"active": {"on"}}).leadsTo(t, path+"?done=on&rule="+rule.ID)
		if !must(storage.RuleByID(s.ctx, d.ID, rule.ID)).Active {
			t.Error("the rule is still off")
		}
		s.get("/join/"+token, guest).want(t, http.StatusGone, "withdrawn")
	}
}

func TestUnopenedRule(t *testing.T) {
	s := newSite(t, alerting(true))
	d := s.domain("tugu")
	me := s.signIn("ana@kopitugu.example", d.ID)
	rule := s.rule(d, "cc@kopitugu.example", "")
	_, token := s.link(s.room(d, "hi"), rule, time.Hour)
	path := "/console/domains/" + d.ID + "/email"
	old := hub.Now().Add(-storage.UnopenedAfter - time.Hour)
	db := storage.DB(s.ctx)
	if err := db.Exec("UPDATE cc_rules SET created_at = ?", old).Error; err != nil {
		t.Fatal(err)
	}
	s.get(path, me).lacks(t, "Not opened in 30 days")
	if err := storage.DB(s.ctx).Exec("UPDATE emails SET state = 'sent', sent_at = ?", hub.Now()).Error; err != nil {
		t.Fatal(err)
	}
	s.get(path, me).want(t, http.StatusOK, "Not opened in 30 days. Still on the team?")
	s.post("/join/"+token, "", url.Values{"name": {"Ana"}})
	s.get(path, me).lacks(t, "Not opened in 30 days")
}
