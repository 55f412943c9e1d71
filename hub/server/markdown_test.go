package server

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

func TestRenderMarkdown(t *testing.T) {
	const attrs = ` rel="nofollow noreferrer noopener" target="_blank"`
	for _, c := range []struct{ name, in, want string }{
		{"plain", "Hello there.", `<p>Hello there.</p>`},
		{"empty", "", ``},
		{"emphasis", "*a* **b** ~~c~~ `d<e`", `<p><em>a</em> <strong>b</strong> <del>c</del> <code>d&lt;e</code></p>`},
		{"a line's end is one", "one\ntwo", "<p>one<br>\ntwo</p>"},
		{"list", "- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"},
		{"numbered", "1. a\n2. b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>"},
		{"fenced code has no class", "```go\nx < y\n```", "<pre><code>x &lt; y\n</code></pre>"},
		{"indented code", "    a < b", "<pre><code>a &lt; b\n</code></pre>"},
		{"hyphens make no heading", "text\n---", "<p>text</p>\n<hr>"},
		{"a heading is a bold line", "# Shipping {#id .c}", "<p><strong>Shipping {#id .c}</strong></p>"},
		{"link", "[site](https://example.com/a?b=1&c=2)", `<p><a href="https://example.com/a?b=1&amp;c=2"` + attrs + `>site</a></p>`},
		{"mail", "[us](mailto:a@example.com)", `<p><a href="mailto:a@example.com" rel="nofollow noreferrer">us</a></p>`},
		{"autolink", "see https://example.com.", `<p>see <a href="https://example.com"` + attrs + `>https://example.com</a>.</p>`},
		{"a link's title is dropped", `[a](https://example.com "t")`, `<p><a href="https://example.com"` + attrs + `>a</a></p>`},
		{"relative link", "[a](/console)", `<p>a</p>`},
		{"no scheme", "[a](//example.com)", `<p>a</p>`},
		// limits.md, row 75
		{"75: html", `<b onclick="x()">hi</b>`, `<p>&lt;b onclick=&#34;x()&#34;&gt;hi&lt;/b&gt;</p>`},
		{"75: script", "<script>alert(1)</script>", `<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>`},
		{"75: html block", "<div>\n<img src=x onerror=alert(1)>\n</div>", "<p>&lt;div&gt;<br>\n&lt;img src=x onerror=alert(1)&gt;<br>\n&lt;/div&gt;</p>"},
		{"75: javascript link", "[a](javascript:alert(1))", `<p>a</p>`},
		{"75: hidden javascript", "[a](java&#x73;cript:alert(1)) [b](JaVaScRiPt:x) [c](\tjavascript:x)", `<p>a b c</p>`},
		{"75: javascript autolink", "<javascript:alert(1)>", `<p>javascript:alert(1)</p>`},
		{"75: vbscript, file", "[a](vbscript:x) [b](file:///etc/passwd)", `<p>a b</p>`},
		// limits.md, row 76
		{"76: data link", "[a](data:text/html;base64,PHNjcmlwdD4=)", `<p>a</p>`},
		{"76: data image", "![a](data:image/svg+xml;base64,PHN2Zz4=)", `<p>a</p>`},
		{"a remote image is its description", "![a *cup*](https://example.com/pixel.png)", `<p>a <em>cup</em></p>`},
		{"an image in a link", "[![a](https://x.example/i.png)](https://example.com)", `<p><a href="https://example.com"` + attrs + `>a</a></p>`},
		{"a definition is text", "[a]: https://example.com", `<p>[a]: <a href="https://example.com"` + attrs + `>https://example.com</a></p>`},
		{"overlong is shown as it stands", strings.Repeat("*a* ", 5000), "<p>" + strings.Repeat("*a* ", 5000) + "</p>"},
		{"overlong is escaped", "<b>\n" + strings.Repeat(">", 50), "<p>&lt;b&gt;<br>" + strings.Repeat("&gt;", 50) + "</p>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := renderMarkdown(c.in); got != c.want {
				t.Errorf("renderMarkdown(%q)\n got %q\nwant %q", c.in, got, c.want)
			}
		})
	}
}

// Each of these took goldmark time that grows with the square of the length.
func TestRenderMarkdownBombs(t *testing.T) {
	const size = 40 << 10
	for name, piece := range map[string]string{
		"quotations": "> ", "lists": "- ", "numbers": "1. ", "links": "[a](", "images": "![", "emphasis": "*a_ ",
		"strong": "**a ", "code": "a` ``", "autolinks": "<http://a ", "addresses": "a@", "web": "http://a.b/(",
		"quoted lines": strings.Repeat("> ", 30) + "a\n", "backslashes": `\`, "entities": "&amp", "struck": "~~a ~b ",
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{size, markdownBytes, 4000} {
				text := strings.Repeat(piece, n/len(piece))
				began := time.Now()
				checkSafe(t, text)
				if took := time.Since(began); took > time.Second {
					t.Errorf("%d bytes took %s", n, took)
				}
			}
		})
	}
}

func FuzzRenderMarkdown(f *testing.F) {
	for _, s := range []string{
		"", "*a* **b**", "[a](javascript:alert(1))", "![a](https://x.example/i.png)", "<script>alert(1)</script>",
		"<img src=x onerror=alert(1)>", "[a](data:text/html,x)", "<https://example.com>", "> - 1. a\n\n```\n<b>\n```",
		"[a]: javascript:x\n[a]", "&#x6A;avascript:", "a\x00b", "\xff\xfe", "www.example.com", "[](<javascript:x>)",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { checkSafe(t, text) })
}

// checkSafe reads the output as a browser would: nothing may be in it but the
// few elements, and links that lead to a page or a mailbox.
func checkSafe(t *testing.T, text string) {
	t.Helper()
	out := renderMarkdown(text)
	for _, bad := range []string{"<script", "<img", "<svg", "<style", "<iframe"} {
		if strings.Contains(strings.ToLower(out), bad) {
			t.Fatalf("%q came out as %q", text, out)
		}
	}
	nodes, err := html.ParseFragment(strings.NewReader(out), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		checkNode(t, text, n)
		for d := range n.Descendants() {
			checkNode(t, text, d)
		}
	}
}

func checkNode(t *testing.T, text string, n *html.Node) {
	t.Helper()
	switch n.Type {
	case html.TextNode:
		return
	case html.ElementNode:
		switch n.Data {
		case "p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a":
		default:
			t.Fatalf("%q came out with an element %s", text, n.Data)
		}
	default:
		t.Fatalf("%q came out with a node of type %v", text, n.Type)
	}
	for _, a := range n.Attr {
		switch {
		case n.Data == "a" && (a.Key == "rel" || a.Key == "target"):
		case n.Data == "a" && a.Key == "href":
			u, err := url.Parse(a.Val)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "mailto" {
				t.Fatalf("%q came out with a link to %q", text, a.Val)
			}
		default:
			t.Fatalf("%q came out with %s=%q on %s", text, a.Key, a.Val, n.Data)
		}
	}
}
