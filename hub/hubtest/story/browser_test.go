package story

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestTheStoryInABrowser(t *testing.T) {
	screens := []screen{
		{name: "desktop", width: 1280, height: 800},
		{name: "phone", width: 390, height: 844, keyboard: true, dark: true},
	}
	for name, database := range databases {
		for _, s := range screens {
			t.Run(name+" "+s.name, func(t *testing.T) { tellInABrowser(t, start(t, database(t)), s) })
		}
	}
}

// What is in the widget's thread, and in the console's: who said what, in order.
const (
	visitorsThread = `[...$("[part=thread]").querySelectorAll(".item[data-seq]")].map((e) => e.dataset.type + " " + (e.querySelector("[part=bubble],[part=request]") ?? e).innerText.trim())`
	adminsThread   = `[...$("#thread").querySelectorAll(".item")].map((e) => (e.querySelector(".bubble,blockquote") ?? e).innerText.trim())`
)

// said is a script that counts what a party said in the widget, once it is in
// the log.
func saidBy(kind string) string {
	return fmt.Sprintf(`$("[part=thread]").querySelectorAll(".item[data-seq][data-from=%s]").length`, kind)
}

func tellInABrowser(t *testing.T, p *program, s screen) {
	visitor := s.open(t, "visitor", p.url+"/demo")
	visitor.picture("1-page")
	visitor.accessible("the demo page")

	// The visitor asks, and the AI streams an answer.
	visitor.press("[part=launcher]")
	visitor.until("the chat to open", `$("[part=input]")?.getClientRects().length`)
	visitor.until("a connection", `!$("[part=notice]")?.getClientRects().length`)
	visitor.picture("2-empty")
	visitor.accessible("the empty chat")
	eval[bool](visitor, `(() => {
		const grown = window.grown = new Set();
		new MutationObserver(() => {
			for (const e of $("[part=thread]").querySelectorAll(".item[data-from=ai]:not([data-seq]) [part=bubble]")) grown.add(e.textContent);
		}).observe($("[part=thread]"), {subtree: true, childList: true, characterData: true});
		return true;
	})()`)
	visitor.ask("Do you ship to Oslo?", 1)
	if text := eval[string](visitor, `$("[part=thread] [data-from=ai] [part=bubble]").innerText`); !strings.Contains(text, "Norway") {
		t.Errorf("the answer is %q", text)
	}
	if n := eval[int](visitor, `window.grown.size`); n < 2 {
		t.Errorf("the answer grew %d times before it was whole", n)
	}
	visitor.picture("3-answer")

	// The bell.
	visitor.press("[part=bell]")
	visitor.until("the dialog", `$("[part=dialog]")?.open`)
	if title := eval[string](visitor, `$("[part=dialog]").innerText`); !strings.Contains(title, "Contact Admin") {
		t.Errorf("the dialog says %q", title)
	}
	visitor.press("[part=dialog-send]")
	visitor.until("to be told that a reason is missing", `$("[part=dialog]").innerText.includes("Please enter a reason.")`)
	visitor.write("[part=reason]", "I need an invoice in my company's name")
	visitor.picture("4-bell")
	visitor.accessible("the dialog")
	visitor.press("[part=dialog-send]")
	visitor.until("the dialog to close", `!$("[part=dialog]").open`)
	visitor.until("the receipt", `$("[part=receipt][data-seq] [part=progress]")?.innerText.length`)
	visitor.until("the focus back on the bell", `document.querySelector("bellhub-chat").shadowRoot.activeElement === $("[part=bell]")`)
	visitor.until("the email to be in the mailbox", `$("[part=receipt]").innerText.includes("Demo: the email is in the mailbox.")`)

	// The conversation goes on.
	visitor.ask("What does the house blend cost?", 2)
	visitor.picture("5-goes-on")
	visitor.accessible("the thread")

	// The email, and its link in another browser.
	owner := p.browser(t)
	owner.signIn("the mailbox")
	text := theEmail(t, owner)
	for _, fact := range []string{"Kopi Tugu (demo)", "Room:", "Asia/Jakarta (UTC+7)", "> I need an invoice in my company's name", p.url + "/join/"} {
		if !strings.Contains(text, fact) {
			t.Errorf("the email lacks %q:\n%s", fact, text)
		}
	}
	link := strings.Fields(text[strings.Index(text, p.url+"/join/"):])[0]
	admin := s.open(t, "admin", link)
	admin.picture("1-join")
	admin.accessible("the join page")
	admin.until("the name to be filled in", `$("input[name=name]")?.value === "Support"`)
	admin.enter("input[name=name]")
	eval[bool](admin, `($("input[name=name]").select(), true)`)
	admin.do(chromedp.KeyEvent("Ana"))
	admin.pressEnter()
	admin.until("the whole history", `$("#thread")?.querySelectorAll(".item").length === 5`)
	admin.picture("2-room")
	admin.accessible("the room")
	for i, want := range []string{"Do you ship to Oslo?", "", "I need an invoice in my company's name", "What does the house blend cost?"} {
		if got := eval[[]string](admin, adminsThread)[i]; want != "" && got != want {
			t.Errorf("item %d reads %q, want %q", i, got, want)
		}
	}

	// Takeover: the AI is silent to three messages, and a person answers.
	admin.press("[data-do=takeover]")
	visitor.until("Ana", `$("[part=thread]").innerText.includes("Ana joined. You're talking with a person.")`)
	for i := range 3 {
		visitor.write("[part=input]", fmt.Sprintf("Do you ship to Oslo? %d", i))
		visitor.pressEnter()
		visitor.until("the message to be stored", fmt.Sprintf(`%s === %d`, saidBy("visitor"), 3+i))
	}
	admin.until("the visitor's messages", `$("#thread").querySelectorAll("[data-from=visitor]").length === 5`)
	admin.write("#reply", "Hello, this is **Ana**.")
	admin.pressEnter()
	visitor.until("the reply", `$("[part=thread] [data-from=admin] strong")?.innerText === "Ana"`)
	visitor.picture("6-person")
	admin.picture("3-live")
	admin.accessible("Live Agent mode")
	if n := eval[int](visitor, saidBy("ai")); n != 2 {
		t.Errorf("the AI has said %d things, want 2: it spoke while Ana answered", n)
	}

	// Hand back, after a reload: nothing rests on what the page remembers.
	admin.clean()
	admin.do(chromedp.Reload())
	admin.until("the call to count as answered", `$(".bell-card").dataset.state === "joined"`)
	admin.press("[data-do=handback]")
	visitor.until("the AI to be back", `$("[part=thread]").innerText.includes("Ana left. The AI answers again.")`)
	visitor.ask("And do you ship to Oslo?", 3)

	// Reload both: the same thread, in the same order, nothing twice.
	admin.until("everything", `$("#thread").querySelectorAll("[data-from=ai]").length === 3`)
	visitorsBefore, adminsBefore := eval[[]string](visitor, visitorsThread), eval[[]string](admin, adminsThread)
	if len(visitorsBefore) != len(adminsBefore) {
		t.Errorf("the visitor reads %q, the admin %q", visitorsBefore, adminsBefore)
	}
	visitor.clean()
	admin.clean()
	visitor.do(chromedp.Reload())
	admin.do(chromedp.Reload())
	visitor.until("the thread", fmt.Sprintf(`$("[part=thread]")?.querySelectorAll(".item[data-seq]").length >= %d`, len(visitorsBefore)))
	admin.until("the thread", fmt.Sprintf(`$("#thread")?.querySelectorAll(".item").length >= %d`, len(adminsBefore)))
	if after := eval[[]string](visitor, visitorsThread); strings.Join(after, "|") != strings.Join(visitorsBefore, "|") {
		t.Errorf("after a reload the visitor reads\n%q, before\n%q", after, visitorsBefore)
	}
	if after := eval[[]string](admin, adminsThread); strings.Join(after, "|") != strings.Join(adminsBefore, "|") {
		t.Errorf("after a reload the admin reads\n%q, before\n%q", after, adminsBefore)
	}
	theEmail(t, owner) // still the only one

	// Too fast is said, and everything arrives all the same.
	before := eval[int](visitor, saidBy("visitor"))
	for i := range 14 {
		visitor.write("[part=input]", fmt.Sprintf("hello %d", i))
		visitor.pressEnter()
	}
	visitor.until("to be told to slow down", `$("[part=notice]").dataset.kind === "flood" && $("[part=notice]").innerText.includes("Too fast.")`)
	visitor.until("every message to be stored", fmt.Sprintf(`%s === %d`, saidBy("visitor"), before+14))
	visitor.clean()
	admin.clean()

	// Whoever runs the server sees that every plugin got through all of this.
	operator := s.open(t, "operator", p.Link(t, "the console"))
	operator.press("main form button")
	operator.press(".server")
	operator.press("#plugin-takeover summary")
	operator.until("the figures", `$("#plugin-takeover .figures")?.getClientRects().length`)
	operator.picture("1-plugins")
	operator.accessible("the plugins")
	if sick := eval[int](operator, `document.querySelectorAll(".plugin:is(.failing, .skipped)").length`); sick != 0 {
		t.Errorf("%d plugins need a look", sick)
	}
	operator.clean()
}

// ask types a question, sends it, and waits for the AI's answer to be stored:
// its n-th in all.
func (p *page) ask(question string, n int) {
	p.t.Helper()
	p.write("[part=input]", question)
	p.pressEnter()
	p.until("the answer", fmt.Sprintf(`%s === %d`, saidBy("ai"), n))
}
