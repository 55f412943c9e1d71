package story

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/bellhub/bellhub/hub/hubtest/process"
)

// A website of its own, with a strict policy and styles that shout at
// everything, embeds the widget with one script tag: it works, looks like
// itself, and leaves the page as it was.
func TestTheWidgetOnAnyWebsite(t *testing.T) {
	dir := t.TempDir()
	p := &program{}
	p.url = p.run(t, process.Development, "", "-data", dir)[1]
	website := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; script-src 'self' %s; style-src 'self'; connect-src %s %s",
				p.url, p.url, strings.Replace(p.url, "http", "ws", 1)))
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, `<!doctype html><html lang="en"><head><title>A website</title><link rel="stylesheet" href="/style.css"></head>
				<body><h1 id="heading">A website</h1><script src="/watch.js"></script>
				<script src="%s/widget.js" data-domain="site" defer></script></body></html>`, p.url)
		case "/style.css":
			w.Header().Set("Content-Type", "text/css")
			_, _ = io.WriteString(w, "* { color: red !important; font: 40px cursive !important; letter-spacing: 9px; text-transform: uppercase; }")
		case "/watch.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = io.WriteString(w, `document.addEventListener("securitypolicyviolation", (e) => faults.push("policy: " + e.violatedDirective + " " + e.blockedURI));`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer website.Close()
	process.Command(t, nil, "domain", "add", "Site", "-key", "site", "-origin", strings.TrimPrefix(website.URL, "http://"), "-data", dir)

	visitor := screen{name: "website", width: 1280, height: 800}.open(t, "visitor", website.URL)
	before := eval[string](visitor, `JSON.stringify([document.body.getBoundingClientRect(), getComputedStyle($("#heading")).font, document.documentElement.outerHTML.length > 0])`)
	visitor.press("[part=launcher]")
	visitor.ask("Do you ship to Oslo?", 1) // it knows nothing, and says so
	visitor.picture("1-chat")
	type looks struct{ Size, Color, Case string }
	got := eval[looks](visitor, `(() => { const s = getComputedStyle($("[data-from=ai] [part=bubble]")); return {Size: s.fontSize, Color: s.color, Case: s.textTransform}; })()`)
	if got.Size == "40px" || got.Color == "rgb(255, 0, 0)" || got.Case != "none" {
		t.Errorf("the website's styles reach into the widget: %+v", got)
	}
	after := eval[string](visitor, `JSON.stringify([document.body.getBoundingClientRect(), getComputedStyle($("#heading")).font, document.documentElement.outerHTML.length > 0])`)
	if after != before {
		t.Errorf("the widget changed the page: %s, was %s", after, before)
	}
	visitor.clean()

	// What is written, but not sent, survives a reload.
	visitor.write("[part=input]", "I was about to say")
	visitor.press("[part=bell]")
	visitor.write("[part=reason]", "Call me back")
	visitor.do(chromedp.Reload())
	visitor.until("the composer's text", `$("[part=input]").value === "I was about to say"`)
	visitor.press("[part=bell]")
	visitor.until("the dialog's text", `$("[part=dialog]").open && $("[part=reason]").value === "Call me back"`)
	visitor.clean()
}
