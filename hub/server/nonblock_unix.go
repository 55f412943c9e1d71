//go:build unix

package server

import (
	"net"
	"syscall"
)

// directWriter writes to a socket what its buffer takes at once, from the
// caller's goroutine and without waiting: a net.Conn alone can only block.
// Calls must not overlap.
type directWriter struct {
	raw  syscall.RawConn
	call func(fd uintptr) bool // made once, as a closure a write would be garbage a write
	p    []byte
	n    int
}

func newDirectWriter(nc net.Conn) *directWriter {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil // TLS, or a listener's wrapper: the bytes must pass through it
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	w := &directWriter{raw: raw}
	w.call = func(fd uintptr) bool {
		w.n, _ = syscall.Write(int(fd), w.p)
		return true // whatever came of it: do not wait until the socket is writable
	}
	return w
}

// write returns how much of p the socket took. It reports no error: the
// blocking write of the rest will meet the same one.
func (w *directWriter) write(p []byte) int {
	if w == nil {
		return 0
	}
	w.p, w.n = p, 0
	w.raw.Write(w.call)
	w.p = nil
	return max(w.n, 0)
}
