// Package hours tells a visitor who rings the bell outside a domain's office
// hours when somebody is there again. It is a small plugin to learn from: one
// hook, one page, words of its own, and settings that each domain's owner keeps.
//
// # What it does
//
// The owner of a domain sets its hours on the console's page "Office hours":
// ranges for each day of the week, which may go on past midnight, and dates on
// which it is closed. They are in the domain's time zone and stand as the clock
// there shows them, so that 09:00 is 09:00 in summer and in winter (schedule.go).
// Where no hours are set, it is always open.
//
// # How it does it
//
// The bell asks the hook BellRung before it records a call: plugins say whether
// anybody can be alerted, and may word the visitor's confirmation. This plugin
// is bound after the others, by [hub.Order], since what it says depends on what
// they found out. It never says more than is known: that a request was sent only
// where emails can leave and there is somebody to send them to, and nothing of
// being away where a person is answering in the room.
//
// The hook fails open, as hooks do unless they are bound [hub.FailClosed]: where
// the hours cannot be read, the visitor gets the standard confirmation. A bell
// that does not ring because a timetable is broken would be the worse fault.
package hours

import (
	"context"
	"fmt"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// Plugin is the office hours.
type Plugin struct {
	host *hub.Host
	now  func() time.Time
}

var (
	_ hub.Plugin = (*Plugin)(nil)
	_ hub.Pager  = (*Plugin)(nil)
)

// New makes the plugin.
func New() *Plugin { return &Plugin{now: time.Now} }

// ID is hours.
func (p *Plugin) ID() string { return "hours" }

// late is the hook's place: after those that say who can be reached, which are
// bound without an order of their own.
const late = 10

// Init binds the hook.
func (p *Plugin) Init(_ context.Context, h *hub.Host) error {
	p.host = h
	h.Hooks.BellRung.Bind(h, p.confirm, hub.Order(late))
	return nil
}

// confirm words the confirmation of a bell outside the hours.
func (p *Plugin) confirm(ctx context.Context, e hub.BellRung) (hub.BellRung, error) {
	if e.Room.Mode == hub.ModeLive && e.Room.Holder.ID != "" {
		return e, nil // a person is there, whatever the hours say
	}
	message, err := p.message(ctx, e)
	if err != nil {
		// Not %w: a *hub.Error, such as hub.ErrNotFound, would be taken for a
		// veto, and the bell refused.
		return e, fmt.Errorf("hours: %v", err)
	}
	if message != "" {
		e.Message = message
	}
	return e, nil
}

// message is what a visitor who rings now is told; empty within the hours.
func (p *Plugin) message(ctx context.Context, e hub.BellRung) (string, error) {
	s, err := load(ctx, e.Domain)
	if err != nil || !s.set() {
		return "", err
	}
	domain, err := storage.DomainByID(ctx, e.Domain)
	if err != nil {
		return "", err
	}
	now := p.now().In(domain.Location())
	is := s.at(now)
	if is.open || is.until.IsZero() {
		return "", nil
	}
	sent := e.Reachable
	if sent { // emails can leave; is there anybody to send them to?
		rules, err := storage.ActiveRules(ctx, e.Domain)
		if err != nil {
			return "", err
		}
		sent = len(rules) > 0
	}
	return p.away(s, e.Lang, now, is.until, sent), nil
}

// load reads a domain's hours. No cache: bells are rare.
func load(ctx context.Context, domain string) (settings, error) {
	return storage.Settings(ctx, domain, "hours", settings{Lang: hub.DefaultLang})
}
