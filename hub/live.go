package hub

import (
	"context"
	"sync"
	"time"
)

// gapWait is how long event n+1 waits for n before the log is read: signals may
// overtake each other, but not by much.
const gapWait = 100 * time.Millisecond

// maxPending bounds the events that wait for an earlier one. What comes beyond
// it is found in the log.
const maxPending = 1024

// maxBehind bounds the bytes that wait for a member's acknowledgement.
const maxBehind = 256 << 10

// liveRoom is a room with members on this node. It delivers the log to them
// strictly by number, each event once.
//
// Lock order: Hub.mu before liveRoom.mu, and neither is held while a store or a
// hook is called. Conn.Send never blocks, so it may be called under both.
type liveRoom struct {
	hub *Hub
	id  string

	mu      sync.Mutex
	members map[*session]*member
	admins  int              // of members
	state   Room             // as of the last event delivered; its Seq is where delivery stands
	ready   bool             // state has been read
	epoch   int64            // at least state.Epoch: answers of an older one are cut
	pending map[int64]Stored // above the gap, or all until ready
	fan     fanout           // what a large room's members are still to be sent
	missed  bool             // there was no room for an event in pending
	gap     *time.Timer      // runs while something is pending or missed
	closed  bool
	typists map[Author]*time.Timer // nil until somebody writes
}

// member is a session in the room.
type member struct {
	held   []Stored // delivered before the member's welcome went out; nil once it did
	joined bool
	cursor int64 // the newest event the member has been given
	skip   int   // how much of fanout.packets is not for the member

	// The acknowledgement of the member's own event comes first: while it is not
	// known, an event by the same author, and all after it, wait in behind. Once
	// it is known it is owed, to leave in one write with the event.
	asking bool
	behind []byte
	owed   []byte
}

// enterRoom adds a session to its room, which is made live if need be. What is
// delivered from now on is held for the session until [liveRoom.welcome].
func (h *Hub) enterRoom(s *session, id string) *liveRoom {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[id]
	if r == nil {
		r = &liveRoom{hub: h, id: id, members: map[*session]*member{}}
		h.rooms[id] = r
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[s] = &member{}
	if s.kind == Admin {
		r.admins++
	}
	return r
}

// leaveRoom takes a session out of its room; the last one closes it.
func (h *Hub) leaveRoom(s *session, r *liveRoom) {
	h.mu.Lock()
	r.mu.Lock()
	m := r.members[s]
	delete(r.members, s)
	if s.kind == Admin {
		r.admins--
	}
	empty := len(r.members) == 0
	if empty && h.rooms[r.id] == r {
		delete(h.rooms, r.id)
	}
	room := r.state
	r.mu.Unlock()
	h.mu.Unlock()
	if empty {
		r.shut()
	}
	if !m.joined {
		return // a stranger who named the room, perhaps: nobody need hear of it
	}
	r.presence()
	if s.kind == Visitor {
		h.summarise(room)
	}
}

func (h *Hub) liveRoom(id string) *liveRoom {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rooms[id]
}

// shut stops the room's timers.
func (r *liveRoom) shut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.gap != nil {
		r.gap.Stop()
	}
	for _, t := range r.typists {
		t.Stop()
	}
}

// now is the room as delivered; ok is false until it has been read.
func (r *liveRoom) now() (room Room, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state, r.ready
}

// welcome takes a member in who has been sent events up to cursor: send, its
// welcome, goes out with the room's newest state, and then whatever was held
// for it. read is the room as the store had it before those events were read.
func (r *liveRoom) welcome(s *session, read Room, cursor int64, send func(Room)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epoch = max(r.epoch, read.Epoch) // the member must see nothing older
	switch {
	case !r.ready:
		r.ready, r.state = true, read
		r.drainPending()
	case read.Epoch > r.state.Epoch:
		// The room has changed hands, and the signal is still on its way.
		r.state.Epoch, r.state.Mode, r.state.Holder = read.Epoch, read.Mode, read.Holder
	}
	now := r.state
	if read.Seq > now.Seq {
		now = read
	}
	m := r.members[s]
	send(now)
	// What waits in the fan-out was committed, or said, before this member was
	// told how the room stands: it has it, or is held it, or must not see it.
	m.cursor, m.joined, m.skip = cursor, true, len(r.fan.packets)
	for _, e := range m.held {
		if e.Event.Seq > cursor {
			r.send(s, m, e.Event, r.hub.packet("event", "", r.hub.eventData(e.Event)))
			r.hub.opts.Observer.FramesOut("event", 1)
		}
	}
	m.held = nil
}

// deliver takes a committed event from the backplane.
func (r *liveRoom) deliver(e Stored) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.ready && e.Event.Seq <= r.state.Seq {
		return
	}
	if r.ready && e.Event.Seq == r.state.Seq+1 && len(r.pending) == 0 && !r.fan.full() {
		r.broadcast(e) // as it mostly is
		return
	}
	r.hold(e)
	if r.ready {
		r.drainPending()
	}
}

// hold keeps an event for when those before it have come.
func (r *liveRoom) hold(e Stored) {
	if r.pending == nil {
		r.pending = map[int64]Stored{}
	}
	// What the room waits for always has a place.
	if len(r.pending) < maxPending || r.ready && e.Event.Seq-r.state.Seq <= maxPending {
		r.pending[e.Event.Seq] = e
		return
	}
	r.missed = true // nothing later may come that would ask for it
	r.seek()
}

// seek reads the log soon, unless what is missing comes before that.
func (r *liveRoom) seek() {
	if r.gap == nil && !r.closed {
		r.gap = time.AfterFunc(gapWait, func() { r.hub.fill(r) })
	}
}

// drainPending delivers what follows on from where the room stands, and sees to
// a gap.
func (r *liveRoom) drainPending() {
	for {
		e, ok := r.pending[r.state.Seq+1]
		if !ok {
			break
		}
		if r.fan.full() {
			return // the fan-out goes on with it
		}
		delete(r.pending, e.Event.Seq)
		r.broadcast(e)
	}
	for seq := range r.pending {
		if seq <= r.state.Seq {
			delete(r.pending, seq)
		}
	}
	switch {
	case len(r.pending) > 0 || r.missed:
		r.seek()
	case r.gap != nil:
		r.gap.Stop()
		r.gap = nil
	}
}

// fill reads what is missing from the log.
func (h *Hub) fill(r *liveRoom) {
	r.mu.Lock()
	room, ok := r.state, r.ready
	if ok {
		r.missed = false // what finds no place from here on may not be in what is read
	} else {
		r.gap = nil // welcome seeks again
	}
	r.mu.Unlock()
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(h.base, frameTimeout)
	defer cancel()
	events, more, err := h.opts.Store.Events(ctx, r.id, Range{After: room.Seq, Limit: MaxPage})
	if err == nil && len(events) > 0 {
		room, err = h.opts.Store.Room(ctx, r.id)
	}
	if err != nil {
		h.opts.Log.Warn("gap not filled yet", "room", r.id, "err", err)
	}
	if len(events) > 0 {
		h.opts.Observer.GapFilled()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gap = nil
	r.missed = r.missed || err != nil
	for _, e := range events {
		if e.Seq > r.state.Seq {
			at := room
			at.Seq = e.Seq
			r.hold(Stored{e, at})
		}
	}
	r.drainPending() // arms the timer again where a gap is left
	if more && r.gap == nil && !r.closed {
		r.gap = time.AfterFunc(0, func() { h.fill(r) })
	}
}

// broadcast gives the next event to every member. It is encoded once.
func (r *liveRoom) broadcast(e Stored) {
	r.state = e.Room
	r.epoch = max(r.epoch, e.Room.Epoch)
	r.stopTyping(e.Event.Author)
	packet := r.hub.packet("event", "", r.hub.eventData(e.Event))
	large := len(r.members) > largeRoom || r.fan.busy // behind what is on its way
	if large {
		r.fan.add(r, packet, e.Event)
	}
	shown := 0
	for s, m := range r.members {
		switch {
		case !m.joined:
			m.held = append(m.held, e)
			continue
		case !large:
			r.send(s, m, e.Event, packet)
		case e.Event.Seq <= m.cursor:
			m.skip = len(r.fan.packets) // its welcome brought this
			continue
		}
		shown++
	}
	r.hub.opts.Observer.FramesOut("event", shown)
	if e.Event.Type == EventTakeover || e.Event.Type == EventHandback {
		r.tellPresence()
	}
}

// send gives a member an event, unless it has it.
func (r *liveRoom) send(s *session, m *member, e Event, packet []byte) {
	if e.Seq <= m.cursor {
		return
	}
	m.cursor = e.Seq
	if packet = m.due(packet, e.Author == s.who); packet != nil {
		_ = s.conn.Send(packet)
	}
}

// due is what leaves when a member is sent a packet: behind what it is owed, or
// nothing yet. own tells that the packet holds an event by the same author.
func (m *member) due(packet []byte, own bool) []byte {
	switch {
	case len(m.behind) > maxBehind: // let it be seen early, then
		packet = append(m.behind, packet...)
		m.behind, m.asking = nil, false
	case m.behind != nil || m.asking && own:
		m.behind = append(m.behind, packet...)
		return nil
	case m.owed != nil:
		packet = append(m.owed, packet...)
		m.owed = nil
	}
	return packet
}

// ask notes that a member's event is being appended. What it came to is told by
// owe, or by pay alone where there is nothing to acknowledge.
func (r *liveRoom) ask(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[s].asking = true
}

// owe has a member's acknowledgement leave with the event it is for, which saves
// a system call.
func (r *liveRoom) owe(s *session, ack []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.members[s]
	m.owed = ack
	if m.behind != nil {
		m.settle(s)
	}
	m.asking = false
}

// pay sends a member what it is still owed: the event did not come.
func (r *liveRoom) pay(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[s].settle(s)
}

func (m *member) settle(s *session) {
	if packets := append(m.owed, m.behind...); len(packets) > 0 {
		_ = s.conn.Send(packets)
	}
	m.owed, m.behind, m.asking = nil, nil, false
}

// fence cuts growing answers of epochs before this one.
func (r *liveRoom) fence(epoch int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epoch = max(r.epoch, epoch)
}

// stream passes on what was added to a growing answer, unless the room has
// changed hands since.
func (r *liveRoom) stream(s Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.Epoch < r.epoch || !r.ready {
		return
	}
	packet := r.hub.packet("stream", "", s)
	if r.fan.busy { // behind the hand-back that it follows
		r.fan.add(r, packet, Event{})
		r.hub.opts.Observer.FramesOut("stream", len(r.members))
		return
	}
	told := 0
	for s, m := range r.members {
		if m.joined {
			_ = s.conn.Send(packet)
			told++
		}
	}
	r.hub.opts.Observer.FramesOut("stream", told)
}
