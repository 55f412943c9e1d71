package wordfilter

import "time"

// Expire lets the time pass after which lists are looked at again.
func Expire(p *Plugin) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for domain, k := range p.known {
		k.until = time.Time{}
		p.known[domain] = k
	}
}
