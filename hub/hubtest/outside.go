package hubtest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
)

// Outside runs fn where there is no test, as in an Example that go test runs and
// documentation shows. What would fail a test panics.
func Outside(fn func(t testing.TB)) {
	ctx, cancel := context.WithCancel(context.Background())
	t := &outside{ctx: ctx}
	defer func() {
		cancel()
		for len(t.cleanups) > 0 { // one may add another
			all := t.cleanups
			t.cleanups = nil
			for _, f := range slices.Backward(all) {
				f()
			}
		}
	}()
	fn(t)
}

// outside is a test that is none. The methods that it lacks, among them those that
// only make sense in one, panic.
type outside struct {
	testing.TB

	ctx      context.Context
	cleanups []func() // of one goroutine's
}

func (t *outside) Name() string             { return "outside" }
func (t *outside) Helper()                  {}
func (t *outside) Context() context.Context { return t.ctx }
func (t *outside) Cleanup(f func())         { t.cleanups = append(t.cleanups, f) }
func (t *outside) Failed() bool             { return false }
func (t *outside) Log(...any)               {}
func (t *outside) Logf(string, ...any)      {}
func (t *outside) Error(args ...any)        { panic(fmt.Sprint(args...)) }
func (t *outside) Fatal(args ...any)        { panic(fmt.Sprint(args...)) }

func (t *outside) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (t *outside) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (t *outside) TempDir() string {
	dir, err := os.MkdirTemp("", "hubtest")
	if err != nil {
		panic(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // the system's to tidy where it fails
	return dir
}
