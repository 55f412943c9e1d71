// Package scaffold is "bellhub plugin new NAME": it writes the skeleton of a
// plugin, with a test that passes, and adds the plugin to main.go's list.
//
// It works on the source tree that the command is run in, at any depth, and
// needs no database and no configuration. What it refuses, it refuses before it
// has written anything; what is there already it never touches. A main.go that
// was made into something it does not understand it leaves alone, and says
// which two lines to add.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"flag"
	"fmt"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/bellhub/bellhub/hub"
)

//go:embed templates
var files embed.FS

var templates = template.Must(template.ParseFS(files, "templates/*"))

// module is the path of this module, also where it is a fork's.
var module = path.Dir(reflect.TypeFor[hub.Host]().PkgPath())

// Describe has the command's -h say what it does.
func Describe(fs *flag.FlagSet) {
	fs.Usage = func() {
		fmt.Fprintf(fs.Output(), `Usage: bellhub plugin new NAME

Writes plugins/NAME, a small plugin that works, with a test that passes, and adds
it to the list in main.go. Run it anywhere in Bellhub's source tree, as in
"go run . plugin new NAME". It needs no database and no configuration.

NAME is the plugin's id, which its settings, tables, routes, words and metrics
begin with: up to %d lower-case letters, digits and hyphens, a letter first. The
Go package is called the same, without the hyphens.

plugins/README.md goes on from there.
`, hub.MaxPluginID)
	}
}

// plugin is what the templates are filled with.
type plugin struct {
	ID      string
	Package string // the id as a Go package's name
	Module  string
}

// New writes the skeleton of a plugin into the source tree around dir and tells
// on out what it did and what to do next. existing are the program's plugins.
// Its errors say what to do about them.
func New(dir, id string, existing []hub.Plugin, out io.Writer) error {
	if err := hub.CheckID(id); err != nil {
		return fmt.Errorf("plugin new: %q is no name for a plugin: want up to %d lower-case letters, digits and hyphens, a letter first", id, hub.MaxPluginID)
	}
	root, err := findRoot(dir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(existing, func(p hub.Plugin) bool { return p.ID() == id }) {
		return fmt.Errorf("plugin new: the id %q is taken: bellhub has a plugin of that name", id)
	}
	p := plugin{ID: id, Package: strings.ReplaceAll(id, "-", ""), Module: module}
	written, err := p.files()
	if err != nil {
		return err
	}
	program, err := os.ReadFile(filepath.Join(root, "main.go"))
	if err != nil {
		return fmt.Errorf("plugin new: %w", err)
	}
	if err := p.checkPackage(append([][]byte{program}, written[0].src, written[1].src)); err != nil {
		return err
	}
	folder := filepath.Join(root, "plugins", id)
	if err := os.Mkdir(folder, 0o755); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("plugin new: %s is there already", path.Join("plugins", id))
	} else if err != nil {
		return fmt.Errorf("plugin new: %w", err)
	}
	for _, f := range written {
		if err := os.WriteFile(filepath.Join(folder, f.name), f.src, 0o644); err != nil {
			return fmt.Errorf("plugin new: %w", err)
		}
		fmt.Fprintln(out, "wrote", path.Join("plugins", id, f.name))
	}
	changed, err := p.enlist(program)
	if err == nil {
		err = os.WriteFile(filepath.Join(root, "main.go"), changed, 0o644)
	}
	if err != nil {
		fmt.Fprintf(out, "\nmain.go is as it was (%v). Add its import and its place in the list by hand:\n\n\t%s\n\t%s\n", err, p.Import(), p.element())
	} else {
		fmt.Fprintln(out, "added to the list in main.go")
	}
	fmt.Fprintf(out, "\nNow try it:\n\n\tgo test ./plugins/%s\n\tgo run .\n\nplugins/README.md tells how to go on.\n", id)
	return nil
}

// goMod matches go.mod's first directive.
var goMod = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)`)

// findRoot finds the source tree that dir is in: as for the go command, the next
// go.mod says.
func findRoot(dir string) (string, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("plugin new: %w", err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(at, "go.mod"))
		m := goMod.FindSubmatch(text)
		up := filepath.Dir(at)
		switch {
		case m != nil && string(m[1]) == module:
			return at, nil
		case err == nil || up == at:
			return "", fmt.Errorf("plugin new: this is not Bellhub's source tree: run it where the go.mod of %s is, or below", module)
		}
		at = up
	}
}

// file is one of the skeleton's.
type file struct {
	name string
	src  []byte
}

func (p plugin) files() ([]file, error) {
	all := []file{{name: p.Package + ".go"}, {name: p.Package + "_test.go"}}
	for i, name := range []string{"plugin.go.tmpl", "plugin_test.go.tmpl"} {
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, name, p); err != nil {
			return nil, fmt.Errorf("plugin new: %w", err)
		}
		all[i].src = b.Bytes()
	}
	return all, nil
}

// folders are names that the go command treats in its own way.
var folders = []string{"internal", "vendor", "testdata", "main"}

// Metric is the id as it stands in the names of metrics.
func (p plugin) Metric() string { return strings.ReplaceAll(p.ID, "-", "_") }

// checkPackage refuses an id that makes a bad name for a Go package: a word of
// the language, or a name that the sources, which are to import it or to be it,
// use for something else.
func (p plugin) checkPackage(sources [][]byte) error {
	var why string
	switch {
	case token.IsKeyword(p.Package):
		why = "is a word of the language Go"
	case types.Universe.Lookup(p.Package) != nil:
		why = "stands for something else in Go"
	case slices.Contains(folders, p.Package):
		why = "means something to the go command"
	}
	for _, src := range sources {
		if why == "" && slices.Contains(p.namesIn(src), p.Package) {
			why = "is a name in main.go already, or of a package that a plugin imports"
		}
	}
	if why == "" {
		return nil
	}
	return fmt.Errorf("plugin new: %q would be a package called %s, which %s: choose another name", p.ID, p.Package, why)
}
