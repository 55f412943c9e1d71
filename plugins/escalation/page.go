package escalation

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"html/template"
	"net/url"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

//go:embed templates
var files embed.FS

// page is parsed once; its functions are bound to a language when it is shown.
var page = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"t": func(string, ...string) string { return "" },
}).ParseFS(files, "templates/page.html"))

// Pages offers the console the log of a domain's escalations.
func (p *Plugin) Pages() []hub.Page {
	return []hub.Page{{
		Slug: "escalations", Title: "escalation.title", Render: p.render,
		Icon: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15zM10 21.5h4M12 3v2", // a bell
	}}
}

// row is an escalation as the page shows it.
type row struct {
	ID       string
	At       time.Time // in the domain's zone; the console's script writes it in the reader's
	Room     string    // the room's reference
	RoomPath string
	State    string // a key of the texts
	Waiting  bool
	By       string
	Reasons  []string
	To       []target
}

// target is a recipient and how far its email has got.
type target struct {
	Email, Label string
	Kind         string // the email's state, to style it by
	State        string // a key of the texts
	Error        string
}

func (p *Plugin) render(ctx context.Context, r hub.PageRequest) (hub.PageContent, error) {
	domain, err := storage.DomainByID(ctx, r.Domain)
	if err != nil {
		return hub.PageContent{}, err
	}
	// A cursor that cannot be read shows the newest page.
	after, _ := storage.ParseCursor(r.Form.Get("after"))
	all, reasons, to, more, err := list(ctx, domain.ID, after)
	if err != nil {
		return hub.PageContent{}, err
	}
	ids := make([]string, len(all))
	for i, e := range all {
		ids[i] = e.ID
	}
	emails, err := storage.EmailsOfEscalation(ctx, domain.ID, ids...)
	if err != nil {
		return hub.PageContent{}, err
	}
	sent := map[string]storage.Email{}
	for _, e := range emails {
		if e.Kind == storage.EmailBell {
			sent[e.EscalationID+e.RuleID] = e
		}
	}
	var rows []row
	for _, e := range all {
		room, err := storage.RoomIn(ctx, domain.ID, e.RoomID)
		if err != nil {
			return hub.PageContent{}, err
		}
		// The room's state is the newest; the row's follows it within a moment.
		state := e.State
		if room.Escalation.Escalation == e.ID {
			state = room.Escalation.State
		}
		row := row{
			ID: e.ID, At: e.CreatedAt.In(domain.Location()), Room: room.Ref, RoomPath: "/console/rooms/" + e.RoomID,
			State: "escalation.state." + state, Waiting: storage.Waiting(state), By: cmp.Or(room.Holder.Name, e.AnsweredBy),
		}
		if e.Limited {
			row.State = "escalation.state.limited"
		}
		for _, reason := range reasons[e.ID] {
			row.Reasons = append(row.Reasons, reason.Reason)
		}
		for _, t := range to[e.ID] {
			mail := sent[e.ID+t.RuleID]
			row.To = append(row.To, target{t.Email, t.Label, string(mail.State), "escalation.email." + string(mail.State), mail.Error})
		}
		rows = append(rows, row)
	}
	data := map[string]any{"Rows": rows, "Older": ""}
	if more {
		last := all[len(all)-1]
		data["Older"] = r.Path + "?after=" + url.QueryEscape(storage.Cursor{At: last.CreatedAt, ID: last.ID}.String())
	}
	var out bytes.Buffer
	t := template.Must(page.Clone()).Funcs(template.FuncMap{
		"t": func(key string, pairs ...string) string { return p.host.Text(r.Lang, key, pairs...) },
	})
	if err := t.Execute(&out, data); err != nil {
		return hub.PageContent{}, err
	}
	return hub.PageContent{HTML: template.HTML(out.String())}, nil // made by html/template
}
