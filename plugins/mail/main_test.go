package mail

import (
	"testing"
	_ "time/tzdata" // the domains' zones, wherever the tests run

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// fasthttp's clock for the Date header ticks as long as the process lives.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}
