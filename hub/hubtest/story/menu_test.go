package story

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The console's menu on the smallest phone in use, by keyboard, in the language
// of the longest words: everything can be read and reached.
func TestTheMenuOnAPhone(t *testing.T) {
	p := start(t, "")
	owner := screen{name: "menu", width: 320, height: 568, keyboard: true, dark: true}.open(t, "owner", "about:blank")
	owner.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{AcceptLanguage: "id"})
		if err != nil {
			return err
		}
		below := int64(34) // an iPhone's home indicator
		_, err = cdp.Call(ctx, target, emulation.SetSafeAreaInsetsOverride, emulation.SetSafeAreaInsetsOverrideParams{
			Insets: &emulation.SafeAreaInsets{Bottom: &below},
		})
		return err
	}))
	owner.do(chromedp.Navigate(p.Link(t, "the console")))
	owner.press("main form button")
	owner.until("the menu", `$(".nav")?.innerText.includes("Lainnya")`)
	owner.picture("1-bar")
	const unfit = `[...document.querySelectorAll(".nav > :is(a, button)")].filter((e) => {
		const box = e.getBoundingClientRect(), title = e.querySelector("span");
		return box.left < 0 || box.right > innerWidth || box.bottom > innerHeight - 34 || box.width < 44 || box.height < 44
			|| title.scrollWidth > title.clientWidth || title.scrollHeight > title.clientHeight + 1; // it is rounded
	}).map((e) => e.innerText)`
	if faults := eval[[]string](owner, unfit); len(faults) != 0 {
		t.Errorf("these do not fit: %q", faults)
	}
	if n := eval[int](owner, `document.querySelectorAll(".nav > :is(a, button)").length`); n != 5 {
		t.Errorf("the bar has %d places, want 5", n)
	}

	// It opens above the bar, and Escape brings back to where one was.
	const (
		more   = "[popovertarget=more]"
		opened = `$("#more").matches(":popover-open")`
	)
	owner.press(more)
	owner.until("the rest", opened)
	owner.picture("2-more")
	owner.accessible("the rest of the menu")
	if gap := eval[float64](owner, `$(".nav").getBoundingClientRect().top - $("#more").getBoundingClientRect().bottom`); gap < -1 || gap > 1 {
		t.Errorf("the sheet is %g px above the bar", gap)
	}
	owner.do(chromedp.KeyEvent(kb.Tab))
	owner.until("its first entry to be next", `document.activeElement === $("#more a")`)
	owner.do(chromedp.KeyEvent(kb.Escape))
	owner.until("it to close", `!`+opened+` && document.activeElement === $("`+more+`")`)

	// It does not stay in the way of who goes on, or turns the phone.
	owner.press(more)
	owner.until("the rest", opened)
	owner.focus("#more a:last-child")
	owner.until("the rest to stay", opened)
	owner.do(chromedp.KeyEvent(kb.Tab))
	owner.until("it to close", `!`+opened+` && document.activeElement === $(".server")`)
	owner.do(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`))
	owner.press(more)
	owner.until("the rest", opened)
	owner.do(chromedp.EmulateViewport(1280, 800))
	owner.until("the menu beside the page", `!`+opened+` && $("#more a").getClientRects().length && !$("`+more+`").getClientRects().length`)
	owner.clean()
	owner.do(chromedp.EmulateViewport(320, 568), chromedp.Reload())

	// What it leads to is a part of it.
	owner.press(more)
	owner.press("#more [data-slug=webhooks]")
	owner.until("the page", `$("#more [data-slug=webhooks]").ariaCurrent === "page"`)
	if !eval[bool](owner, `$("`+more+`").ariaCurrent === "true" && !`+opened) {
		t.Error("More is not current, or open")
	}
	owner.picture("3-there")
	owner.clean()
}
