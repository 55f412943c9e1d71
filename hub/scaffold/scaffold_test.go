package scaffold_test

import (
	"bytes"
	"context"
	"go/format"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/scaffold"
)

// program is a main.go as small as it can be.
const program = `package main

import (
	"flag"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/plugins/mail"
	"github.com/bellhub/bellhub/storage"
)

// plugins is the list.
func plugins() []hub.Plugin {
	return []hub.Plugin{
		mail.New(), // keeps its comment
	}
}

func main() { flag.Parse(); storage.Open() }
`

// tree is a source tree with this main.go.
func tree(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "plugins", "mail"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.mod"), "// Bellhub\nmodule github.com/bellhub/bellhub\n\ngo 1.26.0\n")
	write(t, filepath.Join(dir, "main.go"), program)
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// existing is a plugin of the program's.
type existing string

func (e existing) ID() string                          { return string(e) }
func (existing) Init(context.Context, *hub.Host) error { return nil }

func TestAPluginIsWrittenAndListed(t *testing.T) {
	dir := tree(t, program)
	var out bytes.Buffer
	// Also from a folder below the root.
	if err := scaffold.New(filepath.Join(dir, "plugins", "mail"), "greeter", []hub.Plugin{existing("mail")}, &out); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"greeter.go", "greeter_test.go"} {
		src := read(t, dir, "plugins", "greeter", name)
		if formatted, err := format.Source([]byte(src)); err != nil || string(formatted) != src {
			t.Errorf("%s is not formatted: %v", name, err)
		}
		if !strings.Contains(out.String(), "wrote plugins/greeter/"+name) {
			t.Errorf("%s is not named in\n%s", name, &out)
		}
	}
	want := strings.NewReplacer(
		"\t\"github.com/bellhub/bellhub/plugins/mail\"\n", "\t\"github.com/bellhub/bellhub/plugins/greeter\"\n\t\"github.com/bellhub/bellhub/plugins/mail\"\n",
		"// keeps its comment\n", "// keeps its comment\n\t\tgreeter.New(),\n",
	).Replace(program)
	if got := read(t, dir, "main.go"); got != want {
		t.Errorf("main.go is\n%s", got)
	}
	if !strings.Contains(out.String(), "go test ./plugins/greeter") {
		t.Errorf("it does not say what to do next:\n%s", &out)
	}
}

func TestMainIsWrittenOnce(t *testing.T) {
	dir := tree(t, program)
	if err := scaffold.New(dir, "office-hours", nil, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	first := read(t, dir, "main.go")
	for _, want := range []string{"\tofficehours \"github.com/bellhub/bellhub/plugins/office-hours\"\n", "\t\tofficehours.New(),\n"} {
		if strings.Count(first, want) != 1 {
			t.Errorf("%q is not once in\n%s", want, first)
		}
	}
	// The folder is gone, its lines are not.
	if err := os.RemoveAll(filepath.Join(dir, "plugins", "office-hours")); err != nil {
		t.Fatal(err)
	}
	if err := scaffold.New(dir, "office-hours", nil, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if again := read(t, dir, "main.go"); again != first {
		t.Errorf("added again:\n%s", again)
	}
}

// TestAMainOfAnotherShape is left alone, and what it lacks is printed, unless the
// list can be found all the same.
func TestAMainOfAnotherShape(t *testing.T) {
	list := func(body string) string {
		i := strings.Index(program, "\treturn []hub.Plugin{")
		j := strings.Index(program, "}\n\nfunc main")
		return program[:i] + body + program[j:]
	}
	for name, tt := range map[string]struct {
		program string
		want    string // in main.go afterwards; empty: as it was
	}{
		"on one line":       {list("\treturn []hub.Plugin{mail.New()}\n"), "mail.New(),\n\t\tgreeter.New(),\n\t}"},
		"an empty list":     {list("\treturn []hub.Plugin{}\n"), "return []hub.Plugin{greeter.New()}"},
		"no list":           {list("\treturn append(more(), mail.New())\n"), ""},
		"no function":       {strings.Replace(program, "func plugins()", "func features()", 1), ""},
		"not Go":            {strings.Replace(program, "func plugins()", "func plugins(", 1), ""},
		"nothing of ours":   {strings.ReplaceAll(program, `"github.com/bellhub/bellhub/`, `"example.com/fork/`), ""},
		"no plugin so far":  {strings.Replace(program, "\t\"github.com/bellhub/bellhub/plugins/mail\"\n", "", 1), "bellhub/plugins/greeter\"\n\t\"github.com/bellhub/bellhub/storage\""},
		"one import a line": {strings.Replace(program, "import (\n\t\"flag\"\n", "import \"os\"\n\nimport (\n\t\"flag\"\n", 1), "bellhub/plugins/greeter\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, tt.program)
			var out bytes.Buffer
			if err := scaffold.New(dir, "greeter", nil, &out); err != nil {
				t.Fatal(err)
			}
			got := read(t, dir, "main.go")
			if tt.want != "" {
				if !strings.Contains(got, tt.want) || !strings.Contains(got, "greeter.New()") {
					t.Errorf("main.go is\n%s", got)
				}
				return
			}
			if got != tt.program {
				t.Errorf("main.go was changed:\n%s", got)
			}
			for _, line := range []string{"\t\"github.com/bellhub/bellhub/plugins/greeter\"\n", "\tgreeter.New(),\n"} {
				if !strings.Contains(out.String(), line) {
					t.Errorf("%q is not in\n%s", line, &out)
				}
			}
		})
	}
}

// TestWhatIsRefused is refused before anything is written.
func TestWhatIsRefused(t *testing.T) {
	for _, tt := range []struct{ id, want string }{
		{"", "lower-case"},
		{"Greeter", "lower-case"},
		{"greeter-", "lower-case"},
		{"8ball", "a letter first"},
		{"../greeter", "lower-case"},
		{"a-name-that-is-far-too-long", "up to 24"},
		{"mail", "taken"},
		{"sms", "taken"},
		{"letters", "plugins/letters is there already"},
		{"func", "a word of the language"},
		{"string", "something else in Go"},
		{"testdata", "the go command"},
		{"flag", "main.go"},    // main.go imports it
		{"plugins", "main.go"}, // and declares this
		{"hubtest", "imports"}, // the test would import two
	} {
		t.Run(tt.id, func(t *testing.T) {
			dir := tree(t, program)
			if err := os.Mkdir(filepath.Join(dir, "plugins", "letters"), 0o755); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err := scaffold.New(dir, tt.id, []hub.Plugin{existing("mail"), existing("sms")}, &out)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("refused with %v, want %q in it", err, tt.want)
			}
			if read(t, dir, "main.go") != program || out.Len() > 0 {
				t.Errorf("something was done: %s", &out)
			}
			if folders, err := os.ReadDir(filepath.Join(dir, "plugins")); err != nil || len(folders) != 2 {
				t.Errorf("%d folders, %v", len(folders), err)
			}
		})
	}
	t.Run("elsewhere", func(t *testing.T) {
		other := t.TempDir()
		write(t, filepath.Join(other, "go.mod"), "module example.com/bellhub\n")
		for _, dir := range []string{other, string(filepath.Separator)} {
			if err := scaffold.New(dir, "greeter", nil, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "source tree") {
				t.Errorf("in %s: %v", dir, err)
			}
		}
	})
}
