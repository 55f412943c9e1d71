package demo

import (
	"embed"
	"io/fs"
	"strings"

	"github.com/bellhub/bellhub/storage"
)

// texts are what the shop's owner would have written, one Markdown file each,
// whose first line is the title.
//
//go:embed knowledge/*.md
var texts embed.FS

// Knowledge returns what the demo's AI answers from, in order: English, then
// Indonesian.
func Knowledge() []storage.Knowledge {
	names, err := fs.Glob(texts, "knowledge/*.md") // sorted
	if err != nil || len(names) == 0 {
		panic("demo: the knowledge is not embedded")
	}
	all := make([]storage.Knowledge, len(names))
	for i, name := range names {
		b, err := texts.ReadFile(name)
		if err != nil {
			panic("demo: " + err.Error())
		}
		title, text, _ := strings.Cut(string(b), "\n")
		all[i] = storage.Knowledge{Title: strings.TrimPrefix(title, "# "), Text: strings.TrimSpace(text)}
	}
	return all
}
