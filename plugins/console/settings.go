package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

// maxOrigins bounds the list of a domain's origins.
const maxOrigins = 100

// zones are offered while somebody types; any other IANA name works too.
var zones = []string{
	"UTC", "Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi",
	"America/Argentina/Buenos_Aires", "America/Bogota", "America/Chicago", "America/Denver", "America/Los_Angeles",
	"America/Mexico_City", "America/New_York", "America/Sao_Paulo", "America/Toronto",
	"Asia/Bangkok", "Asia/Dhaka", "Asia/Dubai", "Asia/Ho_Chi_Minh", "Asia/Hong_Kong", "Asia/Jakarta", "Asia/Jayapura",
	"Asia/Karachi", "Asia/Kolkata", "Asia/Kuala_Lumpur", "Asia/Makassar", "Asia/Manila", "Asia/Pontianak", "Asia/Seoul",
	"Asia/Shanghai", "Asia/Singapore", "Asia/Taipei", "Asia/Tokyo", "Australia/Perth", "Australia/Sydney",
	"Europe/Amsterdam", "Europe/Berlin", "Europe/Istanbul", "Europe/Kyiv", "Europe/London", "Europe/Madrid",
	"Europe/Paris", "Europe/Rome", "Europe/Warsaw", "Pacific/Auckland",
}

// settingsForm is the domain's settings, as stored or as they were sent.
type settingsForm struct {
	Name, Zone, Origins                string
	AI                                 bool
	NameError, ZoneError, OriginsError string
	Key, Snippet                       string
	Zones                              []string
}

// showSettings shows a domain's settings.
func (p *Plugin) showSettings(rq *request, d storage.Domain) error {
	return p.renderSettings(rq, http.StatusOK, d, settingsForm{
		Name: d.Name, Zone: d.TimeZone, Origins: strings.Join(d.Hosts(), "\n"), AI: d.AI,
	})
}

func (p *Plugin) renderSettings(rq *request, status int, d storage.Domain, form settingsForm) error {
	f, err := p.domainFrame(rq, d)
	if err != nil {
		return err
	}
	form.Key, form.Snippet, form.Zones = d.Key, p.snippet(d), zones
	return p.render(rq, status, "settings", page{
		Title: p.t(rq, "settings.title"), Frame: f, Flash: p.flash(rq, d), Here: "settings", Body: form,
	})
}

// saveSettings stores them, all or none.
func (p *Plugin) saveSettings(rq *request, d storage.Domain) error {
	values, err := rq.form()
	if err != nil {
		return err
	}
	form := settingsForm{
		Name: values.Get("name"), Zone: strings.TrimSpace(values.Get("zone")),
		Origins: values.Get("origins"), AI: values.Get("ai") == "on",
	}
	name, ok := hub.CleanName(form.Name, maxDomainName)
	if !ok {
		form.NameError = p.t(rq, "error.domainName", "n", maxDomainName)
	}
	// "Local" is this machine's zone, which means nothing to the domain.
	if _, err := time.LoadLocation(form.Zone); err != nil || form.Zone == "" || form.Zone == "Local" {
		form.ZoneError = p.t(rq, "error.zone")
	}
	origins, wrong := p.parseOrigins(rq, form.Origins)
	form.OriginsError = wrong
	if form.NameError != "" || form.ZoneError != "" || form.OriginsError != "" {
		return p.renderSettings(rq, http.StatusUnprocessableEntity, d, form)
	}
	d.Name, d.TimeZone, d.AI = name, form.Zone, form.AI
	if err := storage.UpdateDomain(rq.ctx, d, origins); err != nil {
		return err
	}
	return rq.see(withDone(domainPath(d.ID)+"/settings", "saved"))
}

// parseOrigins reads one origin a line; wrong says which line is none, and why.
func (p *Plugin) parseOrigins(rq *request, text string) (origins []string, wrong string) {
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if strings.Contains(line, "*") {
			return nil, p.t(rq, "error.originWildcard", "line", i+1)
		}
		// A page's address as copied from a browser: the page is not kept.
		if scheme, rest, ok := strings.Cut(line, "://"); ok {
			if end := strings.IndexAny(rest, "/?#"); end >= 0 {
				line = scheme + "://" + rest[:end]
			}
		}
		origin, err := storage.ParseOrigin(line)
		if err != nil {
			return nil, p.t(rq, "error.origin", "line", i+1)
		}
		if len(origins) == maxOrigins {
			return nil, p.t(rq, "error.originCount", "n", maxOrigins)
		}
		origins = append(origins, origin)
	}
	return origins, ""
}
