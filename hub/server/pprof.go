package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// profileTime bounds one profile, and so the ?seconds= of a request.
const profileTime = 2 * time.Minute

// profiler answers Go's profiling tools on a listener of its own. What it tells
// (the memory of the program, in a dump of the heap, holds what people write)
// is for whoever is at home on this machine: the address is on loopback, see
// hub/config, and a request has to name it so, since a web page could otherwise
// reach it by a name of its own that resolves to 127.0.0.1.
type profiler struct {
	addr  net.Addr
	http  http.Server
	ended chan struct{}
	abort context.CancelFunc // of the profiles under way
}

// newProfiler serves on addr until stop. Each path is /debug/pprof/…; without
// cmdline, since the command line may hold a secret.
func newProfiler(ctx context.Context, addr string) (*profiler, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("-pprof: %w", err)
	}
	ctx, abort := context.WithCancel(ctx)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", http.NotFound)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	p := &profiler{addr: ln.Addr(), abort: abort, ended: make(chan struct{}), http: http.Server{
		Handler: atHome(mux), BaseContext: func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: readTimeout, WriteTimeout: profileTime, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaders,
		ErrorLog: log.New(io.Discard, "", 0), // of what clients do
	}}
	go func() {
		defer close(p.ended)
		_ = p.http.Serve(ln) // ends by stop
	}()
	return p, nil
}

// stop ends the profiles under way and the server.
func (p *profiler) stop(ctx context.Context) error {
	p.abort()
	err := p.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("server: stop profiling: %w", err), p.http.Close())
	}
	<-p.ended
	return err
}

// atHome refuses requests that call this machine by another name.
func atHome(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil || !loopback(host) {
			http.Error(w, "This is for this machine alone.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
