package assistant

import (
	"regexp"
	"strings"
	"unicode"
)

// chunk is a piece of a text that can stand alone as an answer.
type chunk struct {
	heading string // the nearest above it
	text    string
}

// chunks cuts a Markdown text at its headings and between its paragraphs. A
// list stays with the line that leads into it.
func chunks(text string) []chunk {
	var out []chunk
	var heading string
	var block []string
	fenced := false
	flush := func() {
		t := strings.TrimSpace(strings.Join(block, "\n"))
		block = nil
		if t == "" {
			return
		}
		if n := len(out); n > 0 && isList(t) && out[n-1].heading == heading && strings.HasSuffix(out[n-1].text, ":") {
			out[n-1].text += "\n\n" + t
			return
		}
		out = append(out, chunk{heading, t})
	}
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		trimmed := strings.TrimSpace(line)
		title := strings.TrimLeft(trimmed, "#")
		switch {
		case fenced:
			block = append(block, line)
		case trimmed == "":
			flush()
		case len(title) < len(trimmed) && (title == "" || title[0] == ' '):
			flush()
			heading = strings.TrimSpace(title)
		case listItem.MatchString(line) && len(block) > 0 && !isList(block[0]) && !strings.HasSuffix(block[len(block)-1], ":"):
			flush()
			block = append(block, line)
		default:
			block = append(block, line)
		}
	}
	flush()
	return out
}

var listItem = regexp.MustCompile(`^\s*([-*+]|\d{1,3}[.)])\s+`)

func isList(text string) bool { return listItem.MatchString(text) }

// parts cuts a chunk into what may be left out of an answer one by one: a
// list's items, or a paragraph's sentences. The lead, if any, is the line
// before a list and always stays.
func parts(text string) (lead string, all []string, list bool) {
	var items []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case listItem.MatchString(line) && (len(items) == 0 || line[0] != ' '):
			items = append(items, line)
		case len(items) > 0:
			items[len(items)-1] += "\n" + line
		default:
			lead += line + " "
		}
	}
	lead = strings.TrimSpace(lead)
	if len(items) > 1 {
		return lead, items, true
	}
	return "", sentences(text), false
}

// sentences cuts a paragraph after full stops that end a sentence: not after a
// short word with a capital ("Jl.", "No."), nor within a number.
func sentences(text string) []string {
	var out []string
	runes := []rune(strings.Join(strings.Fields(text), " "))
	start := 0
	for i, r := range runes {
		if r != '.' && r != '!' && r != '?' || i+2 >= len(runes) || runes[i+1] != ' ' {
			continue
		}
		if next := runes[i+2]; unicode.IsLower(next) {
			continue
		}
		w := i
		for w > start && runes[w-1] != ' ' {
			w--
		}
		if r == '.' && i-w <= 3 && unicode.IsUpper(runes[w]) {
			continue
		}
		out = append(out, string(runes[start:i+1]))
		start = i + 2
	}
	return append(out, string(runes[start:]))
}
