package config

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/peterbourgon/ff/v3"
)

// parseFile reads ff's plain format, without what that parser lets through: a
// file that cannot be read to its end, whose rest would be missing in silence;
// a key that stands there twice, of which the operator sees only one; a key
// without a value, which it takes for "true", also where a secret was left out;
// and "key=value", which it would quote as an unknown key with its secret.
func parseFile(r io.Reader, set func(name, value string) error) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if len(line) >= bufio.MaxScanTokenSize {
			return fmt.Errorf("in the file, a line of %d bytes", len(line))
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		end := strings.IndexAny(line, " =:\t")
		if end < 0 {
			return fmt.Errorf("in the file, %s: it has no value", line)
		}
		key := line[:end]
		if line[end] != ' ' {
			return fmt.Errorf("in the file, %s: want \"key value\", with a space", key)
		}
		if strings.HasPrefix(strings.TrimSpace(line[end:]), "#") {
			return fmt.Errorf("in the file, %s: it has no value", key)
		}
		if seen[key] {
			return fmt.Errorf("in the file, %s: there twice", key)
		}
		seen[key] = true
	}
	return ff.PlainParser(bytes.NewReader(text), set)
}
