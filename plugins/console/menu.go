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
