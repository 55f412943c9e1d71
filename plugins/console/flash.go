package console

import (
	"net/url"
	"strings"

	"github.com/bellhub/bellhub/storage"
)

// A form that worked sends its reader on with ?done=<code>, and the page says
// what was done. No cookie is set for it, and the words come from our texts:
// the address names only which.
var doneCodes = map[string]bool{
	"added": true, "on": true, "off": true, "removed": true,
	"saved": true, "revoked": true, "named": true,
}

// withDone adds the code to a path of the console; anything else becomes its
// start, so that a forged form leads nowhere else.
func withDone(path, code string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || u.Path != "/console" && !strings.HasPrefix(u.Path, "/console/") {
		u = &url.URL{Path: "/console"}
	}
	q := u.Query()
	q.Set("done", code)
	u.RawQuery, u.Fragment = q.Encode(), ""
	return u.String()
}

// flash is what the last form did, in words.
func (p *Plugin) flash(rq *request, d storage.Domain) string {
	code := rq.Query("done")
	if !doneCodes[code] {
		return ""
	}
	if code != "on" && code != "off" && code != "added" {
		return p.t(rq, "done."+code)
	}
	rule, err := storage.RuleByID(rq.ctx, d.ID, rq.Query("rule"))
	if err != nil {
		return ""
	}
	return p.t(rq, "done."+code, "address", rule.Email)
}
