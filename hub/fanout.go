package hub

import "runtime"

// largeRoom is above how many members a room is served by a goroutine of its
// own. Below it the one who publishes writes to everybody, which is the fastest
// for a few; above, events that come meanwhile leave together, with one system
// call a member (measured: 2.3 times less CPU at 1,000 members).
const largeRoom = 16

// maxFanout bounds the bytes that wait for a large room's members. What comes
// beyond stays pending, and then in the log.
const maxFanout = 64 << 10

// fanout is what a large room's members are to be sent next. liveRoom.mu guards
// it; busy is a goroutine that lives until nothing is left.
type fanout struct {
	packets []byte // whole packets, in order
	ends    []end  // of each packet that is an event
	busy    bool
}

// end says where an event ends in fanout.packets.
type end struct {
	seq    int64
	author Author
	at     int
}

// target is a member and what it is sent of a batch: all from here on, or
// packets of its own.
type target struct {
	s    *session
	from int
	own  []byte
}

func (f *fanout) full() bool { return len(f.packets) > maxFanout }

// add queues a packet for everybody who has joined by now; e is the zero Event
// for what is no event.
func (f *fanout) add(r *liveRoom, packet []byte, e Event) {
	f.packets = append(f.packets, packet...)
	if e.Seq > 0 {
		f.ends = append(f.ends, end{e.Seq, e.Author, len(f.packets)})
	}
	if !f.busy {
		f.busy = true
		go r.fanOut()
	}
}

// fanOut is the goroutine. Who gets what is decided under the lock; the writing
// is done without, so that publishers go on meanwhile and their events make the
// next batch.
func (r *liveRoom) fanOut() {
	var packets []byte
	var ends []end
	var targets []target
	for {
		runtime.Gosched() // those whose events were committed together come together
		r.mu.Lock()
		packets, r.fan.packets = r.fan.packets, packets[:0]
		ends, r.fan.ends = r.fan.ends, ends[:0]
		if len(packets) == 0 {
			r.fan = fanout{}
			r.mu.Unlock()
			return
		}
		targets = targets[:0]
		for s, m := range r.members {
			if !m.joined {
				continue // what it needs of this is held for it
			}
			t, own := target{s: s}, false
			for _, e := range ends {
				if e.seq <= m.cursor {
					t.from = e.at // it had this with its welcome
				} else {
					m.cursor, own = e.seq, own || m.asking && e.author == s.who
				}
			}
			if m.asking || m.owed != nil {
				if t.own = m.due(s, packets[t.from:], own); t.own == nil {
					continue
				}
			}
			targets = append(targets, t)
		}
		if len(r.pending) > 0 {
			r.drainPending()
		}
		r.mu.Unlock()
		for i, t := range targets {
			rest := t.own
			if rest == nil {
				rest = packets[t.from:]
			}
			if len(rest) > 0 {
				_ = t.s.conn.Send(rest)
			}
			targets[i] = target{}
		}
	}
}
