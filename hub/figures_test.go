package hub

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestThePluginsFigures: what developers are told of how a plugin is contained is
// how it is.
func TestThePluginsFigures(t *testing.T) {
	text, err := os.ReadFile("../plugins/README.md")
	if err != nil {
		t.Fatal(err)
	}
	seconds := func(d time.Duration) string { return fmt.Sprintf("%g s", d.Seconds()) }
	for _, figure := range []string{
		"after " + seconds(HookTimeout) + " or its own `hub.Timeout`",
		fmt.Sprintf("At most %d of a plugin are", maxAbandoned),
		map[int]string{3: "fails three times in a minute"}[breakerFailures*int(breakerWindow/time.Minute)],
		"for " + seconds(breakerPause) + " its hooks are skipped",
		fmt.Sprintf("%d,%03d events wait for it", afterQueue/1000, afterQueue%1000),
		fmt.Sprintf("over %d events or %d frames a second", maxAppends, maxShows),
		"`ctx` ends after " + seconds(frameTimeout),
		"after " + seconds(runnerPause) + ", then twice as long each time up to " + seconds(runnerMaxPause),
		map[time.Duration]string{time.Minute: "left behind: after a minute"}[runnerGrace],
		fmt.Sprintf("want up to %d lower-case letters", MaxPluginID),
	} {
		if figure == "" || !strings.Contains(string(text), figure) {
			t.Errorf("plugins/README.md does not say %q", figure)
		}
	}
}
