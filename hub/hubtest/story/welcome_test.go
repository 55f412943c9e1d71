package story

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// theGreeting is the first that the AI has said in the widget.
const theGreeting = `$("[part=thread] .item[data-seq][data-from=ai] [part=bubble]")?.innerText`

func TestAVisitorIsGreetedInABrowser(t *testing.T) {
	for _, s := range []screen{
		{name: "desktop", width: 1280, height: 800},
		{name: "phone", width: 390, height: 844, keyboard: true, dark: true},
	} {
		t.Run(s.name, func(t *testing.T) { greetInABrowser(t, start(t, ""), s) })
	}
}

func greetInABrowser(t *testing.T, p *program, s screen) {
	// The owner writes greetings: none is there, one is wrong, two are right.
	owner := s.open(t, "owner", p.Link(t, "the console"))
	owner.write("input[name=name]", "Ana")
	owner.press("form button")
	owner.until("the console", `$("#main") && location.pathname.startsWith("/console/domains/")`)
	owner.do(chromedp.Navigate(p.url + eval[string](owner, "location.pathname") + "/welcome"))
	owner.until("no greetings", `$(".empty")?.innerText.includes("No greetings yet")`)
	owner.picture("1-empty")
	owner.accessible("the empty list")
	owner.write("#page", "products")
	owner.press("form.card > button")
	owner.until("what is wrong", `$("#text-error") && $("#page-error")?.innerText.includes("Begin with a slash")`)
	owner.picture("2-wrong")
	owner.accessible("the faults")
	greet := func(text, page, delay string) {
		t.Helper()
		for _, field := range [][2]string{{"#text", text}, {"#page", page}, {"#delay", delay}} {
			owner.enter(field[0])
			eval[bool](owner, `($("`+field[0]+`").value = "", true)`)
			owner.do(chromedp.KeyEvent(field[1]))
		}
		owner.press("form.card > button")
		owner.until("the greeting", `$(".flash")?.innerText.includes("Greeting added.")`)
	}
	greet("Welcome to Kopi Tugu!", "", "0")
	greet("Hi! Shall I help you **choose** your beans?", "/demo*", "2")
	owner.until("the order to be said", `$("[data-greetings]").innerText.includes("Never told")`)
	owner.picture("3-two")
	owner.press("[data-greeting]:last-child .round")
	owner.until("the other order", `$("[data-greeting]").innerText.includes("your beans")`)
	owner.press("[data-greeting]:last-child .toggle")
	owner.until("a pause", `$("[data-greeting]:last-child").innerText.includes("Paused")`)
	owner.picture("4-ordered")
	owner.accessible("the list")
	owner.press("[data-greeting]:last-child a.button")
	owner.until("the form", `$("[data-greeting]:last-child textarea")?.value === "Welcome to Kopi Tugu!"`)
	owner.picture("5-edit")
	owner.accessible("the form of a greeting")
	owner.press("[data-greeting]:last-child a.button")
	owner.until("the form to go", `!$("[data-greeting] textarea")`)
	owner.press("[data-greeting]:last-child [popovertarget]")
	owner.until("to be asked", `$("[data-greeting]:last-child .confirm").matches(":popover-open")`)
	owner.picture("6-remove")
	owner.accessible("the question")
	owner.press("[data-greeting]:last-child .danger")
	owner.until("one greeting", `document.querySelectorAll("[data-greeting]").length === 1`)
	owner.clean()

	// A visitor opens the chat under the demo's strict policy. Nothing of the
	// plugin's is fetched before; what is being written holds the greeting back.
	const looks = `window.looks.includes("I")` // it does when a greeting may be due
	const fetched = `performance.getEntriesByType("resource").filter((e) => e.name.includes("/welcome/")).length`
	visitor := s.open(t, "visitor", p.url+"/demo")
	visitor.until("the launcher", `$("[part=launcher]")`)
	if n := eval[int](visitor, fetched); n != 0 {
		t.Errorf("%d files of the plugin were fetched before the chat was opened", n)
	}
	visitor.press("[part=launcher]")
	visitor.until("the script", fetched+" === 1")
	eval[bool](visitor, `((chat) => {
		const draft = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(chat), "draft").get;
		window.looks = [];
		window.asked = []; // and what was written then
		chat.send = (...frame) => (window.asked.push(draft.call(chat)), Object.getPrototypeOf(chat).send.apply(chat, frame));
		Object.defineProperty(chat, "draft", {get() { window.looks.push(draft.call(chat)); return window.looks.at(-1); }});
		return true;
	})(document.querySelector("bellhub-chat"))`)
	visitor.write("[part=input]", "I")
	visitor.until("the script to look, and find a draft", looks)
	if eval[bool](visitor, `window.asked.includes("I")`) {
		t.Error("a greeting was asked for while the visitor wrote")
	}
	visitor.do(chromedp.KeyEvent("\b"))
	visitor.until("the greeting", theGreeting+` === "Hi! Shall I help you choose your beans?"`)
	visitor.picture("1-greeted")
	visitor.accessible("the greeting")

	// Once, also after a reload and in another tab; and the conversation goes on.
	visitor.clean()
	visitor.do(chromedp.Reload())
	visitor.until("the greeting", theGreeting)
	visitor.until("the script", fetched+" === 1")
	second := visitor.tab(p.url + "/demo")
	second.press("[part=launcher]")
	second.until("the greeting in the other tab", theGreeting)
	second.until("the script", fetched+" === 1")
	second.ask("Do you ship to Oslo?", 2) // the AI's second word
	visitor.until("the answer", saidBy("ai")+" === 2")
	second.picture("2-answered")
	second.clean()
	visitor.clean()

	// Two tabs of somebody new, who are there before any is greeted.
	owner.do(chromedp.Navigate(p.url + eval[string](owner, "location.pathname")))
	first := s.open(t, "another", p.url+"/demo")
	first.press("[part=launcher]")
	other := first.tab(p.url + "/demo")
	other.press("[part=launcher]")
	for _, tab := range []*page{first, other} {
		tab.until("the greeting", theGreeting)
		tab.until("the script", fetched+" === 1")
	}
	first.ask("Do you ship to Oslo?", 2)
	other.until("the answer", saidBy("ai")+" === 2")
	first.clean()
	other.clean()

	// The list shows who has spoken, and nobody who was only greeted.
	silent := s.open(t, "silent", p.url+"/demo")
	silent.press("[part=launcher]")
	silent.until("the greeting", theGreeting)
	owner.do(chromedp.Navigate(p.url + strings.TrimSuffix(eval[string](owner, "location.pathname"), "/welcome")))
	owner.until("the conversations", `document.querySelectorAll("#list li").length > 0`)
	if n := eval[int](owner, `document.querySelectorAll("#list li").length`); n != 2 {
		t.Errorf("%d conversations are listed, want 2", n)
	}
	owner.picture("7-list")
}

// The script alone, with a clock of the test's: testdata/welcome.js tells the
// stories.
func TestTheWelcomeScript(t *testing.T) {
	p := start(t, "")
	stories, err := os.ReadFile("testdata/welcome.js")
	if err != nil {
		t.Fatal(err)
	}
	visitor := screen{name: "script", width: 1280, height: 800}.open(t, "visitor", p.url+"/demo")
	visitor.press("[part=launcher]")
	const module = `performance.getEntriesByType("resource").map((e) => e.name).find((n) => n.endsWith("/welcome/widget.js"))`
	visitor.until("the script", module)
	if _, err := chromedp.Run(visitor.ctx, chromedp.Evaluate[bool](string(stories)+"; true")); err != nil {
		t.Fatal(err)
	}
	eval[bool](visitor, `(tell(`+module+`).then((results) => (window.results = results)), true)`)
	visitor.until("the stories", "window.results")
	results := eval[map[string]string](visitor, "window.results")
	for name, fault := range results {
		t.Run(name, func(t *testing.T) {
			if fault != "" {
				t.Error(fault)
			}
		})
	}
	visitor.clean()
}
