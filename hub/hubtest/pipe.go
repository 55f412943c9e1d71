package hubtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// pipe is a hub.Conn without a network.
type pipe struct {
	in     chan []byte // client to hub
	closed chan struct{}

	mu     sync.Mutex
	wake   *sync.Cond
	out    [][]byte // hub to client
	over   bool
	code   hub.CloseCode
	reason string
}

var errOver = errors.New("hubtest: the connection is over")

func (p *pipe) Read() ([]byte, error) {
	select {
	case <-p.closed:
		return nil, errOver
	default:
	}
	select {
	case b := <-p.in:
		return b, nil
	case <-p.closed:
		return nil, errOver
	}
}

func (p *pipe) Send(packet []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return errOver
	}
	// The kit's frames are bare JSON, which tells by itself where each ends.
	for d := json.NewDecoder(bytes.NewReader(packet)); ; {
		var frame json.RawMessage
		if d.Decode(&frame) != nil {
			break
		}
		p.out = append(p.out, frame)
	}
	p.wake.Signal()
	return nil
}

func (p *pipe) Close(code hub.CloseCode, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.over, p.code, p.reason = true, code, reason
	close(p.closed)
	p.wake.Signal()
}

func (p *pipe) Closed() hub.CloseCode {
	code, _ := p.end()
	return code
}

func (p *pipe) hangUp() { p.Close(0, "the client hung up") }

func (p *pipe) end() (hub.CloseCode, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.code, p.reason
}

// receive waits for the hub's next packet; false once the connection is over
// and everything sent before has been received.
func (p *pipe) receive() ([]byte, bool) {
	late := time.AfterFunc(patience, func() { p.Close(0, "nothing came") })
	defer late.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.out) == 0 && !p.over {
		p.wake.Wait()
	}
	if len(p.out) == 0 {
		return nil, false
	}
	b := p.out[0]
	p.out = p.out[1:]
	return b, true
}

// rest is what arrived and nobody received.
func (p *pipe) rest() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.out)
}
