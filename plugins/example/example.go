// Package example tells the team where a visitor is: the page of the website
// that the chat was opened on stands beside the conversation, and the owner sees
// which pages make people call for a person.
//
// It is small, and whole: a setting, a frame from the widget and one to the
// console, a hook, a job, two tables, a panel, a page, a script, a metric, and
// words. Copy from it what you need. It is not in main.go's list, so that nobody
// gets a feature that is there to be read; add example.New() to see it run.
//
// Of an address the scheme, host and path are kept, and never what follows a
// question mark, where sites put tokens and names.
package example

import (
	"context"
	"embed"
	"errors"
	"flag"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

//go:embed texts widget page.html
var files embed.FS

// Plugin is the feature. All it knows is in here or in the database: two may
// live in one process, in two hubs, and one plugin on several nodes.
//
//	bellhub_example_bells_total{page}   calls for a person, by whether it is known from which page
type Plugin struct {
	days int // how long things are kept, and how far back the page looks

	host  *hub.Host
	moved func(room string, data any)
	count func(known string)
}

// The compiler holds the plugin to what it means to be.
var (
	_ hub.Plugin       = (*Plugin)(nil)
	_ hub.Configurable = (*Plugin)(nil)
	_ hub.Validator    = (*Plugin)(nil)
	_ hub.Worded       = (*Plugin)(nil)
	_ hub.Scripter     = (*Plugin)(nil)
	_ hub.Pager        = (*Plugin)(nil)
	_ hub.Paneler      = (*Plugin)(nil)
	_ hub.Runner       = (*Plugin)(nil)
)

// New makes the plugin.
func New() *Plugin { return &Plugin{} }

// ID is example.
func (*Plugin) ID() string { return "example" }

// Flags adds the operator's setting.
func (p *Plugin) Flags(fs *flag.FlagSet) {
	fs.IntVar(&p.days, "example-days", 30, "`days` that the pages visitors called from are kept")
}

// Validate checks it.
func (p *Plugin) Validate() error {
	if p.days < 1 {
		return errors.New("example-days: must be at least 1")
	}
	return nil
}

// Texts are the words that people read.
func (*Plugin) Texts() hub.Texts { return hub.ReadTexts(files, "texts/*.json") }

// Script tells the hub where the visitor is, from the widget.
func (*Plugin) Script() fs.FS {
	script, err := fs.Sub(files, "widget")
	if err != nil {
		panic(err) // the path is no path: a programmer's error
	}
	return script
}

// Init binds hooks and frames, and starts nothing.
func (p *Plugin) Init(_ context.Context, h *hub.Host) error {
	p.host = h
	p.count = h.Counter("bells", "Calls for a person, by whether it is known from which page.", "page", "known", "unknown")
	p.moved = h.Push("example-moved", hub.To(hub.Admin))
	h.Handle("example-page", hub.From(hub.Visitor), p.page)
	h.Hooks.EventAppending.Bind(h, p.appending)
	return nil
}

// place is a page of a website: the data of both frames.
type place struct {
	URL   string `json:"url"`
	Title string `json:"title"`
}

// What is kept of a page, at most.
const (
	maxURL   = 500 // bytes
	maxTitle = 200 // characters
)

// page takes the frame example-page: where the visitor is now. Its
// acknowledgement holds what is kept of it.
func (p *Plugin) page(ctx context.Context, f hub.Frame) (any, error) {
	var at place
	if err := f.Decode(&at); err != nil {
		return nil, err
	}
	u, err := url.Parse(at.URL)
	if err == nil {
		at.URL = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	}
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(at.URL) > maxURL {
		return nil, hub.Errorf(hub.CodeBadField, "The address is not one of a page.")
	}
	title, ok := hub.CleanName(at.Title, maxTitle)
	if !ok {
		title = strings.ToValidUTF8(at.URL[:min(len(at.URL), maxTitle)], "")
	}
	at.Title = title
	if err := savePage(ctx, f.Room, at); err != nil {
		return nil, hub.Unavailable(err)
	}
	p.moved(f.Room.ID, at) // to those of the team who are in the room now
	return at, nil
}

// jobBell is the kind of the jobs that note where a visitor called from.
const jobBell = "example.bell"

// appending adds such a job to each call. The job is committed with the call, or
// not at all; a write from here could be left over from a call that failed.
func (p *Plugin) appending(_ context.Context, e hub.EventAppending) (hub.EventAppending, error) {
	if e.Event.Type == hub.EventEscalation {
		e.Jobs = append(e.Jobs, hub.Job{Kind: jobBell, Key: storage.NewID()})
	}
	return e, nil
}

// Run does the jobs until ctx ends.
func (p *Plugin) Run(ctx context.Context) error {
	return storage.Work(ctx, storage.Worker{Kind: jobBell, Concurrency: 1, Timeout: 10 * time.Second, Do: p.note})
}

// note writes down where the visitor was who called. It may be run twice for one
// call, and leaves the same behind.
func (p *Plugin) note(ctx context.Context, t storage.Task) error {
	room, err := p.host.Room(ctx, t.Room)
	if err != nil {
		return err
	}
	at, err := pageOf(ctx, room)
	if err != nil {
		return err
	}
	known := "unknown"
	if at.URL != "" {
		known = "known"
		if err := saveBell(ctx, room, t.Seq, at); err != nil {
			return err
		}
	}
	p.count(known)
	return purge(ctx, hub.Now().AddDate(0, 0, -p.days))
}
