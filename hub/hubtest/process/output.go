package process

import (
	"bytes"
	"sync"
)

// Output is what a program has printed so far.
type Output struct {
	grew chan struct{}
	mu   sync.Mutex
	b    bytes.Buffer
}

// NewOutput makes one that is empty.
func NewOutput() *Output { return &Output{grew: make(chan struct{}, 1)} }

// Grew is signalled after each write; several may share a signal.
func (o *Output) Grew() <-chan struct{} { return o.grew }

// Write implements [io.Writer].
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.grew <- struct{}{}:
	default:
	}
	return o.b.Write(p)
}

// String is all of it.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
