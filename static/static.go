// Package static holds what browsers fetch, embedded in the binary: the widget,
// the client of the wire protocol, the console's scripts and styles, and the
// words of every language.
//
// There is no build step. A browser gets the modules of this folder under
// [Prefix], a path that names their content, so that they may be cached for
// good; [Open] serves them. One script has a fixed address, /widget.js, since
// websites embed it: [Launcher] gives its bytes, which name the prefix.
//
// Modules are minified when they are served, which leaves a browser half the
// bytes, and everything is kept compressed beside the plain bytes.
//
// The words are in i18n, one file a language, with flat keys: "widget.…" are
// the widget's, the only ones that leave the server, "console.…" and "email.…"
// the console's and the emails'. Values may hold {placeholders}.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
)

//go:embed widget/*.js shared/*.js i18n/*.json console
var files embed.FS

// widgetKeys begins the keys that the widget is given.
const widgetKeys = "widget."

// File is one file as it is served. Its bytes are shared and must not be
// changed.
type File struct {
	Data        []byte
	Gzip        []byte // Data, compressed
	ContentType string
}

// NewFile makes a file of bytes that come from elsewhere, to be served like these.
func NewFile(data []byte, contentType string) File {
	return File{data, compressed(data), contentType}
}

// contentTypes are those of the files in this folder; others are not served.
var contentTypes = map[string]string{
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".json": "application/json; charset=utf-8",
	".svg":  "image/svg+xml",
}

// Folder is a tree of files, made ready to be served.
type Folder struct {
	files map[string]File
	hash  string
}

// NewFolder makes a folder of the files in a file system that browsers fetch:
// scripts, styles, JSON and SVG. Scripts are minified. The error names the file.
func NewFolder(files fs.FS) (*Folder, error) { return newFolder(files, nil) }

// newFolder has change replace the content of JSON files.
func newFolder(files fs.FS, change func(name string, data []byte) ([]byte, error)) (*Folder, error) {
	f := &Folder{files: map[string]File{}}
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		kind := contentTypes[path.Ext(name)]
		if err != nil || entry.IsDir() || kind == "" {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		switch ext := path.Ext(name); {
		case ext == ".js":
			data, err = minified(data)
		case ext == ".json" && change != nil:
			data, err = change(name, data)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		f.files[name] = NewFile(data, kind)
		fmt.Fprintf(sum, "%s %d\n%s", name, len(data), data)
		return nil
	})
	f.hash = hex.EncodeToString(sum.Sum(nil))[:12]
	return f, err
}

// Hash is short and stands for the content of all files: it changes when one of
// them does.
func (f *Folder) Hash() string { return f.hash }

// Open gives a file as it is served. Only the folder's own files are there: a
// path that leads elsewhere is not found.
func (f *Folder) Open(name string) (file File, ok bool) {
	file, ok = f.files[name]
	return file, ok
}

// site is everything in this package, made once: the files are part of the
// binary, so what is wrong with them is a programmer's error and panics.
var site = sync.OnceValue(func() (s struct {
	*Folder
	texts map[string]map[string]string
},
) {
	s.texts = map[string]map[string]string{}
	var err error
	s.Folder, err = newFolder(files, func(name string, data []byte) ([]byte, error) {
		texts := map[string]string{}
		if err := json.Unmarshal(data, &texts); err != nil {
			return nil, err
		}
		s.texts[strings.TrimSuffix(path.Base(name), ".json")] = texts
		return forWidget(texts), nil
	})
	if err != nil {
		panic("static: " + err.Error())
	}
	return s
})

// Prefix is the path under which the files are served, without a slash at its
// end. It names their content: what was fetched under it never changes.
func Prefix() string { return "/static/" + site().Hash() }

// Open gives a file as it is served, by its path below [Prefix], such as
// "widget/chat.js". Only the embedded files are there: a path that leads
// elsewhere is not found.
func Open(name string) (f File, ok bool) { return site().Open(name) }

// Launcher is the script that websites embed, for /widget.js.
var Launcher = sync.OnceValue(func() File {
	labels := map[string]string{}
	for lang, texts := range site().texts {
		labels[lang] = texts["widget.launcher.open"]
	}
	filled, err := json.Marshal(labels)
	if err != nil {
		panic("static: " + err.Error())
	}
	script, _ := Open("widget/launcher.js")
	return NewFile([]byte(strings.NewReplacer(
		`"__LABELS__"`, string(filled),
		"__ASSETS__", Prefix(),
	).Replace(string(script.Data))), script.ContentType)
})

// Texts are the words by language and key. The maps are shared and must not be
// changed.
func Texts() map[string]map[string]string { return site().texts }

// forWidget is a language as the widget fetches it: its own keys, unprefixed.
func forWidget(texts map[string]string) []byte {
	own := map[string]string{}
	for key, text := range texts {
		if short, ok := strings.CutPrefix(key, widgetKeys); ok {
			own[short] = text
		}
	}
	data, err := json.Marshal(own)
	if err != nil {
		panic("static: " + err.Error())
	}
	return data
}

// minified is a module without what only people read. Names that other modules
// see stay as they are.
func minified(module []byte) ([]byte, error) {
	out := api.Transform(string(module), api.TransformOptions{
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		Target: api.ES2022, LegalComments: api.LegalCommentsNone, Charset: api.CharsetUTF8,
	})
	if len(out.Errors) > 0 {
		return nil, errors.New(out.Errors[0].Text)
	}
	return out.Code, nil
}

// compressed is data as a browser that accepts gzip gets it.
func compressed(data []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // fails for an unknown level only
	_, _ = w.Write(data)                                    // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
