package story

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub/hubtest/process"
)

// speaker is a visitor's socket, frame by frame, who says one thing after the
// other without waiting for what was said before to be acknowledged.
type speaker struct {
	name        string
	conn        net.Conn
	in          *bufio.Reader
	room, token string
	ahead       chan struct{} // as many as may be said before the first is acknowledged
	over        chan struct{} // closed when the connection is

	said   int            // messages sent; talk's own
	acked  map[string]int // their numbers in the log, by id
	closed string         // the server's close, as code and reason
	after  int            // frames that came behind it; like acked and closed, listen's own
}

// join connects a visitor of the domain "quiet".
func (p *program) join(t *testing.T, name, hello string) *speaker {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	s := &speaker{name: name, conn: conn, in: bufio.NewReader(conn), ahead: make(chan struct{}, 20), over: make(chan struct{}), acked: map[string]int{}}
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: %s\r\n\r\n", p.url)
	resp, err := http.ReadResponse(s.in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp, err)
	}
	if err := s.send(1, `{"type":"hello","id":"hello","data":{"domain":"quiet"`+hello+`}}`); err != nil {
		t.Fatal(err)
	}
	_, payload, err := s.frame()
	var welcome struct {
		Type string
		Data struct {
			Room  struct{ ID string }
			Token string
		}
	}
	if err == nil {
		err = json.Unmarshal(payload, &welcome)
	}
	if err != nil || welcome.Type != "welcome" {
		t.Fatalf("%s %v", payload, err)
	}
	s.room, s.token = welcome.Data.Room.ID, welcome.Data.Token
	return s
}

// send masks a frame with zeros, which leaves it readable here.
func (s *speaker) send(opcode byte, payload string) error {
	f := []byte{0x80 | opcode, 0x80 | 126}
	f = binary.BigEndian.AppendUint16(f, uint16(len(payload)))
	if len(payload) < 126 {
		f = []byte{0x80 | opcode, 0x80 | byte(len(payload))}
	}
	_, err := s.conn.Write(append(append(f, 0, 0, 0, 0), payload...))
	return err
}

// frame reads the next one that is no ping.
func (s *speaker) frame() (opcode byte, payload []byte, err error) {
	for opcode = 9; opcode == 9 && err == nil; {
		opcode, payload, err = s.any()
	}
	return opcode, payload, err
}

func (s *speaker) any() (opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(s.in, head[:]); err != nil {
		return 0, nil, err
	}
	n := int(head[1])
	if n == 126 {
		var size [2]byte
		if _, err := io.ReadFull(s.in, size[:]); err != nil {
			return 0, nil, err
		}
		n = int(binary.BigEndian.Uint16(size[:]))
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(s.in, payload)
	return head[0] & 0x0F, payload, err
}

func (s *speaker) say(i int) error {
	id := fmt.Sprintf("%s-%d", s.name, i)
	return s.send(1, fmt.Sprintf(`{"type":"message","id":%q,"data":{"text":%q}}`, id, "says "+id))
}

// talk says more and more until the connection is over.
func (s *speaker) talk(enough *sync.WaitGroup) {
	for {
		select {
		case s.ahead <- struct{}{}:
		case <-s.over:
			return
		}
		_ = s.say(s.said) // whether it arrived is for listen to learn
		if s.said++; s.said == 50 {
			enough.Done()
		}
	}
}

// listen notes what the server says, to the end.
func (s *speaker) listen() error {
	defer close(s.over)
	for {
		opcode, payload, err := s.frame()
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
			return nil
		}
		if err != nil {
			return err
		}
		var f struct {
			Type, ID string
			Data     struct {
				Seq  int
				Code string
			}
		}
		switch {
		case s.closed != "":
			s.after++
		case opcode == 8:
			s.closed = fmt.Sprintf("%d %s", binary.BigEndian.Uint16(payload), payload[2:])
		case opcode == 1:
			err = json.Unmarshal(payload, &f)
			if f.Type == "ack" {
				s.acked[f.ID] = f.Data.Seq
				<-s.ahead
			} else if f.Type == "error" {
				err = errors.New(string(payload))
			}
		}
		if opcode == 8 {
			_ = s.send(8, string(payload[:2]))
		}
		if err != nil {
			return err
		}
	}
}

// A service manager stops the server amid traffic. Readiness says so; each
// client is told to come back; what was acknowledged is stored, as what it was
// acknowledged as; what was not is said again to the next server, and stored
// once.
func TestTheServerDrains(t *testing.T) {
	dir := t.TempDir()
	run := func() *program {
		p := &program{}
		p.url = p.run(t, process.Development, "", "-data", dir, "-message-rate", "0", "-messages-per-minute", "0")[1]
		return p
	}
	p := run()
	process.Command(t, nil, "domain", "add", "Quiet", "-key", "quiet", "-ai=false", "-data", dir)

	const speakers = 20
	all := make([]*speaker, speakers)
	var enough, over sync.WaitGroup
	enough.Add(speakers)
	for i := range all {
		s := p.join(t, fmt.Sprint("v", i), "")
		all[i] = s
		over.Go(func() { s.talk(&enough) })
		over.Go(func() {
			if err := s.listen(); err != nil {
				t.Errorf("%s: %v", s.name, err)
			}
		})
	}
	// One who never answers, so that there is something left to be seen of the
	// drain.
	p.join(t, "mute", "")
	enough.Wait()

	began := time.Now()
	p.Terminate(t)
	ready := http.Client{Timeout: 5 * time.Second}
	for status := 200; status != 503; {
		resp, err := ready.Get(p.url + "/readyz")
		if err != nil {
			t.Fatal("the server went before it said so:", err)
		}
		resp.Body.Close()
		status = resp.StatusCode
	}
	ready.CloseIdleConnections()
	over.Wait()
	p.Wait(t, 30*time.Second-time.Since(began))

	p = run()
	for _, s := range all {
		if s.closed != "1012 the server restarts" || s.after > 0 {
			t.Errorf("%s was closed with %q, and got %d frames more", s.name, s.closed, s.after)
		}
		again := p.join(t, s.name, fmt.Sprintf(`,"token":%q,"room":%q,"after":0`, s.token, s.room))
		log := again.log(t)
		for id, seq := range s.acked {
			if log["says "+id] != seq {
				t.Errorf("%s was acknowledged as %d and is stored as %d", id, seq, log["says "+id])
			}
		}
		for i := range s.said {
			if id := fmt.Sprintf("%s-%d", s.name, i); s.acked[id] == 0 {
				if err := again.say(i); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n := len(again.log(t)); n != s.said {
			t.Errorf("%s said %d things; %d are stored", s.name, s.said, n)
		}
	}
}

// log reads all of the room's log: the numbers, by the text. The same text twice
// fails the test.
func (s *speaker) log(t *testing.T) map[string]int {
	t.Helper()
	log, more := map[string]int{}, true
	for last := 0; more; {
		if err := s.send(1, fmt.Sprintf(`{"type":"history","id":"log","data":{"after":%d}}`, last)); err != nil {
			t.Fatal(err)
		}
		for {
			_, payload, err := s.frame()
			var f struct {
				Type string
				Data struct {
					Events []struct {
						Seq  int
						Text string
					}
					More bool
				}
			}
			if err == nil {
				err = json.Unmarshal(payload, &f)
			}
			if err != nil || f.Type == "error" {
				t.Fatalf("%s %v", payload, err)
			}
			if f.Type != "history" {
				continue
			}
			for _, e := range f.Data.Events {
				if log[e.Text] != 0 || e.Seq != last+1 {
					t.Errorf("%q is stored as %d, after %d, and as %d", e.Text, e.Seq, last, log[e.Text])
				}
				log[e.Text], last = e.Seq, e.Seq
			}
			more = f.Data.More
			break
		}
	}
	return log
}
