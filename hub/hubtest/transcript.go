package hubtest

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// What a test that failed shows of a client, and of the log: the end of it.
const (
	maxFrames = 200  // of a client
	maxShown  = 2000 // bytes of a frame or a line
	maxLines  = 300  // of the log
)

// names are how clients are called in transcripts: visitor 1, visitor 2.
type names struct {
	mu   sync.Mutex
	many map[string]int
}

func (n *names) next(kind string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.many == nil {
		n.many = map[string]int{}
	}
	n.many[kind]++
	return fmt.Sprint(kind, " ", n.many[kind])
}

// Transcript is everything sent and received so far.
func (c *Client) Transcript() string { return strings.Join(c.seen, "\n") }

// story is the transcript for a test that failed, with what came and was not
// asked for, and the connection's end.
func (c *Client) story() string {
	lines := c.seen
	if n := len(lines) - maxFrames; n > 0 {
		lines = append([]string{fmt.Sprintf("(%d frames before)", n)}, lines[n:]...)
	}
	for _, b := range c.conn.rest() {
		lines = append(lines, "⇠ "+string(b))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "what %s said (→), heard (←) and did not listen to (⇠):", c.name)
	for _, line := range lines {
		b.WriteString("\n  " + cut(line))
	}
	if code, reason := c.conn.end(); reason != "" || code != 0 {
		fmt.Fprintf(&b, "\n  closed: %d %s", code, reason)
	}
	return b.String()
}

func cut(line string) string {
	if len(line) > maxShown {
		return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(line[:maxShown], ""), len(line))
	}
	return line
}

// lines keeps the last of what was logged. Unlike the test's own output it may
// be written to after the test has ended, by a goroutine that a bad plugin left
// behind.
type lines struct {
	mu   sync.Mutex
	kept []string
	lost int
}

// Write implements [io.Writer].
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) == maxLines {
		l.kept = l.kept[1:]
		l.lost++
	}
	l.kept = append(l.kept, "  "+cut(strings.TrimSuffix(string(p), "\n")))
	return len(p), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) == 0 {
		return "the hub logged nothing"
	}
	return fmt.Sprintf("the hub's log (%d lines before):\n%s", l.lost, strings.Join(l.kept, "\n"))
}

// logOf makes a log that is shown when the test has failed.
func logOf(t testing.TB) *slog.Logger {
	l := &lines{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(l.String())
		}
	})
	return slog.New(slog.NewTextHandler(l, nil))
}
