package story

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// An operator asks how much the server takes, and has seen enough after a
// second: Ctrl-C ends the run with its table.
func TestAnOperatorMeasures(t *testing.T) {
	dir := t.TempDir()
	p := &program{}
	p.url = p.run(t, banner, "", "-data", dir)[1]
	command(t, "domain", "add", "Bench", "-key", "bench", "-ai=false", "-data", dir)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	progress := &output{grew: make(chan struct{}, 1)}
	cmd := exec.CommandContext(ctx, binary, "bench", p.url, "-key", "bench", "-duration", "1h")
	cmd.Stderr = progress
	var table strings.Builder
	cmd.Stdout = &table
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(progress.String(), "talking") {
		select {
		case <-progress.grew:
		case <-ctx.Done():
			t.Fatalf("no progress: %s", progress)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted: %v\n%s", err, progress)
	}
	if !regexp.MustCompile(`acknowledged +\d`).MatchString(table.String()) || strings.Contains(table.String(), "errors") {
		t.Errorf("the table:\n%s", &table)
	}

	// In a shop it would make the AI talk to itself.
	out, err := exec.CommandContext(ctx, binary, "bench", p.url, "-key", "demo").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "-ai=false") {
		t.Errorf("in a domain whose AI is on: %v\n%s", err, out)
	}
}
