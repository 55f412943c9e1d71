package server

import (
	"encoding/binary"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// How much a client may send that is not payload. Browsers send one pong for
// each of our pings and do not cut messages into small pieces; RFC 6455 allows
// both without limit, and the library below checks neither.
const (
	controlLimit  = 100              // control frames without a whole message …
	controlWindow = 10 * time.Second // … within this time
	fragmentLimit = 256              // frames of one message, beside one for each fragmentSize bytes allowed
	fragmentSize  = 16
)

// verdict is why a client's bytes are not read any further.
type verdict struct {
	code   hub.CloseCode
	reason string
}

func (v *verdict) Error() string { return v.reason }

var (
	verdictTooBig    = &verdict{hub.CloseTooBig, "message too big"}
	verdictFragments = &verdict{hub.CloseTooSlow, "too many fragments"}
	verdictFlood     = &verdict{hub.CloseFlood, "too many control frames"}
)

// meter follows a client's frames by their headers, to know what only they
// tell: whether a message is under way, how long it will be, in how many
// pieces it comes, and how many control frames come instead. It judges cost,
// not form: a malformed frame passes, and the library refuses it.
//
// The cost of a message is bounded by its payload and by its frames, which
// also ends a chain of empty continuation frames.
type meter struct {
	maxBytes  uint64 // payload of one message; 0: any
	maxFrames uint64

	head [10]byte // of the frame that is beginning, as far as it has come
	have int
	left uint64 // bytes of the frame after its header and length; the masking key is one of its parts

	messages uint64 // whole ones so far
	frames   uint64 // of the message under way
	bytes    uint64
	controls int // since the last whole message, or since the window began
	since    time.Time
}

func newMeter(maxBytes int) meter {
	m := meter{maxBytes: uint64(max(maxBytes, 0))}
	if maxBytes > 0 {
		m.maxFrames = fragmentLimit + m.maxBytes/fragmentSize
	}
	return m
}

// underWay numbers the message, or the lone control frame, whose end is still
// to come. It is 0 between messages, when silence is in order.
func (m *meter) underWay() uint64 {
	if m.have == 0 && m.frames == 0 {
		return 0
	}
	return m.messages + 1
}

// scan follows p, the next bytes of the stream. With a verdict it returns how
// many bytes came before the frame that brought it, so that all that was good
// can still be served.
func (m *meter) scan(p []byte) (good int, v *verdict) {
	for n := 0; n < len(p); {
		if m.have < m.headSize() {
			m.head[m.have] = p[n]
			m.have++
			n++
			if m.have < m.headSize() {
				continue
			}
			if v := m.begin(); v != nil {
				return good, v
			}
		}
		step := min(m.left, uint64(len(p)-n))
		m.left -= step
		n += int(step)
		if m.left == 0 {
			m.end()
			good = n
		}
	}
	return len(p), nil
}

// headSize is the size of a header without its masking key, as far as the
// bytes seen tell.
func (m *meter) headSize() int {
	if m.have >= 2 {
		switch m.head[1] &^ bitMasked {
		case len16:
			return 4
		case len64:
			return 10
		}
	}
	return 2
}

// begin judges the frame whose header is complete.
func (m *meter) begin() *verdict {
	size := uint64(m.head[1] &^ bitMasked)
	switch size {
	case len16:
		size = uint64(binary.BigEndian.Uint16(m.head[2:]))
	case len64:
		size = binary.BigEndian.Uint64(m.head[2:])
	}
	m.left = size
	if m.head[1]&bitMasked != 0 {
		m.left += 4
	}

	if m.control() {
		return m.countControl()
	}
	m.frames++
	if m.maxBytes > 0 && m.wellFormed(size) {
		if size > m.maxBytes-m.bytes {
			return verdictTooBig // without waiting for what was only announced
		}
		if m.frames > m.maxFrames {
			return verdictFragments
		}
		m.bytes += size
	}
	return nil
}

func (m *meter) control() bool { return m.head[0]&0x08 != 0 }

// wellFormed leaves to the library what it answers with 1002.
func (m *meter) wellFormed(size uint64) bool {
	return m.head[0]&bitsRSV == 0 && m.head[0]&0x0F <= opBinary &&
		m.head[1]&bitMasked != 0 && size>>63 == 0
}

func (m *meter) countControl() *verdict {
	switch m.controls++; {
	case m.controls == 1:
		m.since = time.Now()
	case m.controls > controlLimit:
		now := time.Now()
		if now.Sub(m.since) <= controlWindow {
			return verdictFlood
		}
		m.controls, m.since = 1, now
	}
	return nil
}

// end closes the books of a frame, and of a message with its last frame.
func (m *meter) end() {
	m.have = 0
	if !m.control() && m.head[0]&bitFin != 0 {
		m.messages++
		m.frames, m.bytes, m.controls = 0, 0, 0
	}
}
