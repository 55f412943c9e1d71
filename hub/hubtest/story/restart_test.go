package story

import (
	"testing"

	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/hubtest/process"
)

// The server goes away in the middle of a conversation and comes back. What the
// visitor wrote and rang meanwhile arrives once, by itself.
func TestTheServerRestarts(t *testing.T) {
	addr, dir := hubtest.FreeAddr(t), t.TempDir()
	run := func() *program {
		p := &program{}
		p.url = p.run(t, process.Development, "", "-addr", addr, "-data", dir)[1]
		return p
	}
	p := run()
	visitor := screen{name: "restart", width: 1280, height: 800}.open(t, "visitor", p.url+"/demo")
	visitor.press("[part=launcher]")
	visitor.ask("Do you ship to Oslo?", 1)

	p.Stop(t)
	visitor.write("[part=input]", "Are you open on Sunday?")
	visitor.pressEnter()
	visitor.until("the message to wait", `$("[part=message][data-state=pending]")`)
	visitor.until("to be told", `$("[part=notice]").innerText.includes("Reconnecting…")`)
	visitor.press("[part=bell]")
	visitor.write("[part=reason]", "Is anybody there?")
	visitor.press("[part=dialog-send]")
	visitor.until("the bell to wait", `$("[part=dialog]").open && $("[part=dialog]").innerText.includes("No connection. Keep this open, or Cancel.")`)
	visitor.picture("1-away")

	run()
	visitor.until("the bell to have rung", `!$("[part=dialog]").open && $("[part=receipt][data-seq]")`)
	visitor.until("the question to be answered", saidBy("ai")+` === 2`)
	if n := eval[int](visitor, saidBy("visitor")); n != 2 {
		t.Errorf("the visitor has said %d things, want 2", n)
	}
	if n := eval[int](visitor, `$("[part=thread]").querySelectorAll("[part=receipt]").length`); n != 1 {
		t.Errorf("%d receipts, want 1", n)
	}
}
