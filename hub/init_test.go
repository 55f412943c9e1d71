package hub_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
)

// steps is a plugin that notes its steps, and fails at one.
type steps struct {
	id    string
	noted *[]string
	fail  string // the step, or "panic " and the step
	init  func(*hub.Host)
	run   func(context.Context) error
	pages []hub.Page
	texts hub.Texts
}

func (s *steps) note(step string) error {
	*s.noted = append(*s.noted, step+" "+s.id)
	switch s.fail {
	case step:
		return errors.New("ouch")
	case "panic " + step:
		panic("ouch")
	}
	return nil
}

func (s *steps) ID() string { return s.id }

func (s *steps) Init(_ context.Context, h *hub.Host) error {
	if s.init != nil {
		s.init(h)
	}
	return s.note("init")
}

func (s *steps) Run(ctx context.Context) error {
	if s.run != nil {
		return s.run(ctx)
	}
	return nil
}

func (s *steps) Close(context.Context) error { return s.note("close") }
func (s *steps) Pages() []hub.Page           { return s.pages }
func (s *steps) Texts() hub.Texts            { return s.texts }

// bare makes a hub without a kit.
func bare(t *testing.T) *hub.Hub {
	t.Helper()
	h, err := hub.New(context.Background(), hub.Options{
		Store: hubtest.NewMemory(), BaseURL: mustURL(t, hubtest.Origin), Frame: func(b []byte) []byte { return b },
		Render: func(s string) string { return s }, Asset: func(s string) string { return s },
	})
	must(t, err)
	return h
}

// Plugins begin in list order and end in reverse, also where one of them fails
// half-way: what had begun is ended, and it alone.
func TestPluginsBeginAndEndInOrder(t *testing.T) {
	for _, tt := range []struct {
		fail  string // b's step
		noted string
		want  []string // of the error of Init, or else of Close
	}{
		{"", "init a, init b, init c, close c, close b, close a", nil},
		{"init", "init a, init b, close b, close a", []string{"plugin b", "ouch"}},
		{"panic init", "init a, init b, close b, close a", []string{"plugin b", "ouch"}},
		{"close", "init a, init b, init c, close c, close b, close a", []string{"close plugin b", "ouch"}},
		{"panic close", "init a, init b, init c, close c, close b, close a", []string{"close plugin b", "panic: ouch", "init_test.go"}},
	} {
		var noted []string
		h := bare(t)
		err := h.Init(&steps{id: "a", noted: &noted}, &steps{id: "b", noted: &noted, fail: tt.fail}, &steps{id: "c", noted: &noted})
		err = errors.Join(err, h.Close(context.Background()), h.Close(context.Background()))
		if got := strings.Join(noted, ", "); got != tt.noted {
			t.Errorf("b fails at %q: %s, want %s", tt.fail, got, tt.noted)
		}
		if (err == nil) != (tt.want == nil) {
			t.Errorf("b fails at %q: %v", tt.fail, err)
		}
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("b fails at %q: %v, want %q in it", tt.fail, err, want)
			}
		}
	}
}

// One that cannot be closed does not keep the others from it, nor the program
// from ending.
func TestACloseThatDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var noted []string
		h := bare(t)
		stuck := make(chan struct{})
		hanging := hanger{&steps{id: "b", noted: &noted}, stuck}
		must(t, h.Init(&steps{id: "a", noted: &noted}, hanging))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		began := time.Now()
		if err := h.Close(ctx); err == nil || !strings.Contains(err.Error(), "close plugin b: it does not return") {
			t.Errorf("Close: %v", err)
		}
		if took := time.Since(began); took > 2*time.Second || !slices.Contains(noted, "close a") {
			t.Errorf("after %s: %v", took, noted)
		}
		close(stuck)
	})
}

// hanger is a plugin whose Close waits for something else than its context.
type hanger struct {
	*steps
	stuck chan struct{}
}

func (h hanger) Close(context.Context) error { <-h.stuck; return nil }

// Whatever two plugins cannot both have stops the start, and the error names who
// has it already and who wants it, too.
func TestClashesNameBothOwners(t *testing.T) {
	nobody := func(context.Context, hub.Frame) (any, error) { return nil, nil }
	handles := func(frame string) func(*hub.Host) {
		return func(h *hub.Host) { h.Handle(frame, hub.From(hub.Visitor), nobody) }
	}
	pushes := func(frame string) func(*hub.Host) {
		return func(h *hub.Host) { h.Push(frame, hub.To(hub.Visitor)) }
	}
	page := func(slug string) []hub.Page { return []hub.Page{{Slug: slug}} }
	var noted []string
	for name, tt := range map[string]struct {
		first, second *steps
		want          []string
	}{
		"a name":                     {&steps{id: "a"}, &steps{id: "a"}, []string{`two plugins are called "a"`}},
		"no name":                    {&steps{id: "a"}, &steps{id: "B_"}, []string{`"B_"`}},
		"a frame in":                 {&steps{id: "a", init: handles("wave")}, &steps{id: "b", init: handles("wave")}, []string{"plugin b", `"wave" belongs to a`}},
		"a frame of the hub's":       {&steps{id: "a"}, &steps{id: "b", init: handles("message")}, []string{"plugin b", `"message" belongs to the hub`}},
		"a frame out":                {&steps{id: "a", init: pushes("wave")}, &steps{id: "b", init: pushes("wave")}, []string{"plugin b", `"wave" belongs to a`}},
		"a frame that the hub sends": {&steps{id: "a"}, &steps{id: "b", init: pushes("event")}, []string{"plugin b", `"event" belongs to the hub`}},
		"a page":                     {&steps{id: "a", pages: page("hours")}, &steps{id: "b", pages: page("hours")}, []string{"plugin b", `"hours" belongs to a`}},
		"a page of the console's":    {&steps{id: "a"}, &steps{id: "b", pages: page("settings")}, []string{"plugin b", `"settings" belongs to the console`}},
		"a page without an address":  {&steps{id: "a"}, &steps{id: "b", pages: page("")}, []string{"plugin b", `""`}},
		"a page below another":       {&steps{id: "a"}, &steps{id: "b", pages: page("a/b")}, []string{"plugin b", `"a/b"`}},
		"a signal of the widget's":   {&steps{id: "a"}, &steps{id: "b", init: pushes("state")}, []string{"plugin b", `"state" belongs to the hub`}},
		"a text":                     {&steps{id: "a"}, &steps{id: "b", texts: hub.Texts{"en": {"a.title": "mine"}}}, []string{"plugin b", `"a.title"`, `"b."`}},
	} {
		tt.first.noted, tt.second.noted = &noted, &noted
		h := bare(t)
		err := h.Init(tt.first, tt.second)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q in it", name, err, want)
			}
		}
		must(t, h.Close(context.Background()))
	}
}

// What belongs into Init is refused afterwards, to the plugin and to nobody else.
func TestNothingIsBoundAfterInit(t *testing.T) {
	var host *hub.Host
	start(t, hubtest.Options{}, pluginFunc(func(h *hub.Host) { host = h }))
	for name, late := range map[string]func(){
		"a hook": func() { host.Hooks.EventStored.Bind(host, func(context.Context, hub.EventStored) {}) },
		"a frame in": func() {
			host.Handle("wave", nil, func(context.Context, hub.Frame) (any, error) { return nil, nil })
		},
		"a frame out": func() { host.Push("wave", nil) },
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(v.(string), "plugin test") {
					t.Errorf("%s: %v", name, v)
				}
			}()
			late()
		}()
	}
}

// A Runner that fails or panics is started again, after longer and longer
// pauses, and what it did is there to be seen; nil ends it.
func TestARunnerIsStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var began []time.Duration
		var noted []string
		start0 := time.Now()
		p := &steps{id: "runs", noted: &noted}
		p.run = func(context.Context) error {
			began = append(began, time.Since(start0))
			switch len(began) {
			case 1:
				return errors.New("out of luck")
			case 2:
				panic("out of luck again")
			case 3:
				time.Sleep(time.Minute) // it works for a while
				return errors.New("once more")
			}
			return nil
		}
		k, _ := start(t, hubtest.Options{}, p)
		k.Advance(t, 10*time.Second)
		if info := k.Hub.Plugins()[0]; !info.Runs || info.Restarts != 2 || info.LastError.Text != "panic: out of luck again" {
			t.Errorf("after two failures: %+v", info)
		}
		k.Advance(t, time.Hour)
		want := []time.Duration{0, time.Second, 3 * time.Second, 64 * time.Second}
		if !slices.Equal(began, want) {
			t.Errorf("it began at %v, want %v", began, want)
		}
	})
}

// unpaged and unpanelled are plugins that do not get to say what their pages and
// panels are.
type (
	unpaged    struct{ *steps }
	unpanelled struct{ *steps }
)

func (unpaged) Pages() []hub.Page      { panic("ouch") }
func (unpanelled) Panels() []hub.Panel { panic("ouch") }

// What is asked of the plugins after their Init is a step like it.
func TestPagesThatPanicEndTheStart(t *testing.T) {
	var noted []string
	b := &steps{id: "b", noted: &noted}
	for name, p := range map[string]hub.Plugin{"pages": unpaged{b}, "panels": unpanelled{b}} {
		noted = nil
		err := bare(t).Init(&steps{id: "a", noted: &noted}, p)
		if err == nil || !strings.Contains(err.Error(), "plugin b: panic: ouch") {
			t.Errorf("%s: Init: %v", name, err)
		}
		if got, want := strings.Join(noted, ", "), "init a, init b, close b, close a"; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// moody is a plugin that says what its pages and panels are only once.
type moody struct {
	*steps
	asked *int
}

func (m moody) Pages() []hub.Page {
	if *m.asked++; *m.asked > 1 {
		panic("again?")
	}
	return []hub.Page{{Slug: "mood"}}
}

func (m moody) Panels() []hub.Panel { return []hub.Panel{{Title: "mood.panel"}} }

// Pages are asked for once; whoever lists them then has them with their plugins,
// in list order, and cannot change them.
func TestPagesAreAskedForOnce(t *testing.T) {
	var noted []string
	var host *hub.Host
	asked := 0
	h := bare(t)
	must(t, h.Init(
		&steps{id: "a", noted: &noted, init: func(h *hub.Host) { host = h }, pages: []hub.Page{{Slug: "hours"}}},
		moody{&steps{id: "b", noted: &noted}, &asked},
	))
	for range 2 {
		pages, panels := host.Pages(), host.Panels()
		if len(pages) != 2 || pages[0].Slug != "hours" || pages[0].Plugin != "a" || pages[1].Slug != "mood" || pages[1].Plugin != "b" {
			t.Errorf("pages: %+v", pages)
		}
		if len(panels) != 1 || panels[0].Plugin != "b" {
			t.Errorf("panels: %+v", panels)
		}
		pages[0].Plugin, panels[0].Plugin = "x", "x"
	}
	must(t, h.Close(context.Background()))
}
