package console

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/storage"
)

const (
	listPage   = 30  // conversations a page
	maxWaiting = 100 // of them that stand first on the first page
)

// conversationList is the body of the list.
type conversationList struct {
	Rows    []row
	Filter  string // "waiting", or empty for all
	Older   string // the address of the next page, or empty
	First   bool   // the newest page: the only one that is kept live
	Snippet string
}

// row is a conversation in the list. It is also a template for the script,
// which fills it from the socket's frames.
type row struct {
	hub.Room
	Waiting bool
	Zone    *time.Location
}

// conversations lists a domain's conversations: on the first page those that
// wait for a person, then all others by their newest message.
func (p *Plugin) conversations(rq *request, d storage.Domain) error {
	list := conversationList{Snippet: p.snippet(d)}
	if rq.Query("show") == "waiting" {
		list.Filter = "waiting"
	}
	filter := storage.RoomFilter{Escalated: list.Filter != "", Limit: listPage + 1}
	after, err := storage.ParseCursor(rq.Query("after"))
	if err != nil {
		return hub.ErrNotFound
	}
	filter.After, list.First = after, after.At.IsZero()
	rooms, err := storage.Rooms(rq.ctx, d.ID, filter)
	if err != nil {
		return err
	}
	if len(rooms) > listPage {
		rooms = rooms[:listPage]
		last := rooms[listPage-1]
		q := url.Values{"after": {storage.Cursor{At: last.Last.At, ID: last.ID}.String()}}
		if list.Filter != "" {
			q.Set("show", list.Filter)
		}
		list.Older = domainPath(d.ID) + "?" + q.Encode()
	}
	if list.Filter == "" && list.First {
		first, err := storage.Rooms(rq.ctx, d.ID, storage.RoomFilter{Escalated: true, Limit: maxWaiting})
		if err != nil {
			return err
		}
		rooms = append(first, without(rooms, first)...)
	}
	for _, r := range rooms {
		list.Rows = append(list.Rows, row{r, storage.Waiting(r.Escalation.State), d.Location()})
	}
	f, err := p.domainFrame(rq, d)
	if err != nil {
		return err
	}
	title := p.t(rq, "list.title")
	if f.Waiting > 0 {
		title = fmt.Sprintf("(%d) %s", f.Waiting, title)
	}
	return p.render(rq, http.StatusOK, "conversations", page{
		Title: title, Frame: f, Flash: p.flash(rq, d), Body: list,
	})
}

// without returns the rooms that are not among others.
func without(rooms, others []hub.Room) []hub.Room {
	known := map[string]bool{}
	for _, r := range others {
		known[r.ID] = true
	}
	var rest []hub.Room
	for _, r := range rooms {
		if !known[r.ID] {
			rest = append(rest, r)
		}
	}
	return rest
}

// snippet is the line that puts the widget on a page.
func (p *Plugin) snippet(d storage.Domain) string {
	return fmt.Sprintf(`<script src="%s" data-domain="%s" defer></script>`, p.host.BaseURL().JoinPath("widget.js"), d.Key)
}
