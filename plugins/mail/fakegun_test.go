package mail

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
)

const (
	gunDomain = "mg.kopitugu.example"
	gunKey    = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"
)

// gun is Mailgun's message API as far as Bellhub can tell the difference: it
// checks the key, the domain and every field that matters, keeps what it
// accepted, and fails when told to. mailgun-go's own mock checks no key, keeps
// no body, takes one recipient and never fails.
type gun struct {
	*httptest.Server
	mu       sync.Mutex
	faults   []fault
	accepted []shot
	asked    int
	arrived  chan shot // every accepted message, for tests that wait
}

// shot is an accepted message.
type shot struct {
	ID     string
	To     []string
	Fields map[string][]string
}

func (s shot) field(name string) string { return strings.Join(s.Fields[name], "|") }

// fault happens in place of the normal answer, to one request. accept says
// whether the message is taken all the same.
type fault struct {
	status int
	body   string
	header map[string]string
	stall  bool // until the client leaves
	reset  bool // the connection
	accept bool
}

func newGun(t *testing.T) *gun {
	g := &gun{arrived: make(chan shot, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v3/{domain}/messages", g.messages)
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

// fail makes the next requests fail, one fault each.
func (g *gun) fail(faults ...fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, faults...)
}

func (g *gun) shots() []shot {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]shot(nil), g.accepted...)
}

func (g *gun) requests() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked
}

func (g *gun) messages(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.asked++
	var f *fault
	if len(g.faults) > 0 {
		f, g.faults = &g.faults[0], g.faults[1:]
	}
	g.mu.Unlock()
	if f != nil && f.reset && !f.accept {
		reset(w)
		return
	}
	if user, key, ok := r.BasicAuth(); !ok || user != "api" || key != gunKey {
		answerJSON(w, http.StatusUnauthorized, "Invalid private key")
		return
	}
	if r.PathValue("domain") != gunDomain {
		answerJSON(w, http.StatusNotFound, "Domain not found: "+r.PathValue("domain"))
		return
	}
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		answerJSON(w, http.StatusBadRequest, "not a form")
		return
	}
	var s shot
	if f == nil || f.accept {
		var bad string
		if s, bad = g.accept(r.MultipartForm.Value); bad != "" {
			answerJSON(w, http.StatusBadRequest, bad)
			return
		}
	}
	switch {
	case f == nil:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"id": s.ID, "message": "Queued. Thank you."})
	case f.stall:
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	case f.reset:
		reset(w)
	default:
		for k, v := range f.header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(f.status)
		_, _ = io.WriteString(w, f.body)
	}
}

// accept checks a message as Mailgun does and keeps it; bad says what is wrong.
func (g *gun) accept(fields map[string][]string) (s shot, bad string) {
	one := func(name string) string {
		if v := fields[name]; len(v) == 1 {
			return v[0]
		}
		return ""
	}
	if _, err := mail.ParseAddress(one("from")); err != nil {
		return s, "'from' parameter is not a valid address. please check documentation"
	}
	to, err := mail.ParseAddressList(strings.Join(fields["to"], ","))
	if err != nil {
		return s, "'to' parameter is not a valid address. please check documentation"
	}
	if one("text") == "" && one("html") == "" {
		return s, "Need at least one of 'text' or 'html' parameters specified"
	}
	if len(fields["o:tag"]) > 3 {
		return s, "too many tags"
	}
	for name, values := range fields {
		if (strings.HasPrefix(name, "h:") || name == "subject") && strings.ContainsAny(strings.Join(values, ""), "\r\n") {
			return s, "a header has a line end"
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	s = shot{ID: fmt.Sprintf("<%d.%s>", len(g.accepted)+1, gunDomain), Fields: fields}
	for _, a := range to {
		s.To = append(s.To, a.Address)
	}
	g.accepted = append(g.accepted, s)
	select {
	case g.arrived <- s:
	default:
	}
	return s, ""
}

func answerJSON(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// reset drops the connection so that the client sees a reset, not an end.
func reset(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
