package hub

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Pushed is a plugin's own frame on its way to the members of a room.
type Pushed struct {
	Type string          `json:"type"`
	To   []Kind          `json:"to"`
	Data json.RawMessage `json:"data"`
}

// maxPushed bounds the data of a pushed frame, in bytes.
const maxPushed = 16 << 10

// clientSignals are what the browsers' client of the protocol tells by itself,
// beside the frames: a frame of that name would be taken for it.
var clientSignals = []string{"frame", "state"}

// Push declares a frame that the plugin sends to clients, and returns how: data
// goes, as JSON, to the members of these kinds in a room, on every node. Such a
// frame is ephemeral: who is not there misses it, and it may be lost, so what
// must still be seen after a reload is an event instead. Like [Host.Handle], it
// belongs into Init; a type that somebody else sends makes the start fail,
// naming both.
func (h *Host) Push(frame string, to []Kind) func(room string, data any) {
	h.hub.claim(h.plugin, frame, h.hub.pushes)
	if slices.Contains(framesOut, frame) || slices.Contains(clientSignals, frame) {
		panic(misuse(fmt.Sprintf("frame %q belongs to the hub already", frame)))
	}
	h.hub.pushes[frame] = h.plugin
	h.pushes = append(h.pushes, frame)
	to = slices.Clone(to)
	return func(room string, data any) {
		if !h.shows.allow(room) { // first: what is wrong with a frame is logged
			return
		}
		b, err := json.Marshal(data)
		switch {
		case err != nil:
			h.Log.Error("pushed frame not encoded", "frame", frame, "err", err)
		case len(b) > maxPushed:
			h.Log.Error("pushed frame dropped: too large", "frame", frame, "bytes", len(b), "limit", maxPushed)
		default:
			h.hub.publish(Signal{Room: room, Pushed: &Pushed{frame, to, b}})
		}
	}
}

// push hands a plugin's frame to the members it is for. What a large room is
// still to be sent goes first, since the frame may be about it.
func (r *liveRoom) push(p Pushed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ready {
		return
	}
	packet := r.hub.packet(p.Type, "", p.Data)
	told := 0
	for s, m := range r.members {
		if m.joined && slices.Contains(p.To, s.kind) {
			_ = s.conn.Send(packet)
			told++
		}
	}
	r.hub.opts.Observer.FramesOut(p.Type, told)
}
