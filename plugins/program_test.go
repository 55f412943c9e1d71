package plugins_test

//lint:file-ignore SA1019 the server's own library, from its other end

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"nhooyr.io/websocket"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest/process"
)

// patience bounds each wait. None of them ends in it where all is well.
const patience = 30 * time.Second

// tryOut starts the program as the README does, on a port and with data of its
// own, and does what the text says.
func (c tree) tryOut(start block) {
	t := c.t
	t.Helper()
	binary := filepath.Join(c.dir, "bellhub")
	c.run("go build -o " + binary + " .")
	said := process.NewOutput()
	cmd := exec.Command(binary, "-addr", "127.0.0.1:0", "-data", t.TempDir())
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			if err != nil || t.Failed() {
				t.Errorf("the program ended: %v\n%s", err, said)
			}
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			t.Errorf("the program does not end\n%s", said)
		}
	})
	_, want, _ := strings.Cut(start.text, "\n")
	greeting := printed(want)
	late := time.NewTimer(patience)
	defer late.Stop()
	for !greeting.MatchString(said.String()) {
		select {
		case <-said.Grew():
		case err := <-ended:
			ended <- err
			t.Fatalf("the program ended: %v\n%s", err, said)
		case <-late.C:
			t.Fatalf("README.md:%d: it says\n%s\nand not\n%s", start.line, said, want)
		}
	}
	p := program{t, match(t, said.String(), `(http://\S+)/demo\n`), c.hasExample()}
	p.chat()
	p.look(match(t, said.String(), `the console\s+(\S+)`))
}

func match(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%s is not in\n%s", pattern, text)
	}
	return m[1]
}

// program is the running one.
type program struct {
	t       *testing.T
	url     string
	example bool // it is in the list
}

// frame is one of the protocol's.
type frame struct {
	Type string         `json:"type"`
	ID   string         `json:"id,omitempty"`
	Data map[string]any `json:"data"`
}

// chat does, as the widget on the demo page, what the text tells its reader to.
func (p program) chat() {
	t := p.t
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(p.url, "http")+"/ws", &websocket.DialOptions{
		HTTPHeader: http.Header{"Origin": {p.url}}, Subprotocols: []string{hub.Subprotocol},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	ws.SetReadLimit(1 << 20)
	send := func(f frame) {
		b, err := json.Marshal(f)
		if err == nil {
			err = ws.Write(ctx, websocket.MessageText, b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var heard []string
	want := func(what string, is func(frame) bool) frame {
		for {
			_, b, err := ws.Read(ctx)
			if err != nil {
				t.Fatalf("no %s: %v, after\n%s", what, err, strings.Join(heard, "\n"))
			}
			heard = append(heard, string(b))
			var f frame
			if err := json.Unmarshal(b, &f); err != nil {
				t.Fatal(err)
			}
			if is(f) {
				return f
			}
		}
	}
	const said, shown = "My card is 4242 4242 4242 4242", "My card is •••• 4242"
	for _, words := range []string{
		"write `" + said + "`", "as `" + shown + "`", `send("cards-check", {text: "4242 4242 4242 4242"})`, "`{found: 1}`",
	} {
		if !strings.Contains(readme(t), words) {
			t.Errorf("README.md no longer says %s", words)
		}
	}
	send(frame{"hello", "1", map[string]any{"domain": "demo"}})
	welcome := want("welcome", func(f frame) bool { return f.ID == "1" })
	if p.example && !strings.Contains(fmt.Sprint(welcome.Data["scripts"]), "/example/widget.js") {
		t.Errorf("the example's script is not in the welcome: %v", welcome.Data)
	}
	send(frame{"cards-check", "2", map[string]any{"text": "4242 4242 4242 4242"}})
	if f := want("answer", func(f frame) bool { return f.ID == "2" }); f.Type != "ack" || f.Data["found"] != 1.0 {
		t.Errorf("cards-check is answered with %+v", f)
	}
	send(frame{"message", "3", map[string]any{"text": said}})
	if f := want("message", func(f frame) bool { return f.Type == "event" }); f.Data["text"] != shown {
		t.Errorf("it is shown as %+v", f)
	}
	if f := want("cards-hidden", func(f frame) bool { return f.Type == "cards-hidden" }); f.Data["found"] != 1.0 {
		t.Errorf("told: %+v", f)
	}
}

// look reads the metrics, and, as the owner, the plugins' pages in the console.
func (p program) look(signIn string) {
	t := p.t
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: patience}
	fetch := func(method, address string, form url.Values) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", p.url)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %d %s %v", method, address, resp.StatusCode, body, err)
		}
		return string(body)
	}
	metrics := fetch("GET", p.url+"/metrics", nil)
	for _, line := range []string{
		`bellhub_cards_numbers_total{done="hidden"} 1`,
		`bellhub_hook_calls_total{hook="EventAppending",plugin="cards",result="ok"}`,
	} {
		name, _, _ := strings.Cut(line, " ")
		if !strings.Contains(metrics, line) {
			t.Errorf("/metrics has no %s", line)
		}
		if text := readme(t); !strings.Contains(text, "`"+name+"`") {
			t.Errorf("README.md does not speak of %s", name)
		}
	}
	home := fetch("POST", signIn, url.Values{"name": {"Ana"}})
	page := match(t, home, `href="(/console/domains/[^"]+/cards)"[^>]*>[^<]*(?:<[^>]+>[^<]*)*?Card numbers`)
	room := match(t, fetch("GET", p.url+page, nil), `href="(/console/rooms/[^"]+)"`)
	if got := fetch("GET", p.url+room, nil); !strings.Contains(got, "data-room") {
		t.Errorf("%s is no conversation", room)
	}
	if p.example {
		fetch("GET", p.url+strings.TrimSuffix(page, "cards")+"example", nil)
	}
}
