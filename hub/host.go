package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"sync/atomic"
)

// Host is the hub as one plugin sees it. It is valid from Init to Close.
type Host struct {
	Hooks *Hooks
	Log   *slog.Logger // names the plugin in each line

	hub      *Hub
	plugin   string
	breaker  *breaker
	bindings []*binding // its hooks; constant once sealed
	pushes   []string   // its frames to clients; likewise
	shows    *allowance // of ephemeral frames
	appends  *allowance
	restarts atomic.Int64 // of its Runner
	last     lastFailure  // of it
	page     lastFailure  // of its pages and panels
}

// newHost makes a plugin's.
func newHost(h *Hub, plugin string) *Host {
	host := &Host{Hooks: &h.hooks, Log: h.opts.Log.With("plugin", plugin), hub: h, plugin: plugin}
	host.breaker = &breaker{log: host.Log}
	host.shows = newAllowance(maxShows, "frames", host.Log, func() {})
	host.appends = newAllowance(maxAppends, "events", host.Log, func() { host.last.set(errFlood); host.breaker.exit(errFlood) })
	return host
}

// BaseURL is the address that people reach this server by: the only source of
// links. Do not change it.
func (h *Host) BaseURL() *url.URL { return h.hub.opts.BaseURL }

// Development tells that server and base URL are both on loopback.
func (h *Host) Development() bool { return h.hub.opts.Development }

// Text returns a text in a language: see [Texts.Text].
func (h *Host) Text(lang, key string, pairs ...string) string {
	return h.hub.opts.Texts.Text(lang, key, pairs...)
}

// Texts returns all texts, for templates.
func (h *Host) Texts() Texts { return h.hub.opts.Texts }

// Asset returns the address of a file of the package static, for a page.
func (h *Host) Asset(name string) string { return h.hub.opts.Asset(name) }

// Limits returns what the operator configured.
func (h *Host) Limits() Limits { return h.hub.opts.Limits }

// Pages lists the console pages that the plugins offer, in list order. It is
// valid after the last Init, as are Panels and Failed.
func (h *Host) Pages() []Page { return slices.Clone(h.hub.pages) }

// Panels lists what the plugins offer to stand beside a conversation, in list
// order.
func (h *Host) Panels() []Panel { return slices.Clone(h.hub.panels) }

// Failed tells that a page or panel of a plugin's could not be shown: operators
// then find err, which says which one it was, as its [PluginInfo.PageError]. Its
// breaker stays out of it: people are not kept waiting by a page that they did not
// ask for.
func (h *Host) Failed(plugin string, err error) {
	for _, host := range h.hub.hosts {
		if host.plugin == plugin {
			host.page.set(err)
		}
	}
}

// CanAlert tells whether any plugin alerts people of a bell: see [Alerter].
func (h *Host) CanAlert() bool {
	return slices.ContainsFunc(h.hub.plugins, func(p Plugin) bool {
		a, ok := p.(Alerter)
		return ok && a.CanAlert()
	})
}

// Plugins tells how all plugins fare: see [Hub.Plugins].
func (h *Host) Plugins() []PluginInfo { return h.hub.Plugins() }

// From says who may send a plugin's frame.
func From(kinds ...Kind) []Kind { return kinds }

// To says who gets a plugin's frame.
func To(kinds ...Kind) []Kind { return kinds }

// Frame is a client's request to a plugin.
type Frame struct {
	Type   string
	ID     string // the client's id for it, unique with Author in the room
	Hash   string // of the body as received, for Append.Hash
	Data   json.RawMessage
	Room   Room   // as last read
	Domain Domain // of the room; only ID is set where an admin sends
	Author Author // who sent it
	IP     string
	Lang   string // what a visitor reads, for Host.Text; DefaultLang where it did not say
	Access Access // how the admin came in
}

// Decode reads the frame's data into v, strictly: an unknown or wrongly typed
// field is a CodeBadField. Absent data is an empty object.
func (f Frame) Decode(v any) error { return decode(f.Data, v) }

// Handle takes over frames of a type from members of the kinds given. What fn
// returns is the data of the acknowledgement, or the error the client gets. It
// panics after Init; a type that somebody else handles makes the start fail,
// naming both.
func (h *Host) Handle(frame string, from []Kind, fn func(ctx context.Context, f Frame) (ack any, err error)) {
	h.hub.handle(h.plugin, frame, from, fn)
}

// Append adds an event to a room's log: through the EventAppending hooks, into
// the store, then to the room's members. Inside a frame's handler the members
// get it after the sender's acknowledgement. It has a transaction of its own and
// must not be called inside another: further writes belong into Append.Within.
//
// A plugin that appends without end, as one does that answers each event with
// an event, is refused with CodeRateLimited, and its breaker opens.
func (h *Host) Append(ctx context.Context, a Append) (Appended, error) {
	if !h.appends.allow(a.Room) {
		return Appended{}, Wrap(errFlood, CodeRateLimited, "Too fast.")
	}
	return h.hub.append(ctx, a)
}

// Counter makes a counter of the plugin's, which operators find as the metric
// bellhub_<plugin>_<name>_total with the help text and one label, whose values
// are all listed here: one that is not counts as "other". Counting one more
// takes some ten nanoseconds. Call it in Init, once a name.
func (h *Host) Counter(name, help, label string, values ...string) (count func(value string)) {
	if !metricName.MatchString(name) || !metricName.MatchString(label) {
		panic(misuse(fmt.Sprintf("the counter %q with the label %q: want lower-case letters, digits and underscores, a letter first", name, label)))
	}
	return h.hub.opts.Observer.Counter(h.plugin, name, help, label, values)
}

// metricName is what a counter and its label may be called.
var metricName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// Known tells what a client id that is in the log already came to: Again is
// false where it is new. The same id with another Hash is ErrMismatch.
func (h *Host) Known(ctx context.Context, a Append) (Appended, error) {
	out, err := h.hub.known(ctx, a)
	if err == nil && out.Again && !h.hub.shown(out) {
		h.hub.announce(out)
	}
	return out, err
}

// Room reads a room; ErrNotFound.
func (h *Host) Room(ctx context.Context, id string) (Room, error) {
	return h.hub.opts.Store.Room(ctx, id)
}

// Events reads a page of a room's log.
func (h *Host) Events(ctx context.Context, room string, p Range) ([]Event, bool, error) {
	return h.hub.opts.Store.Events(ctx, room, p)
}

// Stream shows the members what was added to an answer that is still growing.
// turn is the same throughout, and stands in the Data of the message that the
// answer becomes ({"turn": …}). A node whose room has passed epoch drops it.
func (h *Host) Stream(room, turn string, epoch int64, added string) {
	if h.shows.allow(room) {
		h.hub.publish(Signal{Room: room, Stream: &Stream{Turn: turn, Epoch: epoch, Text: added}})
	}
}

// Typing shows the members that author writes, or no longer does.
func (h *Host) Typing(room string, author Author, on bool) {
	if h.shows.allow(room) {
		h.hub.publish(Signal{Room: room, Typing: &Typing{Author: author, On: on}})
	}
}

// Revoke ends, on every node, the connections that were let in by what r names.
// The store has been told already.
func (h *Host) Revoke(r Revocation) { h.hub.publish(Signal{Revoke: &r}) }

// BellRung asks the plugins what a visitor's call for a person can lead to.
func (h *Host) BellRung(ctx context.Context, e BellRung) (BellRung, error) {
	return h.Hooks.BellRung.run(ctx, e)
}

// HandingBack asks the plugins whether anything could answer in the room.
func (h *Host) HandingBack(ctx context.Context, e HandingBack) (HandingBack, error) {
	return h.Hooks.HandingBack.run(ctx, e)
}
