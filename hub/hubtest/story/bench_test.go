package story

import (
	"bufio"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub/hubtest/process"
)

// An operator asks how much the server takes, and has seen enough after a
// second: Ctrl-C ends the run with its table.
func TestAnOperatorMeasures(t *testing.T) {
	dir := t.TempDir()
	p := &program{}
	p.url = p.run(t, process.Development, "", "-data", dir)[1]
	process.Command(t, nil, "domain", "add", "Bench", "-key", "bench", "-ai=false", "-data", dir)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := process.New(ctx, "bench", p.url, "-key", "bench", "-duration", "1h")
	var table strings.Builder
	cmd.Stdout = &table
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	progress := bufio.NewScanner(stderr)
	for !strings.Contains(progress.Text(), "talking") {
		if !progress.Scan() {
			t.Fatalf("no progress after %q: %v", progress.Text(), progress.Err())
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for progress.Scan() {
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted: %v\n%s", err, progress.Text())
	}
	if !regexp.MustCompile(`acknowledged +\d`).MatchString(table.String()) || strings.Contains(table.String(), "errors") {
		t.Errorf("the table:\n%s", &table)
	}

	// In a shop it would make the AI talk to itself.
	process.Command(t, nil, "domain", "add", "Shop", "-key", "shop", "-data", dir)
	out, err := process.New(ctx, "bench", p.url, "-key", "shop").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "-ai=false") {
		t.Errorf("in a domain whose AI is on: %v\n%s", err, out)
	}
}
