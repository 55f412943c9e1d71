// Package console is where admins work: the conversations of their domains, the
// room in which they take over from the AI, the domain's settings and CC rules,
// and the pages that other plugins offer. It also owns /join, which lets the
// recipient of an emailed link into one room.
//
// # How a page comes about
//
// Pages are rendered here with html/template and work without scripts wherever
// a form is all there is; the list and the room are kept live by the ES modules
// in static/console over the socket that the widget uses too. A handler gets a
// [request] and returns an error: [hub.ErrNotFound] becomes the one page for
// what does not exist, what is another's, and what was never there, so that
// nobody can tell these apart.
//
// # Who may do what
//
// Two kinds of people come here with the same cookie. A signed-in admin sees
// the domains it is a member of (an operator: all): [Plugin.inDomain] asks the
// store on every request. The holder of a grant, from an emailed link, sees one
// room and nothing else: [Plugin.inRoom] lets both in and tells which it was.
// GET and HEAD change nothing anywhere, since mail scanners follow links.
//
// # Pages of other plugins
//
// A plugin that implements [hub.Pager] gets an entry in the domain's menu, with
// the icon that it brings, and its page framed at /console/domains/<id>/<slug>. A
// phone has the first four entries in its bar and the others behind More, in the
// plugins' order. Plain HTML looks right in a page: headings, paragraphs, tables,
// lists, labels, fields and buttons are styled as elements; the classes card,
// field, row, quiet, danger, badge and muted are there for more. A plugin that
// implements [hub.Paneler] gets what it renders shown beside each conversation,
// under its title.
//
// Neither can hurt the page around it. A page has [pageTimeout], all panels
// together [hub.HookTimeout], which they use at the same time. What panics,
// fails or takes longer is thrown away and logged; its reader sees the console
// as ever, and in the place of the page or the panel that it could not be shown.
//
// # Pages for operators
//
// An operator may add domains, and sees at /console/plugins how each plugin has
// fared since the server started: [Plugin.showPlugins].
package console

import (
	"context"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// Plugin is the console.
type Plugin struct {
	host  *hub.Host
	views views
	fence fence
	began time.Time // the server
}

var (
	_ hub.Plugin  = (*Plugin)(nil)
	_ hub.Greeter = (*Plugin)(nil)
)

// New makes the console.
func New() *Plugin { return &Plugin{fence: fence{left: map[string]int{}}} }

// ID implements [hub.Plugin].
func (p *Plugin) ID() string { return "console" }

// Init implements [hub.Plugin].
func (p *Plugin) Init(_ context.Context, h *hub.Host) error {
	p.host, p.began = h, hub.Now()
	var err error
	if p.views, err = parseViews(h); err != nil {
		return fmt.Errorf("console: templates: %w", err)
	}
	return nil
}

// Greet names the console, with a link that signs in.
func (p *Plugin) Greet(ctx context.Context) ([]hub.Greeting, error) {
	if !p.host.Development() {
		return nil, nil
	}
	link, err := storage.SignInLink(ctx, p.host.BaseURL(), storage.DeveloperEmail, "")
	return []hub.Greeting{{What: "the console", URL: link}}, err
}

// MountRoot adds the routes: every one of them is on this screen.
func (p *Plugin) MountRoot(r fiber.Router) {
	get := func(path string, fn handler) { r.Get(path, p.serve(fn)) } // HEAD too
	post := func(path string, fn handler) { r.Post(path, p.serve(fn)) }

	get("/", func(rq *request) error { return rq.see("/console") })
	get("/console", p.home)
	post("/console/name", p.signedIn(p.rename))
	get("/console/sign-in", p.askToSignIn)
	get("/console/sign-in/:token", p.showSignIn)
	post("/console/sign-in/:token", p.signIn)
	post("/console/sign-out", p.signOut)

	get("/console/plugins", p.signedIn(p.showPlugins))
	get("/console/domains/new", p.signedIn(p.newDomain))
	post("/console/domains", p.signedIn(p.addDomain))
	const domain = "/console/domains/:domain"
	get(domain, p.inDomain(p.conversations))
	get(domain+"/settings", p.inDomain(p.showSettings))
	post(domain+"/settings", p.inDomain(p.saveSettings))
	get(domain+"/email", p.inDomain(p.showRules))
	post(domain+"/email/rules", p.inDomain(p.addRule))
	post(domain+"/email/rules/:rule/active", p.inDomain(p.switchRule))
	post(domain+"/email/rules/:rule/remove", p.inDomain(p.removeRule))
	get(domain+"/:slug", p.inDomain(p.pluginPage))
	post(domain+"/:slug", p.inDomain(p.pluginPage))

	const room = "/console/rooms/:room"
	get(room, p.inRoom(p.showRoom))
	post(room+"/links/:link/revoke", p.inRoom(p.revokeLink))
	get(room+"/stop-emails", p.inRoom(p.askToStop))
	post(room+"/stop-emails", p.inRoom(p.stopEmails))

	get("/join/:token", p.showJoin)
	post("/join/:token", p.join)
	post("/join/:token/renew", p.renew)

	nothing := p.serve(func(*request) error { return hub.ErrNotFound })
	r.Use("/console", nothing)
	r.Use("/join", nothing)
}
