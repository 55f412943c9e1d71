// Package process runs Bellhub as it is built, as a process of its own, for
// tests that drive it from outside: those that tell the story, and those that
// kill it in the middle of one.
package process

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub/hubtest"
)

// How long a start, and an orderly end, may take before the test fails.
const (
	startTimeout = 30 * time.Second
	stopTimeout  = 40 * time.Second // the drain's default is 30 s
)

// binary is the program, built once for all tests of a package, and sources is
// the directory that it was made from.
var binary, sources string

// Needs says which plugins a package's tests are about, by the tests' names. A
// test that is not there is about what Bellhub is without any.
type Needs map[string][]string

// Main builds the program, runs those of a package's tests whose plugins it has,
// and ends what they shared. A plugin that was deleted, as its users may, takes
// its tests along: they are left out, by name.
//
//	func TestMain(m *testing.M) { os.Exit(process.Main(m, process.Needs{"TestABell": {"escalation"}})) }
func Main(m *testing.M, needs Needs) int {
	dir, err := os.MkdirTemp("", "bellhub-process")
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
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/bellhub/bellhub").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	sources = strings.TrimSpace(string(module))
	if err := needs.leaveOut(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return hubtest.Main(m)
}

// plugins are those that the program says it has.
var plugins []string

// Plugins lists the plugins that the program has.
func Plugins() []string { return plugins }

// Has tells whether the program has a plugin.
func Has(plugin string) bool { return slices.Contains(plugins, plugin) }

// leaveOut sets the testing flag -skip for the tests whose plugins the program
// has not, beside those that it was given for.
func (n Needs) leaveOut() error {
	out, err := exec.Command(binary, "version").Output()
	if err != nil {
		return err
	}
	for _, m := range regexp.MustCompile(`(?m)^plugin (\S+)$`).FindAllStringSubmatch(string(out), -1) {
		plugins = append(plugins, m[1])
	}
	var left []string
	for _, test := range slices.Sorted(maps.Keys(n)) {
		for _, plugin := range n[test] {
			if !Has(plugin) {
				fmt.Printf("%s is left out: this Bellhub has no plugin %s\n", test, plugin)
				left = append(left, "^"+test+"$")
				break
			}
		}
	}
	flag.Parse()
	skip := flag.Lookup("test.skip")
	if given := skip.Value.String(); given != "" {
		left = append(left, given)
	}
	return skip.Value.Set(strings.Join(left, "|"))
}

// look reads the directories of the sources, so that go test sees what the
// program is made of: the packages that a test imports are not all of it, and a
// result would be kept although the program has changed.
var look = sync.OnceValue(func() error {
	return filepath.WalkDir(sources, func(path string, d os.DirEntry, err error) error {
		if err == nil && path != sources && d.IsDir() && (strings.HasPrefix(d.Name(), ".") || d.Name() == "data") {
			return filepath.SkipDir
		}
		return err
	})
})

// What the program says when it is ready.
var (
	// Development matches the base URL.
	Development = regexp.MustCompile(`Bellhub runs at (\S+), in development\.(?s:.*)Data is in `)
	// Production matches the address that it listens on.
	Production = regexp.MustCompile(`msg=serving addr=(\S+)`)
)

// Process is a running program. It belongs to the goroutine of its test.
type Process struct {
	cmd   *exec.Cmd
	ended chan error // of cmd; nil once it has been seen to end
	said  *Output
}

// Serve runs "bellhub serve" until the test ends, and waits for it to say that
// it is ready: what ready matched in that is returned too. It listens on a free
// port of its own unless args name one. env is added to the environment.
func Serve(t testing.TB, ready *regexp.Regexp, env []string, args ...string) (*Process, []string) {
	t.Helper()
	if err := look(); err != nil {
		t.Fatal(err)
	}
	p := &Process{said: NewOutput()}
	p.cmd = exec.Command(binary, append([]string{"serve", "-addr", "127.0.0.1:0"}, args...)...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.ended = make(chan error, 1)
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() { p.Stop(t) })
	late := time.NewTimer(startTimeout)
	defer late.Stop()
	for {
		select {
		case <-p.said.Grew():
			if m := ready.FindStringSubmatch(p.Output()); m != nil {
				return p, m
			}
		case err := <-p.ended:
			p.ended = nil
			t.Fatalf("the program did not start: %v\n%s", err, p.Output())
		case <-late.C:
			t.Fatalf("the program is not ready\n%s", p.Output())
		}
	}
}

// Stop asks the program to end, and sees that it ends well. One that has ended
// is left alone.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	if p.ended != nil {
		p.Terminate(t)
		p.Wait(t, stopTimeout)
	}
}

// Terminate asks the program to end, as a service manager does (SIGTERM).
func (p *Process) Terminate(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Log(err) // Wait says how it ended
	}
}

// Wait sees that the program ends well, and soon.
func (p *Process) Wait(t testing.TB, soon time.Duration) {
	t.Helper()
	select {
	case err := <-p.ended:
		if err != nil || t.Failed() {
			t.Errorf("the program ended: %v\n%s", err, p.tail())
		}
	case <-time.After(soon):
		_ = p.cmd.Process.Kill()
		t.Errorf("the program did not end: %v\n%s", <-p.ended, p.tail())
	}
	p.ended = nil
}

// Kill ends the program as a crash does (kill -9), and returns once it has
// ended. It must be running.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	_ = p.cmd.Process.Kill()
	err := <-p.ended
	p.ended = nil
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("the program ended before it was killed: %v\n%s", err, p.tail())
	}
}

// Link is what a program in development, which is ready, offers to open by this
// name: "the demo shop", "the console" or "the mailbox".
func (p *Process) Link(t testing.TB, what string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^  ` + regexp.QuoteMeta(what) + ` +(\S+)$`).FindStringSubmatch(p.Output())
	if m == nil {
		t.Fatalf("the program does not offer %s\n%s", what, p.Output())
	}
	return m[1]
}

// Output is what the program has printed so far.
func (p *Process) Output() string { return p.said.String() }

// tail is the end of the output, for a test that failed.
func (p *Process) tail() string {
	const most = 8 << 10
	out := p.Output()
	if len(out) > most {
		out = "…" + strings.ToValidUTF8(out[len(out)-most:], "")
	}
	return out
}

// New makes another command of the program, which the end of ctx kills.
func New(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, binary, args...)
}

// Command runs another command of the program and returns what it prints.
func Command(t testing.TB, env []string, args ...string) string {
	t.Helper()
	cmd := New(t.Context(), args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("bellhub %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
