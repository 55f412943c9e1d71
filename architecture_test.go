package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/spec/spectest"
)

const module = "github.com/bellhub/bellhub"

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Dir        string
	Imports    []string

	TestImports, XTestImports []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,TestImports,XTestImports", "./...")
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
		"hub/scaffold":      {"hub"},
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
		// What is tested together can only be deleted together.
		for _, i := range slices.Concat(p.TestImports, p.XTestImports) {
			if ours, isOurs := strings.CutPrefix(i, module+"/"); isOurs && strings.HasPrefix(ours, "plugins/") && ours != name {
				t.Errorf("the tests of %s import %s", name, ours)
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
// OpenAPI document, both ways; and what it serves without each plugin, so that
// the document says truly whose a route is.
func TestEveryRouteIsDescribed(t *testing.T) {
	described := spectest.HTTP(t).Operations()
	without := []string{""}
	for _, plugin := range plugins() {
		without = append(without, plugin.ID())
	}
	for _, id := range without {
		t.Run("without "+cmp.Or(id, "nothing"), func(t *testing.T) {
			rest := slices.DeleteFunc(plugins(), func(p hub.Plugin) bool { return p.ID() == id })
			served := routes(t, rest)
			for _, route := range served {
				if owner, ok := described[route]; !ok {
					t.Errorf("%s is not described in hub/spec/openapi", route)
				} else if owner != "" && !has(rest, owner) {
					t.Errorf("%s is served without the plugin %s, whose it is by its tag", route, owner)
				}
			}
			for route, owner := range described {
				if (owner == "" || has(rest, owner)) && !slices.Contains(served, route) {
					t.Errorf("%s is described, but nothing serves it", route)
				}
			}
		})
	}
}

func has(all []hub.Plugin, id string) bool {
	return slices.ContainsFunc(all, func(p hub.Plugin) bool { return p.ID() == id })
}

// routes lists what a program of these plugins serves, as the OpenAPI document
// writes it. What is below /plugins is each plugin's own to describe.
func routes(t *testing.T, plugins []hub.Plugin) []string {
	t.Helper()
	p := program{stdout: io.Discard, stderr: io.Discard, plugins: plugins}
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
		case strings.HasPrefix(path, "/plugins/"):
		case strings.HasPrefix(path, "/static/") && strings.HasSuffix(path, "/*"): // the product's files, and each plugin's
			served = append(served, method+" /static/{hash}/{file}")
		default:
			served = append(served, method+" "+parameter.ReplaceAllString(path, "{$1}"))
		}
	}
	return served
}

func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if err == nil && strings.HasSuffix(path, ".go") {
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
