// Package architecture holds the tree to how it was designed: which package may
// import which, that each explains itself, what only one file may know, and that
// a plugin is a folder and a line, which can be deleted.
package architecture

import (
	"bytes"
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
	"slices"
	"strings"
	"testing"
)

// root is the module's folder.
const root = "../../.."

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
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,TestImports,XTestImports", module+"/...")
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
			files = append(files, strings.TrimPrefix(filepath.ToSlash(file), root+"/"))
		}
	}
	if !slices.Equal(files, []string{"hub/bench/client.go", "hub/server/upgrade.go"}) {
		t.Errorf("nhooyr.io/websocket is imported by %v", files)
	}
}

func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules") {
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
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/valyala/fasthttp").Output()
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`^v1\.(\d+)\.`).FindStringSubmatch(string(out))
	if m == nil || len(m[1]) < 2 || m[1] < "72" {
		t.Errorf("fasthttp is %s, want v1.72 or later", out)
	}
}
