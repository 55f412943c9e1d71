package server

import (
	"bytes"
	"html"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	markup "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// Texts beyond these are shown as they stand, since goldmark's time grows with
// the square of what they bound: 40 KB of nested quotations took it 3.5 s. What
// is within them took 10 ms at most.
const (
	markdownBytes = 16 << 10 // what 4,000 characters can be
	markdownDepth = 8        // quotations and lists that one line opens
	markdownMarks = 512      // brackets, emphasis or code marks in one paragraph, of each sort
)

// renderMarkdown makes safe HTML of what an AI or an admin wrote. Two walls
// stand one behind the other: a Markdown without HTML, and a list of the few
// elements that may come out of it.
func renderMarkdown(text string) string {
	if overlong(text) {
		return plain(text)
	}
	var out bytes.Buffer
	if err := markdown.Convert([]byte(text), &out); err != nil {
		return plain(text)
	}
	return strings.TrimSpace(string(allowed.SanitizeBytes(out.Bytes())))
}

// plain shows a text as it stands.
func plain(text string) string {
	return "<p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "<br>") + "</p>"
}

// markdown reads what people write in a chat: a line's end is a line's end, a row
// of hyphens makes no heading, what looks like HTML is text, and no link is
// defined elsewhere than where it stands.
var markdown = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
		),
	)),
	goldmark.WithExtensions(extension.Strikethrough, extension.Linkify),
	goldmark.WithRendererOptions(
		markup.WithHardWraps(),
		renderer.WithNodeRenderers(util.Prioritized(bubble{}, 1)),
	),
)

// bubble renders what does not fit into a message's bubble: a heading becomes a
// bold line, since the page's outline is not the author's to change, and an
// image its description.
type bubble struct{}

// RegisterFuncs implements [renderer.NodeRenderer].
func (bubble) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindHeading, func(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
		tag := "</strong></p>\n"
		if entering {
			tag = "<p><strong>"
		}
		_, err := w.WriteString(tag)
		return ast.WalkContinue, err
	})
	r.Register(ast.KindImage, func(util.BufWriter, []byte, ast.Node, bool) (ast.WalkStatus, error) {
		return ast.WalkContinue, nil // its children are its description
	})
}

// allowed is every element and attribute that may leave.
var allowed = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	// The site that embeds the widget neither vouches for the address nor is
	// told to it, and stays open behind it.
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	return p
}()

// overlong tells whether a text is beyond the bounds.
func overlong(text string) bool {
	if len(text) > markdownBytes {
		return true
	}
	var marks [128]int
	for line := range strings.Lines(text) {
		if deep(line) {
			return true
		}
		if strings.TrimSpace(line) == "" {
			clear(marks[:]) // goldmark pairs marks within a paragraph
		}
		for _, c := range []byte(line) {
			switch c {
			case '[', '*', '_', '~', '`':
				if marks[c]++; marks[c] > markdownMarks {
					return true
				}
			}
		}
	}
	return false
}

// deep tells whether a line opens, or stands in, too many quotations and lists.
func deep(line string) bool {
	marks := 0
	for i, c := range []byte(line) {
		switch c {
		case '>':
			marks++
		case '-', '+', '*', '.', ')':
			if i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t') {
				marks++
			}
		case ' ', '\t', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		default:
			return false // the line's first word
		}
		if marks > markdownDepth {
			return true
		}
	}
	return false
}
