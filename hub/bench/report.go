package bench

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// report writes the table, and what to make of it.
func (t *tally) report(out io.Writer, target string, o Options) error {
	var page bytes.Buffer
	fmt.Fprintf(&page, "\n%s\n\n", target)
	w := tabwriter.NewWriter(&page, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, cells ...any) {
		fmt.Fprintf(w, "%-18s", name)
		for _, c := range cells {
			fmt.Fprint(w, "\t", c)
		}
		fmt.Fprintln(w, "\t")
	}
	opened := t.connections.Load()
	row("connections", "wanted", "opened", "a second", "lost")
	row("", o.Connections, opened, perSecond(opened, t.connected.Sub(t.began)), t.dropped.Load())
	row("")
	if t.talk.took > 0 {
		row("messages", "total", "a second")
		row("sent", t.sent.Load(), perSecond(t.talk.sent, t.talk.took))
		row("acknowledged", t.acknowledged.Load(), perSecond(t.talk.acknowledged, t.talk.took))
		row("delivered", t.seen.Load(), perSecond(t.talk.seen, t.talk.took))
		row("unanswered", t.unanswered.Load())
		row("undelivered", t.unseen.Load())
		row("")
	}
	row("latency", "p50", "p95", "p99", "max")
	for _, l := range []struct {
		name string
		*latency
	}{{"to welcome", t.opening}, {"to acknowledgement", t.answering}, {"to delivery", t.showing}} {
		if q, ok := l.quantiles(); ok {
			row(l.name, short(q[0]), short(q[1]), short(q[2]), short(q[3]))
		}
	}
	row("")
	failures := t.failures()
	if len(failures) > 0 {
		row("errors", "times")
	}
	for _, f := range failures {
		row(f.word, f.n)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, a := range t.advice(o) {
		fmt.Fprintf(&page, "\n! %s\n", a)
	}
	for line := range strings.Lines(page.String()) { // without what the writer pads the first column with
		if _, err := fmt.Fprintln(out, strings.TrimRight(strings.TrimPrefix(line, "  "), " \n")); err != nil {
			return err
		}
	}
	return nil
}

// limits says, for what a server refuses because of a limit, which flag moves
// it. What such a run measured is the limit, not the server.
var limits = []struct{ word, what string }{
	{"HTTP 429", "The server lets no more connections in from one address: raise its -max-connections-per-ip."},
	{"close 1013", "The server lets no more connections in: raise its -max-connections."},
	{"close 4409", "The server lets a visitor have fewer connections than -members: raise its -max-connections-per-visitor."},
	{"rate_limited", "The server slows visitors down: raise its -message-rate, -message-burst and -messages-per-minute, or talk in more rooms (-connections, -rooms)."},
	{"close 4408", "Connections were not read fast enough: this machine may be the slower one, or raise the server's -send-queue-bytes."},
}

// behind is the part of the rate asked for below which a run was not what was
// asked for.
const behind = 0.95

func (t *tally) advice(o Options) (all []string) {
	met := false
	for _, l := range limits {
		for _, f := range t.failures() {
			if f.word == l.word {
				all, met = append(all, l.what), true
			}
		}
	}
	if met {
		all = append(all, "So this measured limits of the server, not its capacity. 0 lifts a limit.")
	}
	if t.files {
		all = append(all, "This machine's limit of open files was met: raise it (ulimit -n).")
	}
	met = met || t.dropped.Load() == t.connections.Load() // the server went away
	if asked := o.Rate * t.talk.took.Seconds(); t.talk.took > 0 && float64(t.talk.acknowledged) < behind*asked && !met {
		all = append(all, fmt.Sprintf("Of the %.0f messages a second that were asked for, %s were acknowledged: the server, this machine, or the way between them cannot do more.",
			o.Rate, perSecond(t.talk.acknowledged, t.talk.took)))
	}
	return all
}

func perSecond(n int64, d time.Duration) string {
	if d <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(n)/d.Seconds())
}

// short writes a time with about three digits.
func short(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}
