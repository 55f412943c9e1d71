package console

import (
	"context"
	"html/template"
	"strings"
	"sync"

	"github.com/bellhub/bellhub/hub"
)

// panel is what a plugin shows beside a conversation.
type panel struct {
	Title   string
	Content template.HTML
	Failed  bool // it could not be shown
}

// panels has the plugins render what they show beside a conversation, all at
// the same time, so that a slow one takes none of another's.
func (p *Plugin) panels(rq *request, e entry) []panel {
	all := p.host.Panels()
	ask := hub.PanelRequest{Room: e.room, Lang: rq.lang, Member: e.member()}
	made, errs := make([]panel, len(all)), make([]error, len(all))
	var rendering sync.WaitGroup
	for i, one := range all {
		rendering.Go(func() {
			made[i].Content, errs[i] = fenced(rq.ctx, &p.fence, "panel "+one.Title, hub.HookTimeout, func(ctx context.Context) (template.HTML, error) {
				return one.Render(ctx, ask)
			})
		})
	}
	rendering.Wait()
	var shown []panel
	for i, one := range all {
		if errs[i] != nil {
			p.blame(rq, one.Plugin, "panel "+one.Title, errs[i])
			made[i].Failed = true
		}
		if made[i].Failed || strings.TrimSpace(string(made[i].Content)) != "" {
			made[i].Title = p.host.Text(rq.lang, one.Title)
			shown = append(shown, made[i])
		}
	}
	return shown
}
