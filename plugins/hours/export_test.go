package hours

import "time"

// At makes the plugin with a clock that stands.
func At(now time.Time) *Plugin {
	p := New()
	p.now = func() time.Time { return now }
	return p
}
