package story

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/hubtest/process"
)

// receiver is an owner's server in another language: testdata/receiver.mjs.
type receiver struct {
	t    *testing.T
	addr string
	file string // what it got, a line a request
	cmd  *exec.Cmd
}

// got is a request as the receiver saw it.
type got struct {
	Fault      string `json:"fault"`
	ID         string `json:"id"`
	Signatures int    `json:"signatures"`
	Type       string `json:"type"`
	Room       string `json:"room"`
	Seq        int64  `json:"seq"`
	Text       string `json:"text"`
}

// run starts it, and waits until it listens.
func (r *receiver) run(secrets ...string) {
	r.t.Helper()
	_, port, _ := strings.Cut(r.addr, ":")
	cmd := exec.Command("node", "testdata/receiver.mjs", port, r.file)
	cmd.Env = append(os.Environ(), "SECRETS="+strings.Join(secrets, " "))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said := &lines{ready: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		r.t.Fatalf("node: %v (make deps installs it)", err)
	}
	r.cmd = cmd
	r.t.Cleanup(func() {
		if r.cmd == cmd {
			r.kill()
		}
	})
	select {
	case <-said.ready:
	case <-time.After(20 * time.Second):
		r.t.Fatalf("the receiver does not listen: %s", said)
	}
}

// kill ends it as a crash does.
func (r *receiver) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	r.cmd = nil
}

// lines is what it prints; it is ready once it has printed a line.
type lines struct {
	mu    sync.Mutex
	b     bytes.Buffer
	once  sync.Once
	ready chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if bytes.Contains(p, []byte("listening")) {
		l.once.Do(func() { close(l.ready) })
	}
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// all is everything it has got so far.
func (r *receiver) all() []got {
	r.t.Helper()
	b, err := os.ReadFile(r.file)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []got
	for line := range bytes.Lines(b) {
		var g got
		if err := json.Unmarshal(line, &g); err != nil {
			break // being written, or cut by the kill
		}
		out = append(out, g)
	}
	return out
}

// until waits until it has got what is asked for.
func (r *receiver) until(what string, enough func([]got) bool) []got {
	r.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		all := r.all()
		if enough(all) {
			return all
		}
		select {
		case <-tick.C:
		case <-late:
			r.t.Fatalf("waited for %s, got %+v", what, all)
		}
	}
}

// untilSeen waits until it has got every event of a room up to a number.
func (r *receiver) untilSeen(room string, upTo int64) []got {
	r.t.Helper()
	return r.until(fmt.Sprintf("events 1 to %d", upTo), func(all []got) bool {
		seen := map[int64]bool{}
		for _, g := range all {
			if g.Fault == "" && g.Room == room && g.Seq > 0 {
				seen[g.Seq] = true
			}
		}
		for seq := int64(1); seq <= upTo; seq++ {
			if !seen[seq] {
				return false
			}
		}
		return true
	})
}

var shownSecret = regexp.MustCompile(`data-secret>([^<]+)<`)

// secretFrom sends a form of the page Webhooks that shows a secret.
func (b *browser) secretFrom(page string, form url.Values) string {
	b.t.Helper()
	_, status, body := b.post(page, form)
	m := shownSecret.FindStringSubmatch(body)
	if status != http.StatusOK || m == nil {
		b.t.Fatalf("no secret: %d %s", status, body)
	}
	return html.UnescapeString(m[1])
}

func seqOf(f frame) int64 { return int64(f.Data["seq"].(float64)) }

// An owner's own server gets every event of a conversation at least once, each
// signed, although both it and Bellhub are killed in the middle of it; and it
// decides about messages.
func TestWebhooks(t *testing.T) {
	addr, dir := hubtest.FreeAddr(t), t.TempDir()
	r := &receiver{t: t, addr: hubtest.FreeAddr(t), file: filepath.Join(t.TempDir(), "got")}
	if err := os.WriteFile(r.file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	run := func() *program {
		p := &program{}
		p.url = p.run(t, process.Development, "", "-addr", addr, "-data", dir, "-webhooks-allow", "127.0.0.1/32")[1]
		return p
	}
	p := run()
	owner := p.browser(t)
	owner.signIn("the console")
	at, _, _ := owner.get("/console")
	page := at.Path + "/webhooks"
	address := "http://" + r.addr + "/hooks"
	_, _, body := owner.get(page)
	if !strings.Contains(body, "No endpoint yet") {
		t.Fatalf("the page at %s says %s", page, body)
	}
	secret := owner.secretFrom(page, url.Values{"do": {"add"}, "url": {address}, "event": {"message", "escalation", "takeover", "handback", "notice"}})
	if _, _, body = owner.get(page); !strings.Contains(body, address) || strings.Contains(body, secret) {
		t.Errorf("the page shows the secret again, or no endpoint: %s", body)
	}

	// A conversation with everything in it, while the receiver is well.
	r.run(secret)
	v := p.visit(t, nil)
	seat := map[string]any{"token": v.token, "room": v.room}
	v.say("c-1", "Do you ship to Oslo?")
	v.wantEvent(0, "message", "ai")
	v.ask("contact-admin", "c-2", map[string]any{"reason": "I need an invoice"})
	v.wantEvent(0, "notice", "system")
	team := owner.open(v.room)
	team.ask("takeover", "a-1", nil)
	team.say("a-2", "Hello, this is Ana.")
	last := seqOf(team.ask("handback", "a-3", nil))
	types := map[string]bool{}
	for _, g := range r.untilSeen(v.room, last) {
		types[g.Type] = true
	}
	for _, want := range []string{"message.created", "escalation.created", "notice.created", "takeover.created", "handback.created"} {
		if !types[want] {
			t.Errorf("no %s among %v", want, types)
		}
	}

	// The receiver dies, and then the server, in the middle of sentences.
	r.kill()
	v.say("c-3", "What does the house blend cost?")
	v.say("c-4", "Are you open on Sunday?")
	waiting := page + "?view=deliveries&state=waiting"
	for _, _, body = owner.get(waiting); strings.Count(body, `data-state="waiting"`) < 2; _, _, body = owner.get(waiting) {
		time.Sleep(20 * time.Millisecond) // a page can only be asked again
	}
	p.Kill(t)
	r.run(secret)
	p = run()
	v = p.visit(t, seat)
	for i := range 5 {
		v.say(fmt.Sprint("d-", i), fmt.Sprint("Do you ship to Oslo? ", i))
	}
	p.Kill(t)
	p = run()
	v = p.visit(t, seat)
	last = seqOf(v.say("e-1", "Do you still ship to Oslo?"))
	if last < 15 {
		t.Errorf("the conversation has %d events", last)
	}
	ids := map[string]int64{}
	for _, g := range r.untilSeen(v.room, last) {
		switch {
		case g.Fault != "":
			t.Errorf("not signed as it should be: %+v", g)
		case ids[g.ID] != 0 && ids[g.ID] != g.Seq:
			t.Errorf("%s is of %d and %d", g.ID, ids[g.ID], g.Seq)
		}
		ids[g.ID] = g.Seq
	}
	if r.forge(t, address) != http.StatusUnauthorized {
		t.Error("the receiver takes what nobody signed")
	}

	// A new secret: the receiver that only knows the old one goes on.
	owner = p.browser(t)
	owner.signIn("the console")
	_, _, body = owner.get(page)
	id := regexp.MustCompile(`data-endpoint="([^"]+)"`).FindStringSubmatch(body)[1]
	fresh := owner.secretFrom(page, url.Values{"do": {"rotate"}, "endpoint": {id}})
	_, _, body = owner.post(page, url.Values{"do": {"test"}, "endpoint": {id}})
	if !strings.Contains(body, `data-tested="ok"`) || !strings.Contains(body, "thank you") {
		t.Errorf("the test with the old secret: %s", body)
	}
	if all := r.all(); all[len(all)-1].Type != "ping" || all[len(all)-1].Signatures != 2 {
		t.Errorf("%+v", all[len(all)-1])
	}

	// And one endpoint decides about messages.
	asked := owner.secretFrom(page, url.Values{"do": {"decide"}, "url": {"http://" + r.addr + "/decide"}, "deadline": {"1800"}, "without": {"allow"}, "active": {"on"}})
	r.kill()
	r.run(fresh, asked)
	v.send("message", "f-1", map[string]any{"text": "something forbidden"})
	for f := v.want("ack", "error"); ; f = v.want("ack", "error") {
		if f.ID != "f-1" {
			continue
		}
		if f.Type != "error" || f.Data["code"] != "vetoed" || f.Data["message"] != "The receiver says no." {
			t.Errorf("%+v", f)
		}
		break
	}
	n := len(v.events)
	stored := seqOf(v.say("f-2", "My card is 4111 1234"))
	if e := v.wantEvent(n, "message", "visitor"); e.Data["text"] != "My card is **** 1234" || seqOf(e) != stored {
		t.Errorf("%+v", e.Data)
	}
	for _, g := range r.untilSeen(v.room, stored) {
		if strings.Contains(g.Text, "4111") || strings.Contains(g.Text, "forbidden") {
			t.Errorf("delivered as it was written: %+v", g)
		}
	}
	for _, key := range []string{secret, fresh, asked} {
		if strings.Contains(p.Output(), strings.TrimPrefix(key, "whsec_")) {
			t.Error("a secret is in the log")
		}
	}
}

// forge posts what nobody signed.
func (r *receiver) forge(t *testing.T, address string) int {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(`{"type":"ping"}`))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("webhook-id", "msg_forged")
	q.Header.Set("webhook-timestamp", fmt.Sprint(time.Now().Unix()))
	q.Header.Set("webhook-signature", "v1,"+strings.Repeat("A", 43)+"=")
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
