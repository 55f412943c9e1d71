// Package plugins_test does what README.md says, to the letter, in a copy of the
// sources, and sees that it works: what a developer reads there is what there is.
package plugins_test

import (
	"bytes"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// tree is a copy of the sources, as somebody has them who has just cloned them.
type tree struct {
	t   *testing.T
	dir string
}

// clone copies what git knows, and what it would take up.
func clone(t *testing.T) tree {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	c := tree{t, t.TempDir()}
	seen := map[string]bool{}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		path := filepath.Join("..", name)
		if folder := filepath.Dir(path); !seen[folder] {
			// go test keeps a result until what a test has read changes: a file that
			// is added changes its folder.
			seen[folder] = true
			if _, err := os.ReadDir(folder); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		src, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		} else if err != nil {
			t.Fatal(err)
		}
		c.write(name, src)
	}
	return c
}

func (c tree) read(name string) []byte {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

func (c tree) write(name string, data []byte) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// run runs a command line in the copy, and returns what it prints.
func (c tree) run(line string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.WaitDelay = c.dir, time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("$ %s\n%s%v", line, out, err)
	}
	return string(out)
}

// block is a fenced block of the README, with the line before it, which says what
// it is: a file, or a declaration in one.
type block struct {
	label, lang, text string
	line              int
}

// label names a file, and the declaration that the block replaces in it.
var label = regexp.MustCompile("^`([^`]+)`(?:, where `(\\w+)` becomes)?:$")

func blocks(t *testing.T, readme string) []block {
	t.Helper()
	var all []block
	var said string // the last line that says anything
	lines := strings.Split(readme, "\n")
	for i := 0; i < len(lines); i++ {
		lang, fenced := strings.CutPrefix(lines[i], "```")
		if !fenced {
			if lines[i] != "" {
				said = lines[i]
			}
			continue
		}
		b := block{label: said, lang: lang, line: i + 1}
		for i++; i < len(lines) && lines[i] != "```"; i++ {
			b.text += lines[i] + "\n"
		}
		all = append(all, b)
	}
	if len(all) == 0 {
		t.Fatal("the README has no code")
	}
	return all
}

// follow does what the README says, until it starts the program.
func (c tree) follow(readme string) (start block) {
	c.t.Helper()
	for _, b := range blocks(c.t, readme) {
		m := label.FindStringSubmatch(b.label)
		switch {
		case b.lang == "console" && strings.HasPrefix(b.text, "$ go run .\n"):
			start = b
		case b.lang == "console":
			c.enter(b)
		case m == nil:
			c.t.Fatalf("README.md:%d: the line before the block names no file: %q", b.line, b.label)
		case m[2] == "":
			c.write(m[1], []byte(b.text))
		default:
			c.replace(m[1], m[2], b)
		}
	}
	if start.text == "" {
		c.t.Fatal("the README does not start the program")
	}
	return start
}

// enter types the commands of a block, and compares what they print. A … stands
// for anything.
func (c tree) enter(b block) {
	c.t.Helper()
	for part := range strings.SplitSeq(strings.TrimPrefix(b.text, "$ "), "\n$ ") {
		command, want, _ := strings.Cut(part, "\n")
		if got := c.run(command); !printed(want).MatchString(got) {
			c.t.Fatalf("README.md:%d: %s\nprints\n%s\nand not\n%s", b.line, command, got, want)
		}
	}
}

// printed matches an output as the README shows it.
func printed(want string) *regexp.Regexp {
	var all strings.Builder
	for field := range strings.FieldsSeq(want) {
		all.WriteString(`\s*` + strings.ReplaceAll(regexp.QuoteMeta(field), "…", `(?s:.*?)`))
	}
	return regexp.MustCompile(`^` + all.String() + `\s*$`)
}

// replace puts a declaration in the place of that with the same name.
func (c tree) replace(file, name string, b block) {
	c.t.Helper()
	src := c.read(file)
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, src, parser.ParseComments)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range f.Decls {
		from := d.Pos()
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.Name != name {
				continue
			}
			if d.Doc != nil {
				from = d.Doc.Pos()
			}
		case *ast.GenDecl:
			if s, ok := d.Specs[0].(*ast.TypeSpec); !ok || s.Name.Name != name {
				continue
			}
			if d.Doc != nil {
				from = d.Doc.Pos()
			}
		}
		at, end := set.Position(from).Offset, set.Position(d.End()).Offset
		c.write(file, bytes.Join([][]byte{src[:at], []byte(strings.TrimSuffix(b.text, "\n")), src[end:]}, nil))
		return
	}
	c.t.Fatalf("README.md:%d: %s has no %s", b.line, file, name)
}

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestTheTutorial follows README.md, starts the program that comes of it, and does
// with it what the text says: see program_test.go.
func TestTheTutorial(t *testing.T) {
	c := clone(t)
	start := c.follow(readme(t))
	if c.hasExample() {
		c.listExample()
	}
	c.tryOut(start)
	c.another()
}

// hasExample tells whether the example is in the sources: like any plugin, it may
// be deleted.
func (c tree) hasExample() bool {
	_, err := os.Stat(filepath.Join(c.dir, "plugins", "example"))
	return err == nil
}

// listExample adds the example, too: the text sends its readers there, and says
// that a line in the list is all it needs.
func (c tree) listExample() {
	c.t.Helper()
	list := string(c.read("main.go"))
	for _, line := range []string{"\t\tcards.New(),\n", "\t\"github.com/bellhub/bellhub/plugins/cards\"\n"} {
		if strings.Count(list, line) != 1 {
			c.t.Fatalf("main.go has not one line %q", line)
		}
		list = strings.Replace(list, line, line+strings.Replace(line, "cards", "example", 1), 1)
	}
	c.write("main.go", []byte(list))
}

// another makes one more plugin, whose id is no Go package's name, and leaves its
// skeleton as it is.
func (c tree) another() {
	c.t.Helper()
	c.run("go run . plugin new order-status")
	const folder = "./plugins/order-status"
	for _, check := range []string{"go vet ", "go tool staticcheck ", "go test "} {
		c.run(check + folder)
	}
	if out := c.run("go tool gofumpt -l main.go " + folder); out != "" {
		c.t.Errorf("not formatted: %s", out)
	}
	c.run("go build -o " + os.DevNull + " .")
}
