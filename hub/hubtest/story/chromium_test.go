package story

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// screen is what a story is looked at on.
type screen struct {
	name          string
	width, height int64
	keyboard      bool // everything is done by keys
	dark          bool
}

// page is one person's browser tab.
type page struct {
	t      *testing.T
	who    string
	ctx    context.Context
	screen screen
}

// open opens an address in a browser of its own.
func (s screen) open(t *testing.T, who, address string) *page {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox,
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-component-update", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	// The context of the first action is the browser's life: no timeout here.
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return (&page{t: t, who: who, ctx: ctx, screen: s}).prepare(address)
}

// tab opens an address in another tab of the same browser.
func (p *page) tab(address string) *page {
	p.t.Helper()
	ctx, cancel := chromedp.NewContext(p.ctx)
	p.t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		p.t.Fatalf("chromium: %v", err)
	}
	return (&page{t: p.t, who: p.who + "-tab", ctx: ctx, screen: p.screen}).prepare(address)
}

// prepare makes a tab a person's, and goes to an address.
func (p *page) prepare(address string) *page {
	p.t.Helper()
	scheme := "light"
	if p.screen.dark {
		scheme = "dark"
	}
	p.do(chromedp.EmulateViewport(p.screen.width, p.screen.height))
	// What a page's scripts stumble over, for the end of the test.
	p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{
			Source: `window.faults = []; const log = console.error;
				console.error = (...all) => { faults.push(all.map((a) => a?.stack ?? a).join(" ")); log(...all); };
				addEventListener("error", (e) => faults.push(e.message + " " + e.filename));
				addEventListener("unhandledrejection", (e) => faults.push(String(e.reason?.stack ?? e.reason)));`,
		})
		return err
	}))
	p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
	p.do(chromedp.Navigate(address))
	return p
}

func (p *page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.fail(err.Error())
	}
}

// find is the script that finds an element by a selector, through shadow roots:
// in the widget's first, then in the page.
const find = `((s) => document.querySelector("bellhub-chat")?.shadowRoot?.querySelector(s) ?? document.querySelector(s))`

// eval runs a script, with $ for find, and returns what it gives.
func eval[T any](p *page, script string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](`(() => { const $ = `+find+`; return `+script+`; })()`))
	if err != nil {
		p.fail(script + ": " + err.Error())
	}
	return v
}

// until waits for a script to give something true. What is not there yet, and a
// page that is just being left, count as false.
func (p *page) until(what, script string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 40*time.Second)
	defer cancel()
	poll := chromedp.Poll[bool](`(() => { const $ = `+find+`; try { return !!(`+script+`); } catch { return false; } })()`,
		chromedp.WithPollingInterval(30*time.Millisecond), chromedp.WithPollingTimeout(0))
	for {
		_, err := chromedp.Run(ctx, poll)
		if err == nil {
			return
		}
		if ctx.Err() != nil || !strings.Contains(err.Error(), "navigated") && !strings.Contains(err.Error(), "Cannot find context") {
			p.fail(fmt.Sprintf("waited for %s: %v", what, err))
		}
	}
}

// press activates an element: with the mouse, in its middle, or by moving the
// focus to it and pressing Enter.
func (p *page) press(selector string) {
	p.t.Helper()
	p.until(selector, fmt.Sprintf(`$(%q)?.getClientRects().length`, selector))
	if p.screen.keyboard {
		p.focus(selector)
		p.pressEnter()
		return
	}
	type point struct{ X, Y float64 }
	at := eval[point](p, fmt.Sprintf(`(() => { const e = $(%q); e.scrollIntoView({block: "nearest"}); const r = e.getBoundingClientRect(); return {X: r.x + r.width / 2, Y: r.y + r.height / 2}; })()`, selector))
	p.do(chromedp.MouseClickXY(at.X, at.Y))
}

// pressEnter presses Enter as a keyboard does: the one event is key and character,
// so that a page which takes the key gets no line break.
func (p *page) pressEnter() {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		for _, typ := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
			key := input.DispatchKeyEventParams{Type: typ, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13}
			if typ == input.DispatchKeyEventTypeKeyDown {
				key.Text = "\r"
			}
			if _, err := cdp.Call(ctx, target, input.DispatchKeyEvent, key); err != nil {
				return err
			}
		}
		return nil
	}))
}

// focus moves the focus to an element by Tab alone, as far as a patient person
// would go.
func (p *page) focus(selector string) {
	p.t.Helper()
	focused := fmt.Sprintf(`(() => { let a = document.activeElement; while (a?.shadowRoot?.activeElement) a = a.shadowRoot.activeElement; return a === $(%q); })()`, selector)
	for range 60 {
		if eval[bool](p, focused) {
			return
		}
		p.do(chromedp.KeyEvent(kb.Tab))
	}
	p.fail("Tab does not lead to " + selector)
}

// write types into the field, which it reaches as press does.
func (p *page) write(selector, text string) {
	p.t.Helper()
	p.until(selector, fmt.Sprintf(`$(%q)?.getClientRects().length && !$(%q).disabled`, selector, selector))
	p.enter(selector)
	p.do(chromedp.KeyEvent(text))
}

// enter puts the focus into a field.
func (p *page) enter(selector string) {
	p.t.Helper()
	if p.screen.keyboard {
		p.focus(selector)
		return
	}
	p.press(selector)
}

// picture keeps a screenshot where STORY_PICTURES says, for people to look at.
func (p *page) picture(name string) {
	p.t.Helper()
	dir := os.Getenv("STORY_PICTURES")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, p.screen.name+"-"+p.who+"-"+name+".png"), png, 0o600)
	}
	if err != nil {
		p.t.Errorf("picture: %v", err)
	}
}

// clean checks that the page's scripts stumbled over nothing since it was
// loaded.
func (p *page) clean() {
	p.t.Helper()
	for _, fault := range eval[[]string](p, "window.faults") {
		p.t.Errorf("%s: %s", p.who, fault)
	}
}

// accessible checks the page as it stands with axe-core.
func (p *page) accessible(where string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](axe(p.t)+`;
		{ const moving = [document, document.querySelector("bellhub-chat")?.shadowRoot].flatMap((r) => r?.getAnimations() ?? [])
			.filter((a) => a.effect.getComputedTiming().iterations !== Infinity); // half faded in is not how it will be read
		Promise.allSettled(moving.map((a) => a.finished)).then(() => axe.run(document, {resultTypes: ["violations"]})).then((r) => r.violations
			.filter((v) => v.impact === "serious" || v.impact === "critical")
			.map((v) => v.id + ": " + v.nodes.map((n) => n.target.join(" ") + " " + n.failureSummary).join("; "))) }`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		p.fail("axe: " + err.Error())
	}
	for _, f := range found {
		p.t.Errorf("%s, %s: %s", p.who, where, f)
	}
}

// axe is axe-core's script, which make deps has fetched.
func axe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("../../../.cache/npm/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("axe-core is missing, run make deps: %v", err)
	}
	return string(script)
}

// fail ends the test, and says what the page showed.
func (p *page) fail(why string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText + "\n--\n" + (document.querySelector("bellhub-chat")?.shadowRoot?.textContent ?? "")`))
	if err != nil {
		text = err.Error()
	}
	p.picture("failed")
	p.t.Fatalf("%s: %s\n%s", p.who, why, strings.TrimSpace(text))
}
