package story

import (
	"bufio"
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
	url     string // its base URL
	console string // a link that signs in to the console
	mailbox string // one that leads to the mailbox

	cmd *exec.Cmd
	log *lockedBuffer
}

var banner = regexp.MustCompile(`(?s)the demo shop\s+(\S+)/demo\s+the console\s+(\S+)\s+the mailbox\s+(\S+)`)

// databases are what a first run can be made on: their addresses, by name.
func databases(t *testing.T) map[string]func() string {
	return map[string]func() string{
		"SQLite":  func() string { return "" },
		"MariaDB": func() string { return hubtest.MariaDB(t) },
	}
}

// start runs the program on a free port and a fresh database, until the test
// ends. more are further flags.
func start(t *testing.T, database string, more ...string) *program {
	t.Helper()
	p := &program{log: &lockedBuffer{}}
	args := append([]string{"serve", "-addr", "127.0.0.1:0", "-data", t.TempDir()}, more...)
	p.cmd = exec.Command(binary, args...)
	p.cmd.Env = os.Environ()
	if database != "" {
		p.cmd.Env = append(p.cmd.Env, "BELLHUB_DATABASE="+database)
	}
	p.cmd.Stderr = p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		said.WriteString(line)
		if m := banner.FindStringSubmatch(said.String()); m != nil {
			p.url, p.console, p.mailbox = m[1], m[2], m[3]
			break
		}
		if err != nil {
			_ = p.cmd.Wait()
			t.Fatalf("the program did not start: %v\n%s%s", err, said.String(), p.log)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	t.Cleanup(func() { p.stop(t) })
	return p
}

// stop asks the program to end, as a service manager does, and sees that it
// ends well.
func (p *program) stop(t *testing.T) {
	t.Helper()
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(40*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil || t.Failed() {
		t.Errorf("the program ended: %v\n%s", err, p.log)
	}
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
	return &browser{t, p, &http.Client{Jar: jar, Timeout: 10 * time.Second}}
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

// lockedBuffer is written by the program and read by the test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
