// Package bench measures, as a user of it, what a running Bellhub server can
// take: it opens connections as visitors do, talks in their rooms at a steady
// rate, and reports how fast that was acknowledged and shown to everybody.
//
// Load is open: a message is sent when it is due, whether or not earlier ones
// were answered, and its latency counts from then. So a server that stalls is
// seen to stall, and does not slow its own examination down (coordinated
// omission).
//
// A room is a visitor's, and its members here are pages of that visitor: what
// one says, each of them is shown. Every connection has one goroutine that reads
// it and one of the library's; a room that talks has one more. Ten thousand
// connections take about 300 MB.
//
// client.go is the one file here that imports the WebSocket library.
package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"sync"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// Options say what load to put on. The defaults stay under the limits of a
// server whose operator moved none, so that a first run measures something.
type Options struct {
	Key         string        // the domain's public widget key
	Connections int           // in all
	Members     int           // connections of a room
	Rooms       int           // that talk; 0: all there are
	Rate        float64       // messages a second, over all rooms; 0: connections alone
	Duration    time.Duration // of talking
}

// Register adds the options to a command's flags.
func (o *Options) Register(fs *flag.FlagSet) {
	fs.StringVar(&o.Key, "key", "", "the `widget key` of a domain whose AI is off")
	fs.IntVar(&o.Connections, "connections", 50, "open `n` connections")
	fs.IntVar(&o.Members, "members", 2, "`n` connections share a room, as pages of one visitor")
	fs.IntVar(&o.Rooms, "rooms", 0, "talk in `n` rooms, the others listen (default: in all)")
	fs.Float64Var(&o.Rate, "rate", 20, "`messages` a second, over all rooms; 0: connections alone")
	fs.DurationVar(&o.Duration, "duration", 30*time.Second, "talk for this `time`")
}

func (o *Options) validate() error {
	switch {
	case o.Key == "":
		return errors.New("-key: name a domain whose AI is off; \"bellhub domain add Bench -key bench -ai=false\" makes one")
	case o.Connections < 1, o.Members < 1, o.Members > o.Connections:
		return errors.New("-connections is at least -members, and that at least 1")
	case o.Rooms < 0 || o.Rooms*o.Members > o.Connections:
		return fmt.Errorf("-rooms: %d connections make %d rooms of %d", o.Connections, o.Connections/o.Members, o.Members)
	case !(o.Rate >= 0) || o.Rate > 1e6: // NaN, too
		return errors.New("-rate is between 0 and a million")
	case o.Duration <= 0:
		return errors.New("-duration must be positive")
	}
	return nil
}

const (
	dialers     = 64               // connections being opened at a time
	openTimeout = 15 * time.Second // from dialling to welcome
	sayTimeout  = 10 * time.Second // for the socket to take a message
	patience    = 5 * time.Second  // for the last answers
)

// Run puts the load on the server at address, its base URL, and writes the
// result to out, while progress gets a line each second. It ends early when ctx
// does, and reports what it has until then. It is an error that nothing could
// be measured.
func Run(ctx context.Context, address string, o Options, out, progress io.Writer) error {
	if err := o.validate(); err != nil {
		return err
	}
	target, err := socketURL(address)
	if err != nil {
		return err
	}
	b := &run{opts: o, dialer: newDialer(target), tally: newTally(), progress: progress}
	// Beyond ctx: when it ends, the last answers are still waited for.
	connections, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	defer b.dialer.close()
	defer b.clients.Wait()
	defer hangUp()
	if err := b.connect(ctx, connections); err != nil {
		return err
	}
	if o.Rate > 0 {
		b.talk(ctx, connections)
	} else {
		b.watch(ctx, time.After(o.Duration), "listening")
	}
	if err := b.tally.report(out, target, o); err != nil {
		return err
	}
	if b.gone() {
		return errors.New("the server went away: every connection ended")
	}
	if o.Rate > 0 && b.tally.acknowledged.Load() == 0 {
		return errors.New("nothing could be measured: no message was acknowledged")
	}
	return nil
}

// socketURL is the address of the WebSocket at a server's base URL.
func socketURL(address string) (string, error) {
	u, err := url.Parse(address)
	scheme := map[string]string{"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
	if err != nil || u.Host == "" || scheme[u.Scheme] == "" || u.User != nil {
		return "", errors.New("URL is the server's address, as in http://localhost:8080")
	}
	return scheme[u.Scheme] + "://" + u.Host + "/ws", nil
}

// run is one measurement.
type run struct {
	opts     Options
	dialer   *dialer
	tally    *tally
	progress io.Writer

	mu      sync.Mutex
	rooms   []*room
	clients sync.WaitGroup // readers and talkers
}

// connect opens all connections: the first alone, which tells whether there is
// anything to measure.
func (b *run) connect(ctx, connections context.Context) error {
	first, err := b.open(ctx, connections)
	var r *refusal
	if errors.As(err, &r) && r.word == string(hub.CodeNotFound) {
		return fmt.Errorf("-key: the server has no domain with the widget key %q", b.opts.Key)
	}
	if err != nil {
		return fmt.Errorf("nothing could be measured: %w", err)
	}
	if first.mode != hub.ModeLive || first.held {
		return errors.New("in this domain the AI answers, or a person: bench needs one whose AI is off, " +
			"as \"bellhub domain add Bench -key bench -ai=false\" makes one")
	}
	b.tally.began = time.Now()
	sizes := make(chan int)
	var opening sync.WaitGroup
	for range dialers {
		opening.Go(func() {
			for size := range sizes {
				b.fill(ctx, connections, size)
			}
		})
	}
	opened := make(chan time.Time)
	go func() { // ends with the dialers, which end with ctx
		defer close(opened)
		defer opening.Wait()
		defer close(sizes)
		b.join(ctx, connections, first, min(b.opts.Members, b.opts.Connections)-1)
		for left := b.opts.Connections - b.opts.Members; left > 0 && ctx.Err() == nil; left -= b.opts.Members {
			sizes <- min(b.opts.Members, left)
		}
	}()
	b.watch(context.WithoutCancel(ctx), opened, "connecting")
	b.tally.connected = time.Now()
	return nil
}

// fill opens a room with all its members.
func (b *run) fill(ctx, connections context.Context, size int) {
	if ctx.Err() != nil {
		return
	}
	r, err := b.open(ctx, connections)
	if err != nil {
		b.fail(ctx, err)
		return
	}
	b.join(ctx, connections, r, size-1)
}

// open makes a visitor with a room.
func (b *run) open(ctx, connections context.Context) (*room, error) {
	r := &room{tally: b.tally, flights: map[int]*flight{}}
	if err := b.enter(ctx, connections, r); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rooms = append(b.rooms, r)
	return r, nil
}

// join opens n more connections of a room.
func (b *run) join(ctx, connections context.Context, r *room, n int) {
	for range n {
		if ctx.Err() != nil {
			return
		}
		if err := b.enter(ctx, connections, r); err != nil {
			b.fail(ctx, err)
		}
	}
}

// fail counts a connection that did not come about, unless it was us who gave
// up.
func (b *run) fail(ctx context.Context, err error) {
	if ctx.Err() == nil {
		b.tally.refuse(err)
	}
}

// enter opens one connection of a room and has it read until it ends.
func (b *run) enter(ctx, connections context.Context, r *room) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	c, err := b.dialer.dial(ctx, b.opts.Key, r)
	if err != nil {
		return err
	}
	b.tally.opened(time.Since(began))
	r.enter(c)
	b.clients.Go(func() { c.listen(connections) })
	return nil
}

// talk sends messages at the rate, spread evenly over rooms and time, and waits
// for the last answers.
func (b *run) talk(ctx, connections context.Context) {
	rooms := b.rooms
	if n := b.opts.Rooms; n > 0 && n < len(rooms) {
		rooms = rooms[:n]
	}
	every := time.Duration(float64(len(rooms)) / b.opts.Rate * float64(time.Second))
	ctx, cancel := context.WithTimeout(ctx, b.opts.Duration)
	defer cancel()
	b.tally.startTalking()
	start := time.Now()
	var talking sync.WaitGroup
	for i, r := range rooms {
		first := start.Add(every * time.Duration(i) / time.Duration(len(rooms)))
		talking.Go(func() { r.talk(ctx, connections, first, every) })
	}
	b.watch(ctx, nil, "talking")
	cancel()
	talking.Wait()
	b.tally.endTalking()

	late, cancel := context.WithTimeout(connections, patience)
	defer cancel()
	for _, r := range rooms {
		r.settle(late)
	}
}

// gone tells whether the server has ended, or lost, every connection.
func (b *run) gone() bool {
	n := b.tally.connections.Load()
	return n > 0 && b.tally.dropped.Load() == n
}

// watch says each second how it goes, until ctx ends, done is, or nobody is left.
func (b *run) watch(ctx context.Context, done <-chan time.Time, what string) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-done:
			return
		case <-tick.C:
			fmt.Fprintf(b.progress, "%-10s  %s\n", what, b.tally)
			if b.gone() {
				return
			}
		}
	}
}
