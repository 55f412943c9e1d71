package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub/spec/spectest"
)

const module = "github.com/bellhub/bellhub"

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Dir        string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestImportsRunOneWay holds the directions of the architecture: main uses
// everything; the server and the plugins use the hub and the storage, and no
// plugin another; the storage uses the hub; the hub uses golang.org/x alone.
func TestImportsRunOneWay(t *testing.T) {
	allowed := map[string][]string{
		"hub":               {},
		"hub/bench":         {"hub"}, // a client: it knows what the protocol says
		"hub/config":        {"hub"},
		"hub/server":        {"hub", "hub/spec", "storage", "static"},
		"hub/spec":          {},           // text: the server hands it out
		"hub/spec/spectest": {"hub/spec"}, // for tests, hub's own among them
		"hub/hubtest":       {"hub", "storage"},
		"storage":           {"hub"},
		"static":            {},
		"plugins":           {"hub", "storage"},
	}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		if name == module || strings.HasPrefix(name, "hub/hubtest/") {
			continue
		}
		rule := name
		if strings.HasPrefix(name, "plugins/") {
			rule = "plugins"
		}
		may, known := allowed[rule]
		if !known {
			t.Errorf("%s: say in this test what it may import", name)
		}
		for _, i := range p.Imports {
			ours, isOurs := strings.CutPrefix(i, module+"/")
			switch {
			case isOurs && !slices.Contains(may, ours):
				t.Errorf("%s imports %s", name, ours)
			case name == "hub" && !isOurs && strings.Contains(strings.SplitN(i, "/", 2)[0], ".") && !strings.HasPrefix(i, "golang.org/x/"):
				t.Errorf("hub imports %s: only the standard library and golang.org/x may be", i)
			}
		}
	}
}

// TestTwoFilesKnowTheWebSocketLibrary, one at each end: it is frozen, and will be
// replaced.
func TestTwoFilesKnowTheWebSocketLibrary(t *testing.T) {
	var files []string
	for _, file := range goFiles(t) {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(src, []byte(`"nhooyr.io/websocket"`)) && !strings.HasSuffix(file, "_test.go") {
			files = append(files, filepath.ToSlash(file))
		}
	}
	if !slices.Equal(files, []string{"hub/bench/client.go", "hub/server/upgrade.go"}) {
		t.Errorf("nhooyr.io/websocket is imported by %v", files)
	}
}

// TestEveryRouteIsDescribed compares what the whole program serves with the
// OpenAPI document, both ways.
func TestEveryRouteIsDescribed(t *testing.T) {
	p := program{stdout: io.Discard, stderr: io.Discard, plugins: plugins()}
	if err := p.configure("serve", []string{"-data", t.TempDir(), "-log-level", "error"}, nil); err != nil {
		t.Fatal(err)
	}
	ctx, err := p.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.store.Close()
	h, s, err := p.assemble(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close(ctx)
	defer s.Stop(ctx)
	var served []string
	parameter := regexp.MustCompile(`:(\w+)`)
	for _, route := range s.Routes() {
		method, path, _ := strings.Cut(route, " ")
		switch {
		case method == "HEAD": // goes with GET
		case path == "/ws" && method != "GET": // answers 405 itself
		case strings.HasPrefix(path, "/static/"): // this program's, and plugins' scripts
			served = append(served, method+" /static/{hash}/{file}")
		default:
			served = append(served, method+" "+parameter.ReplaceAllString(path, "{$1}"))
		}
	}
	slices.Sort(served)
	served = slices.Compact(served)
	if described := spectest.HTTP(t).Operations(); !slices.Equal(served, described) {
		for _, route := range served {
			if !slices.Contains(described, route) {
				t.Errorf("%s is not described in hub/spec/openapi", route)
			}
		}
		for _, route := range described {
			if !slices.Contains(served, route) {
				t.Errorf("%s is described, but nothing serves it", route)
			}
		}
	}
}

func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if err == nil && strings.HasSuffix(path, ".go") && path != "main_test.go" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestEveryPackageExplainsItself(t *testing.T) {
	for _, p := range packages(t) {
		files, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		words := 0
		for _, file := range files {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			words += len(strings.Fields(f.Doc.Text()))
		}
		if words < 15 {
			t.Errorf("%s: the package comment has %d words", p.ImportPath, words)
		}
	}
}

// TestFasthttpIsRaised: Fiber asks for a version that lacks fixes against
// request smuggling.
func TestFasthttpIsRaised(t *testing.T) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("no build information")
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/valyala/fasthttp" {
			m := regexp.MustCompile(`^v1\.(\d+)\.`).FindStringSubmatch(d.Version)
			if m == nil || len(m[1]) < 2 || m[1] < "72" {
				t.Errorf("fasthttp is %s, want v1.72 or later", d.Version)
			}
			return
		}
	}
	t.Error("fasthttp is not linked in")
}

// TestTheWholeProgram runs it on a port of its own.
func TestTheWholeProgram(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	out := &said{grew: make(chan struct{}, 1)}
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-data", dir, "-log-level", "error"}, out, out)
	}()
	address := regexp.MustCompile(`the demo shop\s+(http://\S+)/demo\n`)
	var base string
	for base == "" {
		select {
		case <-out.grew:
			if m := address.FindStringSubmatch(out.String()); m != nil {
				base = m[1]
			}
		case err := <-ended:
			t.Fatalf("%v\n%s", err, out)
		case <-time.After(time.Minute):
			t.Fatalf("no banner\n%s", out)
		}
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: spectest.HTTP(t).Transport(t, http.DefaultTransport)}
	for _, tt := range []struct {
		path, want string
		status     int
	}{
		{"/healthz", "ok", 200},
		{"/readyz", "ready", 200},
		{"/metrics", "bellhub_connections 0", 200},
		{"/demo", `data-domain="demo"`, 200},
		{"/widget.js", "bellhub", 200},
		{"/console", "", 401},
		{"/mailbox", "", 401},
		{"/join/nope", "", 404},
		{"/console/sign-in/nope", "", 404},
		{"/ws", "", 426},
		{"/static/../main.go", "", 404},
		{"/static/%2e%2e/main.go", "", 404},
		{"/webhooks/mailgun", "", 404},
		{"/asyncapi.yaml", "bellhub.v1", 200},
		{"/openapi.yaml", "openapi: 3.1", 200},
		{"/nope", "", 404},
	} {
		resp, err := client.Get(base + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status || !strings.Contains(string(body), tt.want) {
			t.Errorf("GET %s: %d %.200s, %v", tt.path, resp.StatusCode, body, err)
		}
	}
	client.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}

	// The commands work on what is there.
	for _, tt := range []struct {
		args []string
		want string // in the output, or of the error
	}{
		{[]string{"migrate"}, "up to date"},
		{[]string{"domain", "add", "Two", "-key", "two", "-origin", "two.example"}, `data-domain="two"`},
		{[]string{"domain", "add", "Two", "-key", "two"}, "taken"},
		{[]string{"domain", "add", "Three", "-origin", "*"}, "-origin"},
		{[]string{"admin", "link", "ana@two.example", "-domain", "two"}, "/console/sign-in/"},
		{[]string{"admin", "link", "Ana <ana@two.example>"}, "EMAIL"},
		{[]string{"admin", "link", "ana@two.example", "-domain", "nope"}, "nope"},
		{[]string{"bench", base, "-key", "demo"}, "nothing could be measured"}, // it has stopped
		{[]string{"bench", base}, "-key"},
		{[]string{"bench", base, "-h"}, "-connections n"},
		{[]string{"bench", "-h"}, "-connections n"},
		{[]string{"bench", "--help"}, "-connections n"},
		{[]string{"domain", "add", "-h"}, "-origin"},
		{[]string{"version"}, "bellhub "},
		{[]string{"frobnicate"}, "no command"},
		{[]string{"serve", "-frobnicate"}, "frobnicate"},
	} {
		var out bytes.Buffer
		args := tt.args
		if tt.want != "bellhub " && tt.want != "no command" {
			args = append(slices.Clone(args), "-data", dir)
		}
		err := run(context.Background(), args, &out, &out)
		if err != nil {
			out.WriteString(err.Error())
		}
		if !strings.Contains(out.String(), tt.want) {
			t.Errorf("bellhub %s: %s", strings.Join(tt.args, " "), out.String())
		}
	}
}

// said is what a program has printed so far.
type said struct {
	grew chan struct{} // signalled after each write
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.grew <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
