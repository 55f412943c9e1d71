package config

import (
	"slices"
	"strings"
)

// Command parts a command line into the command's words and the flags, which
// follow them, and tells whether these ask for help.
func Command(args []string) (words, flags []string, help bool) {
	n := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, "-") })
	if n < 0 {
		n = len(args)
	}
	help = slices.ContainsFunc(args[n:], func(a string) bool { return a == "-h" || a == "-help" || a == "--help" })
	return slices.Clone(args[:n]), args[n:], help
}
