package console

import (
	"fmt"
	"html/template"
	"regexp"
)

// icons are stroked paths on a grid of 24, like the widget's.
var icons = map[string]string{
	"bell":     "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15zM10 21.5h4M12 3v2",
	"chat":     "M4 5.5h16v11H10l-4.5 4v-4H4z",
	"mail":     "M3.5 6h17v12.5h-17zM4 6.5l8 6.5 8-6.5",
	"settings": "M4 7h9m4 0h3M4 17h3m4 0h9M15 4.5v5M9 14.5v5",
	"page":     "M6 3.5h8.5L18 7v13.5H6zM9 11h6M9 15h6",
	"person":   "M12 12.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c1-3.5 4-5 7.5-5s6.5 1.5 7.5 5",
	"back":     "M14.5 5.5 8 12l6.5 6.5",
	"down":     "m6 9.5 6 6 6-6",
	"send":     "M12 19.5V5M5.5 11.5 12 5l6.5 6.5",
	"info":     "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.5M12 7.5v.5",
	"copy":     "M9 9h11v11H9zM15 9V4H4v11h5",
	"plug":     "M9 3.5v5M15 3.5v5M6.5 8.5h11v2.5a5.5 5.5 0 0 1-11 0zM12 16.5v4",
	"plus":     "M12 5v14M5 12h14",
	"close":    "m6.5 6.5 11 11m0-11-11 11",
	"more":     "M6.5 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0zM13 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0zM19.5 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0z",
}

// icon draws an icon. It says nothing to a screen reader: what it stands beside
// or in does.
func icon(name string) (template.HTML, error) {
	path, ok := icons[name]
	if !ok {
		return "", fmt.Errorf("console: no icon %q", name)
	}
	return draw(path), nil
}

// draw draws path data that is known to be some.
func draw(path string) template.HTML {
	return template.HTML(`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="` + path + `"/></svg>`)
}

// pathData is made of SVG's commands, numbers and what may stand between them.
// It begins with a move, without which nothing is drawn.
var pathData = regexp.MustCompile(`^[Mm][MmZzLlHhVvCcSsQqTtAa0-9eE+\-.,\s]+$`)

// pageIcon is the path data for a plugin's page: the page's own, or a sheet of
// paper where that is none. It goes into the markup as it is.
func pageIcon(path string) string {
	if !pathData.MatchString(path) {
		return icons["page"]
	}
	return path
}
