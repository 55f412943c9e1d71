package architecture

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// remaining are the stories that a program without some plugin is asked to
// tell, each where it has the plugins that the story is about: those that need
// neither a browser nor MariaDB.
const remaining = "TestTheProgramStarts|TestTheStoryOverSockets/SQLite|TestEveryFrameAsDescribed|TestProduction|" +
	"TestTheMetricsAreExplained|TestAnOperatorMeasures|TestReadinessEndsAtOnce"

// TestAnyPluginCanBeDeleted deletes each plugin's folder and its lines in
// main.go, one plugin at a time, and sees that what is left is a program: all of
// it compiles, its tests too; the tests of package main pass; and the program,
// built and started, tells the stories that remain, of which the first is that
// it starts, answers, and ends well when it is told to.
//
// No other package has a deleted one among what it is built of (see
// TestImportsRunOneWay), so that its tests are the same as ever, and run beside
// this one. Files are hidden from the go command by an overlay: the rest is
// where it was, and is not compiled again.
func TestAnyPluginCanBeDeleted(t *testing.T) {
	source, err := os.ReadFile(root + "/main.go")
	if err != nil {
		t.Fatal(err)
	}
	stories := filepath.Join(t.TempDir(), "story.test")
	command(t, root, "", "go", "test", "-c", "-o", stories, "./hub/hubtest/story")
	listed := listedPlugins(t, source)
	run := exec.CommandContext(t.Context(), "go", "run", ".", "version")
	run.Dir = root
	version, err := run.Output()
	if err != nil {
		t.Fatal(err)
	}
	if has := bytes.Count(version, []byte("\nplugin ")); len(listed) != has {
		t.Errorf("found %d plugins in main.go, and the program says %d", len(listed), has)
	}
	for folder, lines := range listed {
		t.Run(path.Base(folder), func(t *testing.T) {
			t.Parallel()
			hidden := overlay(t, folder, without(source, lines))
			command(t, root, hidden, "go", "vet", "./...")
			command(t, root, hidden, "go", "test", "-vet=off", ".")
			command(t, "../story", hidden, stories, "-test.timeout", "5m", "-test.run", remaining)
		})
	}
}

// listedPlugins finds the folders of the plugins that main.go lists, and which
// of its lines are each one's: its import, and its place in the list.
func listedPlugins(t *testing.T, source []byte) map[string][]int {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "main.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	lines := func(n ast.Node) (all []int) {
		for line := files.Position(n.Pos()).Line; line <= files.Position(n.End()).Line; line++ {
			all = append(all, line)
		}
		return all
	}
	listed := map[string][]int{}
	for _, i := range file.Imports {
		if folder, ours := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), module+"/"); ours && path.Dir(folder) == "plugins" {
			listed[folder] = lines(i)
		}
	}
	for _, d := range file.Decls {
		if list, ok := d.(*ast.FuncDecl); !ok || list.Name.Name != "plugins" {
			continue
		}
		ast.Inspect(d, func(n ast.Node) bool {
			if made, ok := n.(*ast.CallExpr); ok {
				if of, ok := made.Fun.(*ast.SelectorExpr); ok {
					folder := fmt.Sprint("plugins/", of.X)
					listed[folder] = append(listed[folder], lines(made)...)
				}
				return false
			}
			return true
		})
	}
	return listed
}

// without is a source less some of its lines, counted from 1. It ends with as many
// empty ones as the first's number, so that each has a length of its own: the go
// command keeps what a file imports by its length and time, and those of two
// files may be the same.
func without(text []byte, lines []int) []byte {
	rest := []byte{}
	n := 0
	for line := range bytes.Lines(text) {
		if n++; !slices.Contains(lines, n) {
			rest = append(rest, line...)
		}
	}
	return append(rest, bytes.Repeat([]byte("\n"), lines[0])...)
}

// overlay writes what the go command's flag -overlay names: with it, the folder
// is empty, and main.go is another.
func overlay(t *testing.T, folder string, main []byte) (file string) {
	t.Helper()
	dir := t.TempDir()
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	var o struct{ Replace map[string]string }
	o.Replace = map[string]string{filepath.Join(top, "main.go"): filepath.Join(dir, "main.go")}
	err = filepath.WalkDir(filepath.Join(top, folder), func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			o.Replace[name] = ""
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), main, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// command runs a program that must succeed. It, and every go command that it
// runs, see the files as the overlay has them; what they link is without the
// debugger's tables, a fifth of the work.
func command(t *testing.T, dir, overlay, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	if overlay != "" {
		flags, err := exec.CommandContext(ctx, "go", "env", "GOFLAGS").Output()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(cmd.Environ(), "GOFLAGS="+strings.TrimSpace(string(flags))+" -ldflags=-w -overlay="+overlay)
	}
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	t.Logf("%s: %s", strings.Join(append([]string{filepath.Base(name)}, args...), " "), time.Since(began).Round(time.Millisecond))
}
