package hub

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// helloTimeout is how long a connection may be silent before its hello.
	helloTimeout = 10 * time.Second
	// frameTimeout bounds the work for one frame, hooks and store included; a
	// message's has bounds of its own, since a timer a message is dear.
	frameTimeout = 15 * time.Second

	// Frames other than messages and bells that one connection may send: a
	// person at a keyboard stays far below.
	frameRate  = 20
	frameBurst = 100
)

// Handshake is what the server knows of a connection before its first frame.
type Handshake struct {
	Identity Identity     // of the browser session's cookie; nobody without one
	Origin   string       // scheme://host[:port]; empty where the client sent none
	IP       string       // empty where it is not known: behind a proxy that nobody trusts
	Log      *slog.Logger // names the connection; nil: the hub's
}

// session is one connection, from its accept to its end. All fields but those
// marked belong to whoever works on its frames, one at a time.
type session struct {
	hub  *Hub
	conn Conn
	hs   *Handshake
	log  *slog.Logger
	born time.Time
	late *time.Timer // closes a connection that says no hello

	worked chan error // how the work on a frame ended

	// Set before the session is known to others, then constant.
	kind   Kind
	who    Author
	domain Domain
	lang   string // a visitor's, among those there are words for
	access Access
	watch  string // the domain, for an admin who watches its list
	room   *liveRoom
	guest  *visitorState

	hellos int
	flood  *rate.Limiter // of frames other than messages; nil until there is one

	away   atomic.Bool // no page in view
	active atomic.Bool // a frame came since the last revalidation

	mu       sync.Mutex
	busy     bool // a frame is being worked on
	draining bool // leave after it
}

// errEnd ends a session without a further word: the connection has been closed.
var errEnd = errors.New("hub: session over")

// Serve runs a connection until it ends. It returns once everything the
// connection held has been given back.
//
// It only reads: each frame is worked on by a goroutine of its own, which Serve
// waits for. A goroutine's stack stays as large as its deepest call, and a
// database's are deep; a connection is quiet most of its life, and so keeps the
// small stack of a reader.
func (h *Hub) Serve(ctx context.Context, conn Conn, hs *Handshake) {
	s := h.open(conn, hs)
	if s == nil {
		_, _ = conn.Read() // lets the transport finish closing
		h.opts.Observer.Closed(conn.Closed())
		return
	}
	for s.next(ctx) {
	}
	s.late.Stop()
	h.forget(s)
	s.over()
	h.serving.Done()
}

// open makes the connection's session, or closes it.
func (h *Hub) open(conn Conn, hs *Handshake) *session {
	s := &session{hub: h, conn: conn, hs: hs, log: hs.Log, born: time.Now(), worked: make(chan error, 1)}
	if s.log == nil {
		s.log = h.opts.Log
	}
	if code, reason := h.admit(s); code != 0 {
		conn.Close(code, reason)
		return nil
	}
	s.late = time.AfterFunc(helloTimeout, func() { conn.Close(CloseTooSlow, "no hello") })
	return s
}

// next reads a frame and has it worked on. False ends the session.
func (s *session) next(ctx context.Context) bool {
	data, err := s.conn.Read()
	if err != nil || !s.begin() {
		return false
	}
	s.hub.crew.run(func() { s.worked <- s.frame(ctx, data) })
	err = <-s.worked
	s.finish()
	if err != nil {
		// Closed from here: the transport may still be waiting for the client's
		// answer, and says when it is done.
		_, _ = s.conn.Read()
	}
	return err == nil
}

// admit counts a connection in, or says why not.
func (h *Hub) admit(s *session) (CloseCode, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.draining {
		return CloseRestart, "the server restarts"
	}
	if n := h.opts.Limits.MaxConnections; n > 0 && len(h.sessions) >= n {
		return CloseTryLater, "the server is full"
	}
	h.sessions[s] = struct{}{}
	h.serving.Add(1)
	return 0, ""
}

// forget undoes what the session was.
func (h *Hub) forget(s *session) {
	h.mu.Lock()
	delete(h.sessions, s)
	if s.guest != nil {
		s.guest.leave(h, s)
	}
	if s.watch != "" {
		delete(h.watchers[s.watch], s)
		if len(h.watchers[s.watch]) == 0 {
			delete(h.watchers, s.watch)
		}
	}
	h.mu.Unlock()
	if s.room != nil {
		h.leaveRoom(s, s.room)
		h.hooks.SessionClosed.fire(SessionClosed{Room: s.room.id, Author: s.who, Duration: time.Since(s.born)})
	}
}

// begin marks the session busy; false where it should leave instead: a frame
// that comes after the drain began is not worked on, and its sender, not having
// been acknowledged, will send it again.
func (s *session) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = !s.draining
	return s.busy
}

// finish marks the session idle, and makes it leave where it has to.
func (s *session) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	if s.draining {
		s.conn.Close(CloseRestart, "the server restarts")
	}
}

// drain makes the session leave, after the frame it is at.
func (s *session) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	if !s.busy {
		s.conn.Close(CloseRestart, "the server restarts")
	}
}

// frame works on one frame. An error ends the session. A panic, of a plugin's
// handler or our own, costs its sender an error and nobody else anything.
func (s *session) frame(ctx context.Context, data []byte) (err error) {
	var in inbound
	defer func() {
		if p := recover(); p != nil {
			s.logger().Error("frame panicked", "plugin", s.hub.frames[in.Type].plugin, "panic", p, "stack", string(debug.Stack()))
			s.conn.Close(CloseInternal, "")
			err = errEnd
		}
	}()
	if !s.active.Load() { // a write that others see is dearer than a look
		s.active.Store(true)
	}
	in, err = parse(data)
	s.hub.opts.Observer.FrameIn(in.Type)
	if s.room == nil && s.watch == "" { // not welcomed yet
		if err != nil || in.Type != "hello" {
			s.conn.Close(CloseUnknown, "hello comes first")
			return errEnd
		}
		ctx, cancel := context.WithTimeout(ctx, frameTimeout)
		defer cancel()
		return s.hello(ctx, in)
	}
	if err == nil {
		err = s.handle(ctx, in)
	}
	if errors.Is(err, errEnd) {
		return err
	}
	// A visitor's messages have limits of their own; all else, and what is
	// refused, has this one.
	if (err != nil || in.Type != "message" || s.kind == Admin) && !s.allow() {
		s.conn.Close(CloseFlood, "too many frames")
		return errEnd
	}
	if err != nil {
		s.fail(in.ID, err)
	}
	return nil
}

// allow counts a frame, and tells whether it was not one too many.
func (s *session) allow() bool {
	if s.flood == nil {
		s.flood = rate.NewLimiter(frameRate, frameBurst)
	}
	return s.flood.Allow()
}

// handle finds who answers the frame.
func (s *session) handle(ctx context.Context, in inbound) error {
	if in.Type == "hello" {
		s.conn.Close(ClosePolicy, "hello came already")
		return errEnd
	}
	if in.ID != "" && !clientID(in.ID) {
		return Errorf(CodeBadField, "The field %q is 1 to 64 letters, digits and ._:-", "id")
	}
	f, ok := s.hub.frames[in.Type]
	if !ok {
		return Errorf(CodeUnknownType, "There is no frame of this type.")
	}
	if s.room == nil || !slices.Contains(f.from, s.kind) {
		return ErrForbidden
	}
	if f.bounded {
		return f.fn(ctx, s, in)
	}
	ctx, cancel := context.WithTimeout(ctx, frameTimeout)
	defer cancel()
	return f.fn(ctx, s, in)
}

// plugged hands a frame to the plugin that asked for its type. What the plugin
// appends reaches the members after the acknowledgement.
func (s *session) plugged(ctx context.Context, in inbound, fn func(context.Context, Frame) (any, error)) error {
	if in.ID == "" {
		return Errorf(CodeBadField, "The field %q is missing.", "id")
	}
	room, err := s.hub.room(ctx, s.room.id)
	if err != nil {
		return err
	}
	s.room.ask(s)
	defer s.room.pay(s)
	d := &deferred{}
	defer d.release()
	domain := s.domain.Clone()
	domain.ID = room.Domain
	ack, err := fn(context.WithValue(ctx, deferredKey{}, d), Frame{
		Type: in.Type, ID: in.ID, Hash: bodyHash(in), Data: bytes.Clone(in.Data),
		Room: room, Domain: domain, Author: s.who, IP: s.hs.IP, Lang: s.lang, Access: s.access,
	})
	if s.kind == Visitor && refusal(err) == ErrNotFound { // and no plugin's own not_found
		return ErrGone // the room was there when the visitor came in
	}
	if err != nil {
		return err
	}
	s.room.owe(s, s.hub.packet("ack", in.ID, ack))
	s.hub.opts.Observer.FramesOut("ack", 1)
	return nil
}

// bodyHash stands for a frame's type and data as received.
func bodyHash(in inbound) string {
	body := make([]byte, 0, 1024) // on the stack, for most
	body = append(append(append(body, in.Type...), '\n'), in.Data...)
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func (s *session) send(typ, id string, data any) {
	_ = s.conn.Send(s.hub.packet(typ, id, data)) // Read reports a lost connection
	s.hub.opts.Observer.FramesOut(typ, 1)
}

// fail tells the client what went wrong, as far as it may know.
func (s *session) fail(id string, err error) {
	e := public(err)
	if e.Code == CodeInternal || e.Code == CodeUnavailable {
		s.logger().Error("frame failed", "code", e.Code, "err", err)
	}
	if !clientID(id) {
		id = ""
	}
	s.send("error", id, errorData{e.Code, e.Message, e.Retryable(), e.retrySeconds()})
}

// revalidate ends an admin's session that the store no longer lets in.
func (s *session) revalidate(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, frameTimeout)
	defer cancel()
	store := s.hub.opts.Store
	if s.active.Swap(false) {
		if err := store.Touch(ctx, s.access.Session); err != nil {
			s.logger().Warn("session not touched", "err", err)
		}
	}
	var err error
	if s.watch != "" {
		err = store.MayWatch(ctx, s.hs.Identity, s.watch)
	} else {
		_, _, err = store.EnterAdmin(ctx, s.hs.Identity, s.room.id)
	}
	if errors.Is(err, ErrNotFound) {
		s.conn.Close(CloseRevoked, "the session has ended")
	}
}
