package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest/process"
)

// An operator sets what a plugin declares as everything else is set: a flag wins
// over the environment, that over the file, that over the default; and what
// nobody declares refuses to start.
func TestAPluginsSettings(t *testing.T) {
	for name, tt := range map[string]struct {
		flags      []string
		env, file  map[string]string
		word, says string // what the plugin has, or what the program refuses with
	}{
		"by default":          {word: "hello"},
		"file":                {file: map[string]string{"a-word": "file"}, word: "file"},
		"environment":         {env: map[string]string{"BELLHUB_A_WORD": "env"}, file: map[string]string{"a-word": "file"}, word: "env"},
		"flag":                {flags: []string{"-a-word", "flag"}, env: map[string]string{"BELLHUB_A_WORD": "env"}, file: map[string]string{"a-word": "file"}, word: "flag"},
		"misspelt flag":       {flags: []string{"-a-wort", "flag"}, says: "-a-wort"},
		"misspelt variable":   {env: map[string]string{"BELLHUB_A_WORT": "env"}, says: "BELLHUB_A_WORT"},
		"misspelt key":        {file: map[string]string{"a-wort": "file"}, says: "a-wort"},
		"absent plugin":       {flags: []string{"-b-word", "flag"}, says: "-b-word"},
		"absent plugin's":     {env: map[string]string{"BELLHUB_B_WORD": "env"}, says: "BELLHUB_B_WORD"},
		"absent plugin's key": {file: map[string]string{"b-word": "file"}, says: "b-word"},
	} {
		t.Run(name, func(t *testing.T) {
			for key, value := range tt.env {
				t.Setenv(key, value)
			}
			_, a, _, _ := three()
			asked := errors.New("enough")
			a.do["validate"] = func(context.Context) error { return asked }
			var out bytes.Buffer
			p := program{stdout: &out, stderr: &out, plugins: []hub.Plugin{a}}
			err := p.serve(t.Context(), append(tt.flags, "-data", t.TempDir(), "-config", settingsFile(t, tt.file)))
			switch {
			case tt.says != "":
				if errors.Is(err, asked) || err == nil || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("it refuses with %v, want one that says %q", err, tt.says)
				}
			case !errors.Is(err, asked) || a.word != tt.word:
				t.Errorf("the plugin has %q, want %q: %v", a.word, tt.word, err)
			}
		})
	}
}

// settingsFile writes a file for -config.
func settingsFile(t *testing.T, settings map[string]string) string {
	t.Helper()
	var text strings.Builder
	for key, value := range settings {
		fmt.Fprintln(&text, key, value)
	}
	name := filepath.Join(t.TempDir(), "bellhub.conf")
	if err := os.WriteFile(name, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Every command explains every plugin's settings.
func TestTheHelpListsPluginsFlags(t *testing.T) {
	for _, command := range [][]string{{}, {"serve"}, {"migrate"}, {"domain", "add"}, {"admin", "link"}} {
		var out bytes.Buffer
		if err := run(t.Context(), append(command, "-h"), &out, &out); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%q -h: %v", command, err)
		}
		for _, plugin := range plugins() {
			c, ok := plugin.(hub.Configurable)
			if !ok {
				continue
			}
			own := flag.NewFlagSet(plugin.ID(), flag.ContinueOnError)
			c.Flags(own)
			own.VisitAll(func(f *flag.Flag) {
				_, usage := flag.UnquoteUsage(f)
				if text := out.String(); !strings.Contains(text, "\n  -"+f.Name) || !strings.Contains(text, usage) || usage == "" {
					t.Errorf("%q -h does not explain -%s of %s", command, f.Name, plugin.ID())
				}
			})
		}
	}
}

// A plugin's secret is shown by nothing that the program prints: not by its help,
// a refusal, or its log, wherever the secret is set.
func TestAPluginsSecretIsNotPrinted(t *testing.T) {
	const secret = "f00dcafe"
	set := map[string]func(t *testing.T) []string{
		"flag":        func(*testing.T) []string { return []string{"-a-key", secret} },
		"environment": func(t *testing.T) []string { t.Setenv("BELLHUB_A_KEY", secret); return nil },
		"file": func(t *testing.T) []string {
			return []string{"-config", settingsFile(t, map[string]string{"a-key": secret})}
		},
	}
	for where, by := range set {
		for what, more := range map[string][]string{
			"serving":           {"-log-level", "debug"},
			"a flag is wrong":   {"-max-text", "many"},
			"a flag is unknown": {"-frobnicate"},
			"help":              {"-h"},
		} {
			t.Run(where+", "+what, func(t *testing.T) {
				_, a, b, c := three()
				b.do["greet"] = func(context.Context) error {
					if a.key != secret {
						t.Error("the plugin has not got it")
					}
					return fmt.Errorf("enough of %v %+v %#v", a.key, a.key, a.key)
				}
				out := process.NewOutput()
				_, ended := serve(t, out, []*probe{a, b, c}, append(by(t), more...)...)
				err := <-ended
				if err == nil {
					t.Error("it ended well")
				}
				if text := fmt.Sprint(out.String(), err); strings.Contains(text, secret) {
					t.Errorf("the secret is in\n%s", text)
				}
			})
		}
	}
}

// Half of a mail provider's settings refuse to start, and so does a file of
// secrets that cannot be read.
func TestItRefusesHalfOfTheSettings(t *testing.T) {
	for _, tt := range []struct {
		plugin string // that the settings are of
		args   []string
		says   string
	}{
		{"mail", []string{"-mailgun-key", "key-1", "-mailgun-domain", "mg.shop.example"}, "-mailgun-signing-key"},
		{"mail", []string{"-mailgun-key", "key-1", "-mailgun-signing-key", "sign-1"}, "-mailgun-domain"},
		{"", []string{"-config", filepath.Join(t.TempDir(), "nowhere.conf")}, "nowhere.conf"},
		{"", []string{"-config", t.TempDir()}, "directory"},
	} {
		if tt.plugin != "" && !has(plugins(), tt.plugin) {
			continue
		}
		data := t.TempDir()
		var out bytes.Buffer
		err := run(t.Context(), append(tt.args, "-addr", "127.0.0.1:0", "-data", data), &out, &out)
		if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "key-1") {
			t.Errorf("%q: %v", tt.args, err)
		}
		if left, err := os.ReadDir(data); err != nil || len(left) > 0 {
			t.Errorf("%q: it began all the same: %v %v", tt.args, left, err)
		}
	}
}
