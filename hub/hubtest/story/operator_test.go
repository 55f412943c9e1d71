package story

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/hubtest/process"
)

var (
	exposed    = regexp.MustCompile(`(?m)^# TYPE (bellhub_\w+) `)
	documented = regexp.MustCompile(`(?m)^//\t(bellhub_\w+)(?:\{[a-z,]+\})?  +\S`)
)

// An operator looks at the metrics of a server that has been used: each is
// explained, and what is explained is there.
func TestTheMetricsAreExplained(t *testing.T) {
	p := start(t, "")
	v := p.visit(t, nil)
	v.say("c-1", "Do you ship to Oslo?")
	v.wantEvent(0, hub.EventMessage, hub.AI)
	n := len(v.events)
	v.ask("contact-admin", "c-2", map[string]any{"reason": "I need an invoice"})
	v.wantEvent(n, hub.EventNotice, hub.System) // the email was accepted
	_, status, body := p.browser(t).get("/metrics")
	if status != http.StatusOK {
		t.Fatalf("metrics: %d %s", status, body)
	}
	explained, there := map[string]bool{}, map[string]bool{}
	places := []string{"hub/server"}
	for _, plugin := range process.Plugins() {
		places = append(places, "plugins/"+plugin)
	}
	for _, folder := range places {
		files, err := filepath.Glob("../../../" + folder + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			doc, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range documented.FindAllStringSubmatch(string(doc), -1) {
				explained[m[1]] = true
			}
		}
	}
	for _, m := range exposed.FindAllStringSubmatch(body, -1) {
		there[m[1]] = true
		if !explained[m[1]] {
			t.Errorf("%s is explained neither in hub/server/doc.go nor by its plugin", m[1])
		}
	}
	for name := range explained {
		if !there[name] {
			t.Errorf("%s is explained, and not there", name)
		}
	}
	for _, line := range []string{
		`bellhub_frames_in_total{type="message"} 1`, `bellhub_frames_in_total{type="contact-admin"} 1`, `bellhub_frames_out_total{type="ack"} 2`,
		`bellhub_appends_total{outcome="stored"} 4`, `bellhub_append_duration_seconds_count 4`, `bellhub_commit_duration_seconds_count 4`,
		`bellhub_connections 1`, `bellhub_rooms 1`, `bellhub_backlog_up 1`, `bellhub_emails{state="queued"} 0`,
		`bellhub_mail_attempts_total{outcome="accepted"} 1`, `bellhub_jobs{kind="mail.send",state="failed"} 0`,
		`bellhub_hook_calls_total{hook="BellRung",plugin="mail",result="ok"} 1`, `bellhub_plugin_breaker_open{plugin="mail"} 0`,
		`bellhub_http_request_duration_seconds_count{status="1xx"} 1`,
	} {
		if !strings.Contains(body, "\n"+line+"\n") {
			t.Errorf("%s is not there", line)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
}

// The log says who did what when, down to each request; and nothing that people
// wrote, no address that opens anything, no secret.
func TestTheLogKeepsSecrets(t *testing.T) {
	const (
		mailgunKey, signingKey = "key-6c1f90ab", "sign-77d02be1"
		question, reply        = "Do you ship to Reykjavik?", "We do, says a person."
		reason                 = "My order of April is lost"
	)
	base, accepted := mailgun(t, mailgunKey)
	database := hubtest.MariaDB(t)
	address, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	databasePassword, _ := address.User.Password()
	settings := filepath.Join(t.TempDir(), "bellhub.conf")
	err = os.WriteFile(settings, []byte("base-url "+public+"\ndatabase "+database+"\nlog-level debug\n"+
		"mailgun-domain mg.shop.example\nmailgun-api-base "+base+"\nmailgun-key "+mailgunKey+"\nmailgun-signing-key "+signingKey+"\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	process.Command(t, nil, "domain", "add", "The Shop", "-key", "shop", "-config", settings)
	p := &program{}
	p.url = "http://" + p.run(t, process.Production, "", "-config", settings)[1]

	// The owner signs in and says who is called.
	signIn := regexp.MustCompile(`https://chat\.example(/console/sign-in/(\S+))`).FindStringSubmatch(process.Command(t, nil, "admin", "link", "ana@shop.example", "-config", settings))
	ana := &owner{t: t, p: p}
	ana.ask(http.MethodGet, signIn[1], nil)
	resp, _ := ana.ask(http.MethodPost, signIn[1], url.Values{"name": {"Ana"}})
	ana.cookie = resp.Cookies()[0]
	resp, _ = ana.ask(http.MethodGet, "/console", nil)
	domain := resp.Header.Get("Location")
	ana.ask(http.MethodPost, domain+"/email/rules", url.Values{"email": {"ben@shop.example"}})

	// A visitor asks and rings; some of what arrives is wrong.
	v := p.dial(t, nil)
	v.hello(map[string]any{"domain": "shop"})
	v.say("c-1", question)
	v.wantEvent(0, hub.EventMessage, hub.AI)
	v.ask("contact-admin", "c-2", map[string]any{"reason": reason})
	v.send("message", "c-1", map[string]any{"text": question + " Really?"})
	v.want("error") // the id is taken
	v.send("message", "c-4", map[string]any{"text": question + "\x00"})
	v.want("error")
	stranger := p.dial(t, nil)
	stranger.send("hello", "h", map[string]any{"domain": "shop", "token": v.token + "x"})

	// Somebody joins by the email's link, and replies.
	mail := <-accepted
	join := regexp.MustCompile(`https://chat\.example(/join/(\S+))`).FindStringSubmatch(mail.Get("text"))
	ben := &owner{t: t, p: p}
	ben.ask(http.MethodGet, join[1], nil)
	ben.ask(http.MethodGet, join[1]+"x", nil)
	resp, body := ben.ask(http.MethodPost, join[1], url.Values{"name": {"Ben"}})
	if len(resp.Cookies()) == 0 {
		t.Fatalf("joined: %d %s", resp.StatusCode, body)
	}
	ben.cookie = resp.Cookies()[0]
	ben.ask(http.MethodGet, "/console/rooms/"+v.room, nil)
	b := p.dial(t, http.Header{"Origin": {public}, "Cookie": {ben.cookie.String()}})
	b.hello(map[string]any{"room": v.room})
	b.say("b-1", reply)
	p.Stop(t)

	log := p.Output()
	for _, want := range []string{"route=/join/:", "route=/console/sign-in/:", "route=/ws", "status=404", "request=", `msg="connection closed"`, "room=" + v.room, "kind=visitor", "code=1012"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	for name, secret := range map[string]string{
		"a question": question, "a reply": reply, "a bell's reason": reason, "a visitor's token": v.token,
		"a sign-in link": signIn[2], "a join link": join[2], "a session": ana.cookie.Value, "a guest's session": ben.cookie.Value,
		"the mail provider's key": mailgunKey, "the webhooks' key": signingKey, "the database's password": databasePassword,
	} {
		if secret == "" || strings.Contains(log, secret) {
			t.Errorf("%s (%q) is in the log", name, secret)
		}
	}
	if t.Failed() {
		t.Log(log)
	}
}

// A service manager ends the program: from the same moment on the load balancer
// is told to look elsewhere, while those who are connected are still seen off.
func TestReadinessEndsAtOnce(t *testing.T) {
	p := start(t, "")
	at := strings.TrimPrefix(p.url, "http://")
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	_, err = io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: "+at+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	until := func(end string) {
		t.Helper()
		var seen []byte
		for one := make([]byte, 1); !strings.HasSuffix(string(seen), end); seen = append(seen, one[0]) {
			if _, err := c.Read(one); err != nil {
				t.Fatalf("%v after %q", err, seen)
			}
		}
	}
	until("\r\n\r\n")
	b := p.browser(t)
	if _, status, _ := b.get("/readyz"); status != http.StatusOK {
		t.Fatalf("before: %d", status)
	}
	p.Terminate(t)
	until("\x03\xf4the server restarts") // 1012; the program waits for our answer now
	if _, status, _ := b.get("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("while leaving: %d", status)
	}
	if _, status, _ := b.get("/healthz"); status != http.StatusOK {
		t.Errorf("it still lives: %d", status)
	}
	b.CloseIdleConnections()
	c.Close()
	p.Wait(t, 30*time.Second)
}
