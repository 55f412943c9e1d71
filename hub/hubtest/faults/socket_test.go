package faults

//lint:file-ignore SA1019 the server's own library, from its other end

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"nhooyr.io/websocket"

	"github.com/bellhub/bellhub/hub"
)

// dialTimeout is the widget's, from dialling to welcome.
const dialTimeout = 15 * time.Second

// socket is a WebSocket whose line can be cut, and whose reader can be stalled.
type socket struct {
	*websocket.Conn
	line *line
}

// line is the TCP connection below.
type line struct {
	*net.TCPConn
	mu    sync.Mutex
	stall chan struct{} // reads wait until it is closed; nil: they do not
}

func (l *line) Read(p []byte) (int, error) {
	n, err := l.TCPConn.Read(p)
	// After the read: one was under way when the stall began.
	l.mu.Lock()
	stall := l.stall
	l.mu.Unlock()
	if stall != nil {
		<-stall
	}
	return n, err
}

// stop makes the reader wait until the function it returns is called.
func (l *line) stop() (goOn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stall != nil {
		return func() {}
	}
	stall := make(chan struct{})
	l.stall = stall
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.stall = nil
		close(stall)
	}
}

// cut ends the connection without a word: with a reset, as a machine that
// crashed and came back would, or with the bare end of the stream.
func (l *line) cut(reset bool) {
	if reset {
		_ = l.SetLinger(0)
	}
	_ = l.Close()
}

// slowBuffer is the receive buffer of those who will stop reading: what the
// kernel takes in their place is bounded.
const slowBuffer = 16 << 10

// dial opens a WebSocket at a server's URL.
func dial(ctx context.Context, url string, header http.Header, slow bool) (*socket, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var l *line
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			l = &line{TCPConn: c.(*net.TCPConn)}
			if slow {
				_ = l.SetReadBuffer(slowBuffer)
			}
			return l, nil
		},
	}
	ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(url, "http")+"/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, HTTPHeader: header, Subprotocols: []string{hub.Subprotocol},
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		if l != nil {
			l.Close()
		}
		return nil, err
	}
	ws.SetReadLimit(4 << 20)
	return &socket{ws, l}, nil
}
