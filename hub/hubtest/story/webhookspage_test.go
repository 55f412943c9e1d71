package story

import (
	"regexp"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/hubtest/process"
)

var signInPath = regexp.MustCompile(`/console/sign-in/\S+`)

// The owner's page as it is read: at a desk and on a phone, by day and by night,
// for everybody.
func TestTheWebhooksPage(t *testing.T) {
	p := &program{}
	dir := t.TempDir()
	p.url = p.run(t, process.Development, "", "-data", dir, "-webhooks-allow", "127.0.0.1")[1]
	nobody := "http://" + hubtest.FreeAddr(t)
	for _, s := range []screen{
		{name: "webhooks-desk", width: 1280, height: 800},
		{name: "webhooks-phone", width: 390, height: 844, dark: true},
	} {
		t.Run(s.name, func(t *testing.T) {
			link := signInPath.FindString(process.Command(t, nil, "admin", "link", "you@kopitugu.example", "-data", dir))
			tab := s.open(t, "owner", p.url+link)
			tab.press("main form button")
			tab.until("the menu", `$(".nav")`)
			if eval[bool](tab, `!$("[data-slug=webhooks]").getClientRects().length`) {
				tab.press("[popovertarget=more]") // the phone's bar has no place for it
			}
			tab.press("[data-slug=webhooks]")
			tab.until("the page", `$("#url")`)
			path := eval[string](tab, "location.href")
			tab.accessible("endpoints, before")
			if eval[bool](tab, `!!$("summary")`) { // there is one already: adding is folded away
				tab.press(`summary:has(~ form button[value=add])`)
			}
			tab.write("#url", nobody+"/"+s.name)
			tab.press("button[value=add]")
			tab.until("the secret", `$("[data-secret]").innerText.startsWith("whsec_")`)
			tab.accessible("the secret")
			tab.picture("1-secret")
			tab.press("[data-endpoint] button[value=test]")
			tab.until("the test", `$("[data-tested=failed]").innerText.includes("No connection")`)
			tab.accessible("a failed test")
			tab.picture("2-test")
			tab.press("button[popovertarget^=remove]")
			tab.until("to be asked", `$("[popover]:popover-open").innerText.includes("Remove this endpoint?")`)
			tab.accessible("asked")
			for _, view := range []string{"deliveries", "decision"} {
				tab.do(chromedp.Navigate(path + "?view=" + view))
				tab.accessible(view)
				tab.picture("3-" + view)
			}
			if wide := eval[bool](tab, `document.documentElement.scrollWidth > innerWidth`); wide {
				t.Error("the page scrolls sideways")
			}
			tab.clean()
		})
	}
}
