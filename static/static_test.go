package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"path"
	"regexp"
	"strings"
	"testing"
)

func TestOpenServesModules(t *testing.T) {
	f, ok := Open("widget/chat.js")
	if !ok || f.ContentType != "text/javascript; charset=utf-8" || !bytes.Contains(f.Data, []byte("customElements.define")) {
		t.Fatalf("widget/chat.js: %t %q, %d bytes", ok, f.ContentType, len(f.Data))
	}
	r, err := gzip.NewReader(bytes.NewReader(f.Gzip))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(r); err != nil || !bytes.Equal(plain, f.Data) {
		t.Errorf("what is compressed differs: %v", err)
	}
	for _, name := range []string{"", ".", "/widget/chat.js", "../static.go", "widget/../widget/chat.js", "static.go", "widget", "shared/protocol.d.ts"} {
		if _, ok := Open(name); ok {
			t.Errorf("%q is served", name)
		}
	}
}

func TestLauncherIsFilledIn(t *testing.T) {
	script := string(Launcher().Data)
	for _, want := range []string{Prefix() + "/widget/chat.js", `"en":"Open chat"`, `"id":"Buka obrolan"`} {
		if !strings.Contains(script, want) {
			t.Errorf("the launcher has no %s", want)
		}
	}
	if left := regexp.MustCompile(`__[A-Z]+__`).FindString(script); left != "" {
		t.Errorf("the launcher still has %s", left)
	}
}

func TestLanguagesHaveTheSameKeys(t *testing.T) {
	placeholders := regexp.MustCompile(`\{\w+\}`)
	english := Texts()["en"]
	if len(english) == 0 {
		t.Fatal("there is no English")
	}
	for lang, texts := range Texts() {
		for key := range texts {
			if _, ok := english[key]; !ok {
				t.Errorf("%s has %q, English has not", lang, key)
			}
		}
		for key, text := range english {
			other, ok := texts[key]
			if !ok || other == "" {
				t.Errorf("%s lacks %q", lang, key)
			}
			// A language may leave a value out, but not name one that nobody gives.
			for _, name := range placeholders.FindAllString(other, -1) {
				if !strings.Contains(text, name) {
					t.Errorf("%s: %q has %s, English has not", lang, key, name)
				}
			}
		}
	}
}

func TestWidgetTextsAreUsedAndExist(t *testing.T) {
	var code strings.Builder
	for name := range site().files {
		if strings.HasPrefix(name, "widget/") { // as written: minifying renames t
			source, err := files.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(source)
		}
	}
	for key := range Texts()["en"] {
		short, ok := strings.CutPrefix(key, widgetKeys)
		if ok && !strings.Contains(code.String(), `"`+short+`"`) && !strings.Contains(code.String(), short+":") {
			t.Errorf("nothing says %q", key)
		}
	}
	for _, m := range regexp.MustCompile(`\bt\("([\w.]+)"`).FindAllStringSubmatch(code.String(), -1) {
		if Texts()["en"][widgetKeys+m[1]] == "" {
			t.Errorf("the widget says %q, which has no words", m[1])
		}
	}
}

// A website pays for the widget with its visitors' time. The sizes are those of
// the single files, compressed, as they cross the wire.
func TestSizeBudget(t *testing.T) {
	const launcherMost, allMost = 3 << 10, 20 << 10
	launcher := len(Launcher().Gzip)
	if launcher > launcherMost {
		t.Errorf("the launcher is %d bytes, more than %d", launcher, launcherMost)
	}
	all, words := launcher, 0
	for name, a := range site().files {
		size := len(a.Gzip)
		switch dir := path.Dir(name); {
		case name == "widget/launcher.js":
		case dir == "i18n":
			words = max(words, size)
		case dir == "widget", dir == "shared":
			all += size
		}
	}
	t.Logf("launcher %d, all %d, of it words %d", launcher, all+words, words)
	if all+words > allMost {
		t.Errorf("the widget is %d bytes, more than %d", all+words, allMost)
	}
}

// Markup becomes nodes in one place of the widget and one of the console, which
// only the server's sanitised HTML reaches; nothing makes code of text, and no
// style is inline.
func TestNoMarkupFromText(t *testing.T) {
	markup := regexp.MustCompile(`innerHTML`)
	never := regexp.MustCompile(`\b(eval|Function)\(|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|setAttribute\("style"|<style`)
	places := map[string]int{}
	for name, a := range site().files {
		if path.Ext(name) != ".js" {
			continue
		}
		if found := never.FindAll(a.Data, -1); found != nil {
			t.Errorf("%s: %q", name, found)
		}
		places[path.Dir(name)] += len(markup.FindAll(a.Data, -1))
	}
	if places["widget"] != 1 || places["console"] > 1 || places["shared"] > 0 {
		t.Errorf("innerHTML by folder: %v", places)
	}
}
