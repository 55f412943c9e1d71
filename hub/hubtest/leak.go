package hubtest

import (
	"bytes"
	"fmt"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// leaks knows the goroutines that a hub started, and that those started in turn,
// by a profiler's label: it is inherited. So it is told whose a goroutine is
// even where tests run in parallel, or a test runs several hubs. What a timer
// starts has no label; a package's goleak.VerifyTestMain sees that, too.
type leaks struct {
	label pprof.LabelSet
	mark  string // as a profile shows the label
}

var hubs atomic.Int64

func newLeaks() leaks {
	n := fmt.Sprint(hubs.Add(1))
	return leaks{pprof.Labels("hubtest", n), fmt.Sprintf("%q:%q", "hubtest", n)}
}

// leakPatience is how long goroutines have to end that have nothing to wait for
// any more. In a test that succeeds they do so at once.
const leakPatience = 2 * time.Second

// check fails the test where goroutines are left.
func (l leaks) check(t testing.TB) {
	t.Helper()
	pause := 100 * time.Microsecond
	for began := time.Now(); ; time.Sleep(pause) {
		left := l.left(t)
		if len(left) == 0 {
			return
		}
		if time.Since(began) > leakPatience {
			t.Errorf("goroutines are left behind:\n%s", strings.Join(left, "\n"))
			return
		}
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// pooled is a connection to MySQL: it is the database's, which is closed later,
// whoever needed it first.
const pooled = "mysql.(*mysqlConn).startWatcher"

// left are the stacks of those that still run. Several that are at one place are
// one stack, with their number.
func (l leaks) left(t testing.TB) []string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		t.Fatal(err)
	}
	var left []string
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(stack, l.mark) && !strings.Contains(stack, pooled) {
			left = append(left, stack)
		}
	}
	return left
}
