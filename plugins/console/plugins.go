package console

import (
	"cmp"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/bellhub/bellhub/hub"
)

// lately is how long after a failure its plugin stands out. One that failed
// earlier is healthy again, and what happened is among its figures.
const lately = time.Hour

// health is how a plugin fares, in a word; it is part of keys of the texts.
type health string

const (
	healthy health = "healthy"
	failing health = "failing" // something failed lately, or still runs though its time is over
	skipped health = "skipped" // its breaker is open
)

// pluginList is the body of the page that lists the plugins.
type pluginList struct {
	Began   time.Time
	Plugins []pluginCard
	Sick    []pluginCard
	Chains  []chain
}

// pluginCard is a plugin and what stands out about it.
type pluginCard struct {
	hub.PluginInfo
	Health   health
	Hooks    []hookCard
	Calls    int64         // of all hooks
	P99      time.Duration // of the slowest hook
	Failures int64         // calls that failed or were overdue, and events dropped
	Refuses  bool          // a hook of its fails closed
}

// Quiet tells that there is nothing to unfold: no hooks, no frames, no work, no
// page that failed.
func (c pluginCard) Quiet() bool {
	return len(c.Hooks)+len(c.Frames)+len(c.Pushes) == 0 && !c.Runs && c.PageError.Text == "" && c.Health == healthy
}

// hookCard is a hook and its place among all of its event.
type hookCard struct {
	hub.HookInfo
	Of      int
	Figures []figure
}

// Called tells that anything came to the hook, though it may have missed it.
func (c hookCard) Called() bool {
	return slices.ContainsFunc(c.Figures, func(f figure) bool { return f.N > 0 })
}

// figure is a count, by what is counted: part of a key of the texts.
type figure struct {
	What string
	N    int64
	Bad  bool // any is too many
}

// chain is an event and the plugins that take part, in the order of their hooks.
type chain struct {
	Event  string
	Before bool
	Links  []pluginCard
}

// showPlugins shows an operator how the plugins fare on this node.
func (p *Plugin) showPlugins(rq *request) error {
	if !rq.who.Operator {
		return hub.ErrNotFound
	}
	f, err := p.accountFrame(rq)
	if err != nil {
		return err
	}
	body := pluginList{Began: p.began, Plugins: cards(p.host.Plugins(), hub.Now())}
	body.Sick = sick(body.Plugins)
	body.Chains = chains(body.Plugins)
	return p.render(rq, http.StatusOK, "plugins", page{
		Title: p.t(rq, "plugins.title"), Frame: f, Here: "plugins", Body: body,
	})
}

// cards makes the plugins' of what the hub tells.
func cards(all []hub.PluginInfo, now time.Time) []pluginCard {
	of := map[string]int{}
	for _, info := range all {
		for _, h := range info.Hooks {
			of[h.Name]++
		}
	}
	list := make([]pluginCard, len(all))
	for i, info := range all {
		c := pluginCard{PluginInfo: info}
		for _, h := range info.Hooks {
			c.Hooks = append(c.Hooks, hookCard{h, of[h.Name], figures(h)})
			for result, n := range h.Calls {
				if hub.HookResult(result) != hub.HookSkipped {
					c.Calls += n
				}
			}
			c.P99 = max(c.P99, h.P99)
			c.Failures += h.Calls[hub.HookFailed] + h.Calls[hub.HookOverdue] + h.Dropped
			c.Refuses = c.Refuses || h.FailClosed
		}
		c.Health = healthOf(info, now)
		list[i] = c
	}
	return list
}

func healthOf(p hub.PluginInfo, now time.Time) health {
	last := p.LastError.At
	if at := p.PageError.At; at.After(last) {
		last = at
	}
	for _, h := range p.Hooks {
		if at := h.LastError.At; at.After(last) {
			last = at
		}
	}
	switch {
	case p.Open:
		return skipped
	case p.Abandoned > 0, !last.IsZero() && now.Sub(last) < lately:
		return failing
	}
	return healthy
}

// figures counts a hook's calls by result; dropped is for those that are not
// waited for.
func figures(h hub.HookInfo) []figure {
	var all []figure
	for _, r := range []hub.HookResult{hub.HookOK, hub.HookVetoed, hub.HookFailed, hub.HookOverdue, hub.HookSkipped, hub.HookCancelled} {
		if !h.Before && (r == hub.HookVetoed || r == hub.HookCancelled) {
			continue // nobody asks it, nobody waits for it
		}
		bad := r == hub.HookFailed || r == hub.HookOverdue || r == hub.HookSkipped
		all = append(all, figure{r.String(), h.Calls[r], bad})
	}
	if !h.Before {
		all = append(all, figure{"dropped", h.Dropped, true})
	}
	return all
}

// sick are those that need a look.
func sick(all []pluginCard) []pluginCard {
	var out []pluginCard
	for _, c := range all {
		if c.Health != healthy {
			out = append(out, c)
		}
	}
	return out
}

// chains lists the events that any plugin takes part in, as hub.Hooks does.
func chains(all []pluginCard) []chain {
	var out []chain
	for _, event := range reflect.VisibleFields(reflect.TypeFor[hub.Hooks]()) {
		type link struct {
			place int
			card  pluginCard
		}
		var links []link
		c := chain{Event: event.Name}
		for _, card := range all {
			for _, h := range card.Hooks {
				if h.Name == event.Name {
					links = append(links, link{h.Place, card})
					c.Before = h.Before
				}
			}
		}
		slices.SortFunc(links, func(a, b link) int { return cmp.Compare(a.place, b.place) })
		for _, l := range links {
			c.Links = append(c.Links, l.card)
		}
		if len(links) > 0 {
			out = append(out, c)
		}
	}
	return out
}
