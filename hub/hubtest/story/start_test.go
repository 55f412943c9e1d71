package story

import (
	"errors"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest/process"
)

// Whatever plugins there are, the program starts, answers each address or says
// that nothing is there, joins people who talk, and ends well: that is what the
// hub is by itself.
func TestTheProgramStarts(t *testing.T) {
	dir := t.TempDir()
	p := &program{}
	p.url = p.run(t, process.Development, "", "-data", dir)[1]
	b := p.browser(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if _, status, body := b.get(path); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	for _, page := range []struct {
		path, plugin string
		status       int
	}{
		{"/demo", "demo", http.StatusOK},
		{"/console", "console", http.StatusUnauthorized},
		{"/mailbox", "mail", http.StatusUnauthorized},
	} {
		if !process.Has(page.plugin) {
			page.status = http.StatusNotFound
		}
		if _, status, body := b.get(page.path); status != page.status {
			t.Errorf("%s: %d, want %d: %s", page.path, status, page.status, body)
		}
	}

	process.Command(t, nil, "domain", "add", "Shop", "-key", "shop", "-ai=false", "-data", dir)
	origin := http.Header{"Origin": {p.url}}
	v := p.dial(t, origin)
	v.hello(map[string]any{"domain": "shop"})
	again := p.dial(t, origin)
	again.hello(map[string]any{"domain": "shop", "token": v.token, "room": v.room})
	v.say("c-1", "Is anybody there?")
	if e := again.wantEvent(0, hub.EventMessage, hub.Visitor); e.Data["text"] != "Is anybody there?" {
		t.Errorf("the visitor's other tab reads %v", e.Data)
	}
}

// What cannot start says why, to people and, by its exit status, to scripts.
func TestTheProgramCannotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	out, err := process.New(t.Context(), "serve", "-addr", taken.Addr().String(), "-data", t.TempDir()).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.HasPrefix(string(out), "bellhub: -addr:") {
		t.Errorf("%v: %s", err, out)
	}
}
