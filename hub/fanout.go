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
	seq int64
	at  int
}

// target is a member and what it is sent of a batch: from here on.
type target struct {
	s    *session
	owed []byte
	from int
}

func (f *fanout) full() bool { return len(f.packets) > maxFanout }

// add queues a packet for everybody who has joined by now; seq is 0 for what is
// no event.
func (f *fanout) add(r *liveRoom, packet []byte, seq int64) {
	f.packets = append(f.packets, packet...)
	if seq > 0 {
		f.ends = append(f.ends, end{seq, len(f.packets)})
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
			t := target{s: s, owed: m.owed}
			for _, e := range ends {
				if e.seq <= m.cursor {
					t.from = e.at // it had this with its welcome
				}
			}
			m.owed = nil
			if n := len(ends); n > 0 {
				m.cursor = max(m.cursor, ends[n-1].seq)
			}
			targets = append(targets, t)
		}
		if len(r.pending) > 0 {
			r.drainPending()
		}
		r.mu.Unlock()
		for i, t := range targets {
			rest := packets[t.from:]
			if t.owed != nil {
				rest = append(t.owed, rest...)
			}
			if len(rest) > 0 {
				_ = t.s.conn.Send(rest)
			}
			targets[i] = target{}
		}
	}
}
