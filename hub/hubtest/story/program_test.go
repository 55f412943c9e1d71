package story

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
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
	"github.com/bellhub/bellhub/hub/spec/spectest"
)

// binary is the program, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "bellhub-story")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "bellhub")
	build := exec.Command("go", "build", "-o", binary, "github.com/bellhub/bellhub")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s\n%v\n", out, err)
		return 1
	}
	return hubtest.Main(m)
}

// program is a running Bellhub.
type program struct {
	url     string // where it listens; in development also its base URL
	console string // development: a link that signs in to the console
	mailbox string // development: one that leads to the mailbox

	cmd   *exec.Cmd
	ended chan error // of cmd; nil once it was stopped
	log   *output
}

var (
	banner  = regexp.MustCompile(`(?s)the demo shop\s+(\S+)/demo\s+the console\s+(\S+)\s+the mailbox\s+(\S+)\n`)
	serving = regexp.MustCompile(`msg=serving addr=(\S+)`)
)

// databases are what a first run can be made on: their addresses, by name.
var databases = map[string]func(testing.TB) string{
	"SQLite":  func(testing.TB) string { return "" },
	"MariaDB": hubtest.MariaDB,
}

// start runs the program in development, on a free port and a fresh database,
// until the test ends.
func start(t *testing.T, database string) *program {
	t.Helper()
	p := &program{}
	m := p.run(t, banner, "BELLHUB_DATABASE="+database, "-data", t.TempDir())
	p.url, p.console, p.mailbox = m[1], m[2], m[3]
	return p
}

// run runs the program until the test ends, and waits for it to say that it is
// ready.
func (p *program) run(t *testing.T, ready *regexp.Regexp, env string, args ...string) []string {
	t.Helper()
	p.log = &output{grew: make(chan struct{}, 1)}
	p.cmd = exec.Command(binary, append([]string{"serve", "-addr", "127.0.0.1:0"}, args...)...)
	p.cmd.Env = os.Environ()
	if !strings.HasSuffix(env, "=") {
		p.cmd.Env = append(p.cmd.Env, env)
	}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.ended = make(chan error, 1)
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() { p.stop(t) })
	for {
		select {
		case <-p.log.grew:
			if m := ready.FindStringSubmatch(p.log.String()); m != nil {
				return m
			}
		case err := <-p.ended:
			p.ended <- err
			t.Fatalf("the program did not start: %v\n%s", err, p.log)
		case <-time.After(30 * time.Second):
			t.Fatalf("the program is not ready\n%s", p.log)
		}
	}
}

// command runs another command of the program and returns what it prints.
func command(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(binary, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("bellhub %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// stop asks the program to end, as a service manager does, and sees that it
// ends well.
func (p *program) stop(t *testing.T) {
	t.Helper()
	if p.ended == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.ended:
		if err != nil || t.Failed() {
			t.Errorf("the program ended: %v\n%s", err, p.log)
		}
	case <-time.After(40 * time.Second):
		_ = p.cmd.Process.Kill()
		t.Errorf("the program did not end: %v\n%s", <-p.ended, p.log)
	}
	p.ended = nil
}

// browser is an HTTP client with cookies, of a person who reads pages.
type browser struct {
	t *testing.T
	p *program
	*http.Client
}

func (p *program) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, p, &http.Client{
		Jar: jar, Timeout: 10 * time.Second,
		Transport: spectest.HTTP(t).Transport(t, http.DefaultTransport), // every answer as described
	}}
}

// get fetches a page, following redirects, and returns where it ended and what
// it says.
func (b *browser) get(address string) (at *url.URL, status int, body string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, b.absolute(address), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

// post sends a form as the program's own pages do.
func (b *browser) post(address string, form url.Values) (at *url.URL, status int, body string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, b.absolute(address), strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.p.url)
	return b.do(r)
}

func (b *browser) do(r *http.Request) (*url.URL, int, string) {
	b.t.Helper()
	resp, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.Request.URL, resp.StatusCode, string(body)
}

func (b *browser) absolute(address string) string {
	if strings.HasPrefix(address, "/") {
		return b.p.url + address
	}
	return address
}

// cookies is the Cookie header that the program's pages would send.
func (b *browser) cookies() string {
	u, err := url.Parse(b.p.url)
	if err != nil {
		b.t.Fatal(err)
	}
	var all []string
	for _, c := range b.Jar.Cookies(u) {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

// signIn follows a sign-in link to its end.
func (b *browser) signIn(link string) {
	b.t.Helper()
	if _, status, body := b.get(link); status != http.StatusOK {
		b.t.Fatalf("sign-in page: %d %s", status, body)
	}
	if at, status, body := b.post(link, url.Values{"name": {"Ana"}}); status != http.StatusOK {
		b.t.Fatalf("signed in at %s: %d %s", at, status, body)
	}
}

// output is what a program has printed so far.
type output struct {
	grew chan struct{} // signalled after each write
	mu   sync.Mutex
	b    bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.grew <- struct{}{}:
	default:
	}
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
