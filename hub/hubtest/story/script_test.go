package story

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/server"
)

// scripted is a plugin with a script for the widget.
type scripted struct {
	id, script string
	init       func(*hub.Host)
}

func (p scripted) ID() string { return p.id }

func (p scripted) Init(_ context.Context, h *hub.Host) error {
	if p.init != nil {
		p.init(h)
	}
	return nil
}

func (p scripted) Script() fs.FS {
	return fstest.MapFS{
		"widget.js": {Data: []byte(p.script)},
		"part.js":   {Data: []byte(`export const heard = []; window.heard = heard;`)},
	}
}

// probe is a plugin as its authors are promised: its script notes each event,
// and its frames are answered, refused, pushed back, or have the AI speak.
func probe() scripted {
	return scripted{
		id: "probe",
		script: `import { heard } from "./part.js";
			export default function (chat) {
				window.chat = chat;
				heard.push("loaded " + chat.opened);
				for (const name of ["open", "close", "message", "frame"]) {
					chat.addEventListener("bellhub-" + name, ({ detail }) => heard.push((name + " " + JSON.stringify(detail ?? "")).trim()));
				}
			}`,
		init: func(h *hub.Host) {
			push := h.Push("probe-pushed", hub.To(hub.Visitor))
			h.Handle("probe-echo", hub.From(hub.Visitor), func(_ context.Context, f hub.Frame) (any, error) {
				return f.Data, nil
			})
			h.Handle("probe-refuse", hub.From(hub.Visitor), func(context.Context, hub.Frame) (any, error) {
				return nil, hub.Errorf(hub.CodeVetoed, "Not on a Sunday.")
			})
			h.Handle("probe-push", hub.From(hub.Visitor), func(_ context.Context, f hub.Frame) (any, error) {
				push(f.Room.ID, map[string]int{"n": 7})
				return nil, nil
			})
			h.Handle("probe-speak", hub.From(hub.Visitor), func(ctx context.Context, f hub.Frame) (any, error) {
				_, err := h.Append(ctx, hub.Append{
					Room: f.Room.ID, Type: hub.EventMessage, Author: hub.Author{Kind: hub.AI}, Text: "Hello", Epoch: f.Room.Epoch,
				})
				return nil, err
			})
		},
	}
}

// faulty are plugins whose scripts fail, each in its own way.
func faulty() []hub.Plugin {
	return []hub.Plugin{
		scripted{id: "broken", script: `throw new Error("broken as it is loaded");`},
		scripted{id: "mute", script: `export const nothing = 1;`},
		scripted{id: "clumsy", script: `export default function (chat) {
			for (const name of ["open", "close", "message", "frame"]) {
				chat.addEventListener("bellhub-" + name, () => { throw new Error("clumsy at " + name); });
			}
			throw new Error("clumsy as it is called");
		}`},
		scripted{id: "late", script: `export default async function () { throw new Error("late"); }`},
	}
}

// embed serves a hub with plugins, and a website of another origin, with a strict
// policy, that embeds its widget.
func embed(t *testing.T, plugins ...hub.Plugin) (website string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := &url.URL{Scheme: "http", Host: ln.Addr().String()}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/watch.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, `document.addEventListener("securitypolicyviolation", (e) => faults.push("policy: " + e.violatedDirective + " " + e.blockedURI));`)
			return
		}
		w.Header().Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; script-src 'self' %s; connect-src %s ws://%s", base, base, base.Host))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><head><title>A website</title></head><body><h1>A website</h1>
			<script src="/watch.js"></script><script src="%s/widget.js" data-domain="site" defer></script></body></html>`, base)
	}))
	t.Cleanup(site.Close)

	store := hubtest.NewMemory()
	store.AddDomain(hub.Domain{Key: "site", Name: "Site", AI: true, Origins: []string{strings.TrimPrefix(site.URL, "http://")}})
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	h, err := hub.New(ctx, hub.Options{
		Store: store, BaseURL: base, Limits: hub.DefaultLimits(), Frame: server.Frame, Render: server.Render,
		Log: slog.New(slog.DiscardHandler), Asset: func(name string) string { return name },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Init(plugins...); err != nil {
		t.Fatal(err)
	}
	s := server.New(ctx, server.Options{
		Hub: h, BaseURL: base, Log: slog.New(slog.DiscardHandler),
		Identify:      func(context.Context, string) (hub.Identity, error) { return hub.Identity{}, nil },
		Origins:       func(context.Context) ([]string, error) { return []string{strings.TrimPrefix(site.URL, "http://")}, nil },
		Ready:         func(context.Context) error { return nil },
		MaxFrameBytes: 32 << 10, SendQueueBytes: 1 << 20, ConnectionsPerIP: 10,
		WriteTimeout: 5 * time.Second, PingInterval: time.Minute,
	})
	for _, p := range plugins {
		if err := s.Mount(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Start(ln); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := h.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return site.URL
}

const (
	pluginFiles = `performance.getEntriesByType("resource").map((e) => e.name).filter((n) => /\/static\/\w+\/(probe|broken|mute|clumsy|late)\//.test(n)).map((n) => n.split("/").slice(-2).join("/")).sort()`
	heard       = `window.heard ?? []`
	chatElement = `document.querySelector("bellhub-chat")`
)

// Plugins add scripts to the widget. They are fetched once the visitor has
// opened the chat, also on a page of another origin with a strict policy; each is
// told what happens and may talk with its plugin, and one that fails costs
// neither the others nor the visitor anything.
func TestPluginsScripts(t *testing.T) {
	website := embed(t, append(faulty(), probe())...)
	visitor := screen{name: "scripts", width: 1280, height: 800}.open(t, "visitor", website)
	none := func(when string) {
		t.Helper()
		if files := eval[[]string](visitor, pluginFiles); len(files) > 0 {
			t.Errorf("%s these files of plugins were fetched: %v", when, files)
		}
	}
	told := func(what string, want ...string) {
		t.Helper()
		visitor.until(what, fmt.Sprintf(`(%s).length >= %d`, heard, len(want)))
		if got := eval[[]string](visitor, heard); !slices.Equal(got, want) {
			t.Errorf("%s: the script heard\n%q, want\n%q", what, got, want)
		}
		eval[bool](visitor, `(window.heard.length = 0, true)`)
	}
	// What comes of a frame, by the page's own hand.
	send := func(call string) string {
		t.Helper()
		eval[bool](visitor, `(window.answer = undefined, `+chatElement+`.send(`+call+`).then(
			(data) => (window.answer = JSON.stringify(data) ?? "nothing"), (e) => (window.answer = e.code + ": " + e.message)), true)`)
		visitor.until("an answer to "+call, "window.answer")
		return eval[string](visitor, "window.answer")
	}

	visitor.until("the launcher", `$("[part=launcher]")`)
	none("at first")
	eval[bool](visitor, `(`+chatElement+`.open(), true)`) // as the page around it may
	visitor.until("the scripts", `window.heard && window.faults.length >= 4`)
	told("the beginning", "loaded true")
	if files, want := eval[[]string](visitor, pluginFiles), []string{
		"broken/widget.js", "clumsy/widget.js", "late/widget.js", "mute/widget.js", "probe/part.js", "probe/widget.js",
	}; !slices.Equal(files, want) {
		t.Errorf("fetched were %v, want %v", files, want)
	}
	faults := strings.Join(eval[[]string](visitor, "window.faults"), "\n")
	for _, want := range []string{"broken as it is loaded", "not a function", "clumsy as it is called", "late"} {
		if !strings.Contains(faults, want) {
			t.Errorf("nobody is told of %q:\n%s", want, faults)
		}
	}
	if strings.Contains(faults, "policy:") {
		t.Errorf("against the page's policy:\n%s", faults)
	}

	// Frames, with what answers them.
	for call, want := range map[string]string{
		`"probe-echo", {"a": [1, "ü"]}`: `{"a":[1,"ü"]}`,
		`"probe-refuse"`:                "vetoed: Not on a Sunday.",
		`"probe-nothing"`:               "unknown_type: There is no frame of this type.",
	} {
		if got := send(call); got != want {
			t.Errorf("send(%s) gave %q, want %q", call, got, want)
		}
	}
	if got := send(`"probe-push"`); got != "nothing" {
		t.Errorf("an empty answer is %q", got)
	}
	told("a pushed frame", `frame {"type":"probe-pushed","data":{"n":7}}`)
	send(`"probe-speak"`)
	told("the AI", `message {"seq":1,"from":"ai","text":"Hello"}`)

	// Something of its own stands above the message box, until it is taken away.
	eval[bool](visitor, `(() => {
		const box = document.createElement("div");
		const yes = Object.assign(document.createElement("button"), {type: "button", textContent: "Yes", onclick: () => box.remove()});
		box.append("Did we solve it? ", yes);
		`+chatElement+`.place(box);
		return true;
	})()`)
	visitor.until("the question, read out", `$("[part=announcer]").textContent.includes("Did we solve it?")`)
	visitor.picture("1-placed")
	if above := eval[bool](visitor, `(() => {
		const [box, field] = [$("[part=placed]"), $("[part=composer]")].map((e) => e.getBoundingClientRect());
		return box.height >= 24 && box.bottom <= field.top + 1;
	})()`); !above {
		t.Error("it does not stand above the message box")
	}
	visitor.press("[part=placed] button")
	visitor.until("it to be gone", `!$("[part=placed]")`)

	// The visitor talks on as if nothing had failed.
	visitor.write("[part=input]", "Hi there")
	if draft := eval[string](visitor, chatElement+".draft"); draft != "Hi there" {
		t.Errorf("the draft is %q", draft)
	}
	visitor.pressEnter()
	visitor.until("the message in the thread", saidBy("visitor")+" === 1")
	told("the visitor", `message {"seq":2,"from":"visitor","text":"Hi there"}`)
	visitor.press("[part=close]")
	visitor.until("the panel to close", `!$("[part=panel]").open`)
	told("the end", "close \"\"")
	if open := eval[bool](visitor, chatElement+".opened || "+chatElement+`.draft !== ""`); open {
		t.Error("closed and empty, it says otherwise")
	}
	visitor.press("[part=launcher]")
	told("another beginning", "open \"\"")
	visitor.press("[part=launcher]")
	told("another end", "close \"\"")

	// After a reload the conversation goes on behind the launcher, and the
	// scripts wait for it to be opened.
	visitor.do(chromedp.Reload())
	visitor.until("a connection", chatElement+".send && $(\"[part=thread]\")?.querySelectorAll(\".item[data-seq]\").length === 2")
	none("behind the launcher")
	if got := send(`"probe-echo", {}`); got != "{}" {
		t.Errorf("behind the launcher a frame gave %q", got)
	}
	visitor.press("[part=launcher]")
	told("the beginning, again", "loaded true")
}

// Without a connection a frame fails at once, and says why.
func TestAFrameWithoutAConnection(t *testing.T) {
	visitor := screen{name: "scripts", width: 1280, height: 800}.open(t, "visitor", embed(t, probe()))
	visitor.until("the launcher", `$("[part=launcher]")`)
	eval[bool](visitor, `($("[part=launcher]").dispatchEvent(new PointerEvent("pointerenter")), true)`) // loads, opens nothing
	visitor.until("the chat's module", `$("[part=panel]")`)
	eval[bool](visitor, `(`+chatElement+`.send("probe-echo").catch((e) => (window.answer = e.code)), true)`)
	visitor.until("an answer", "window.answer")
	if got := eval[string](visitor, "window.answer"); got != "offline" {
		t.Errorf("it fails with %q", got)
	}
	if files := eval[[]string](visitor, pluginFiles); len(files) > 0 {
		t.Errorf("who only points at the launcher fetched %v", files)
	}
	visitor.clean()
}
