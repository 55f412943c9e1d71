package hub

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strings"
)

// Texts are the words people read, by language and key. The package static
// holds them, one file a language.
type Texts map[string]map[string]string

// DefaultLang is the language of whoever asks for one there is no file for.
const DefaultLang = "en"

// ReadTexts reads texts from files, one JSON object a language: the pattern
// "texts/*.json" finds texts/en.json. They are part of the program, so what is
// wrong with one of them panics.
func ReadTexts(files fs.FS, pattern string) Texts {
	names, err := fs.Glob(files, pattern)
	if err != nil || len(names) == 0 {
		panic(fmt.Sprintf("hub: texts: nothing matches %s", pattern))
	}
	all := Texts{}
	for _, name := range names {
		var words map[string]string
		b, err := fs.ReadFile(files, name)
		if err == nil {
			err = json.Unmarshal(b, &words)
		}
		if err != nil {
			panic(fmt.Sprintf("hub: texts: %s: %v", name, err))
		}
		all[strings.TrimSuffix(path.Base(name), ".json")] = words
	}
	return all
}

// add takes in more words; a key that is there already gets the new text.
func (t Texts) add(more Texts) {
	for lang, words := range more {
		if t[lang] == nil {
			t[lang] = make(map[string]string, len(words))
		}
		maps.Copy(t[lang], words)
	}
}

// Text returns a text in a language (or else in English), its {placeholders}
// filled from pairs of name and value. A key that does not exist returns
// itself, which a test of the caller's shows.
func (t Texts) Text(lang, key string, pairs ...string) string {
	s, ok := t[lang][key]
	if !ok {
		if s, ok = t[DefaultLang][key]; !ok {
			return key
		}
	}
	if len(pairs) == 0 {
		return s
	}
	args := make([]string, len(pairs))
	for i, p := range pairs {
		if i%2 == 0 {
			p = "{" + p + "}"
		}
		args[i] = p
	}
	return strings.NewReplacer(args...).Replace(s)
}

// Pick chooses the first language there are texts for out of an
// Accept-Language header, read as an ordered list, or [DefaultLang].
func (t Texts) Pick(accept string) string {
	for part := range strings.SplitSeq(accept, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if _, ok := t[base]; ok {
			return base
		}
	}
	return DefaultLang
}
