package hub

import (
	"cmp"
	"slices"
	"time"
)

// typingLife is how long somebody counts as writing without saying so again.
// Clients repeat it every 3 s.
const typingLife = 6 * time.Second

// What a visitor's page can be.
const (
	online  = "online"
	away    = "away" // connected, but no page in view
	offline = "offline"
)

// presenceToVisitor says whether the person who answers is there.
type presenceToVisitor struct {
	Holder string `json:"holder"`
}

// presenceToAdmin says whether the visitor is there, and who else looks at the
// room.
type presenceToAdmin struct {
	Visitor string   `json:"visitor"`
	Admins  []Author `json:"admins"`
}

// presence tells every member who is there.
func (r *liveRoom) presence() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tellPresence()
}

func (r *liveRoom) tellPresence() {
	if r.admins == 0 && r.state.Holder.ID == "" {
		return // nobody to tell, and nobody to tell of
	}
	holder, visitor, admins := away, offline, []Author{}
	seen := map[string]bool{}
	for s, m := range r.members {
		if !m.joined {
			continue
		}
		switch s.kind {
		case Visitor:
			visitor = nearer(visitor, s)
		case Admin:
			if s.who.ID == r.state.Holder.ID {
				holder = online
			}
			if !seen[s.who.ID] {
				seen[s.who.ID] = true
				admins = append(admins, s.who)
			}
		}
	}
	slices.SortFunc(admins, func(a, b Author) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	toAdmin := r.hub.packet("presence", "", presenceToAdmin{visitor, admins})
	toVisitor := r.hub.packet("presence", "", presenceToVisitor{holder})
	told := 0
	for s, m := range r.members {
		switch {
		case !m.joined:
			continue
		case s.kind == Visitor && r.state.Holder.ID != "":
			_ = s.conn.Send(toVisitor)
		case s.kind == Admin:
			_ = s.conn.Send(toAdmin)
		default:
			continue
		}
		told++
	}
	r.hub.opts.Observer.FramesOut("presence", told)
}

// visitorPresence is the visitor's state in a room, as far as this node sees.
func (h *Hub) visitorPresence(room string) string {
	r := h.liveRoom(room)
	if r == nil {
		return offline
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	state := offline
	for s, m := range r.members {
		if s.kind == Visitor && m.joined {
			state = nearer(state, s)
		}
	}
	return state
}

// nearer is a visitor's state with one more of its connections counted: the
// page most in view decides.
func nearer(state string, s *session) string {
	if !s.away.Load() {
		return online
	}
	if state == offline {
		return away
	}
	return state
}

// typing tells the others that somebody writes, until they stop, say something,
// or are silent for typingLife.
func (r *liveRoom) typing(t Typing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	if timer := r.typists[t.Author]; timer != nil {
		timer.Stop()
		delete(r.typists, t.Author)
	}
	if t.On {
		if r.typists == nil {
			r.typists = map[Author]*time.Timer{}
		}
		r.typists[t.Author] = time.AfterFunc(typingLife, func() {
			r.typing(Typing{Author: t.Author})
		})
	}
	r.tellTyping(t)
}

// stopTyping forgets a typist who has just said what they wrote; clients take
// the event itself for the end of typing.
func (r *liveRoom) stopTyping(a Author) {
	if timer := r.typists[a]; timer != nil {
		timer.Stop()
		delete(r.typists, a)
	}
}

func (r *liveRoom) tellTyping(t Typing) {
	packet := r.hub.packet("typing", "", t)
	told := 0
	for s, m := range r.members {
		if m.joined && s.who != t.Author { // nobody needs to hear of their own typing
			_ = s.conn.Send(packet)
			told++
		}
	}
	r.hub.opts.Observer.FramesOut("typing", told)
}

// summarise tells those who watch the room's domain how it stands.
func (h *Hub) summarise(r Room) {
	h.mu.Lock()
	watched := len(h.watchers[r.Domain]) > 0
	h.mu.Unlock()
	if !watched || r.Last.At.IsZero() { // nothing said yet: unlisted
		return
	}
	packet := h.packet("room", "", newSummary(r, h.visitorPresence(r.ID)))
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.watchers[r.Domain] {
		_ = s.conn.Send(packet)
	}
	h.opts.Observer.FramesOut("room", len(h.watchers[r.Domain]))
}
