package story

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// Who reads the end of the chat still does when the window gets another size, as
// a phone that is turned over.
func TestTheChatStaysAtItsEnd(t *testing.T) {
	p := start(t, "")
	visitor := screen{name: "resize", width: 390, height: 844}.open(t, "visitor", p.url+"/demo")
	visitor.press("[part=launcher]")
	for i, question := range []string{"Do you ship to Oslo?", "Are you open on Sunday?", "How long does coffee stay fresh?"} {
		visitor.ask(question, i+1)
	}
	const atEnd = `(() => { const s = $("[part=scroller]"); return s.clientHeight < s.scrollHeight && s.scrollHeight - s.scrollTop - s.clientHeight < 2; })()`
	visitor.until("the end", atEnd)
	for _, size := range [][2]int64{{844, 390}, {390, 844}, {390, 500}, {1280, 800}, {390, 844}} {
		visitor.do(chromedp.EmulateViewport(size[0], size[1]))
		visitor.until("the end in another window", fmt.Sprintf("innerWidth === %d && %s", size[0], atEnd))
	}
	visitor.clean()
}
