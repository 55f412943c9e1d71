package console

// menuEntry is a page of the current domain, as the menu leads to it.
type menuEntry struct {
	Slug  string // of its address; empty: the conversations
	Path  string
	Title string
	Icon  string // SVG path data
	Count int64  // what waits there
}

// menu lists a domain's pages: the console's own around those of plugins.
func (p *Plugin) menu(rq *request, domain string, waiting int64) []menuEntry {
	at := domainPath(domain)
	all := []menuEntry{
		{"", at, p.t(rq, "menu.conversations"), icons["chat"], waiting},
		{"email", at + "/email", p.t(rq, "menu.email"), icons["mail"], 0},
	}
	// Asked each time: a plugin after the console in the list is there only
	// once all have been initialised.
	for _, pg := range p.host.Pages() {
		all = append(all, menuEntry{pg.Slug, at + "/" + pg.Slug, p.host.Text(rq.lang, pg.Title), pageIcon(pg.Icon), 0})
	}
	return append(all, menuEntry{"settings", at + "/settings", p.t(rq, "menu.settings"), icons["settings"], 0})
}

// barSize is how many places a phone's bar has: what Apple's and Google's
// guidelines say, and what a screen 320 px wide has room for.
const barSize = 5

// tab is an entry of the menu as it stands on a page.
type tab struct {
	menuEntry
	Here bool // it is this page
}

// Bar is the part of the menu that a phone has in its bar: all of it, or where
// that does not fit the first entries, with the place beside them left for what
// opens the Rest.
func (pg page) Bar() []tab { return pg.tabs()[:pg.fit()] }

// Rest is the part of the menu that a phone's bar has no place for.
func (pg page) Rest() []tab { return pg.tabs()[pg.fit():] }

func (pg page) fit() int {
	if n := len(pg.Frame.Menu); n <= barSize {
		return n
	}
	return barSize - 1
}

func (pg page) tabs() []tab {
	all := make([]tab, len(pg.Frame.Menu))
	for i, e := range pg.Frame.Menu {
		all[i] = tab{e, e.Slug == pg.Here}
	}
	return all
}
