package story

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/static"
)

// The client that the widget and the console share, as it is served, in a
// browser whose clock and sockets belong to the test: testdata/socket.js tells
// the stories.
func TestTheClient(t *testing.T) {
	stories, err := os.ReadFile("testdata/socket.js")
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		switch file, ok := static.Open(name); {
		case ok:
			w.Header().Set("Content-Type", file.ContentType)
			_, _ = w.Write(file.Data)
		case name == "stories.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(stories)
		case name == "frame":
			_, _ = io.WriteString(w, `<!doctype html><script type="module" src="/stories.js"></script>`)
		case name == "":
			_, _ = io.WriteString(w, `<!doctype html><iframe src="/frame"></iframe>`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer site.Close()
	p := screen{name: "client", width: 800, height: 600}.open(t, "client", site.URL)
	p.until("the stories", "window.results")
	for name, fault := range eval[map[string]string](p, "window.results") {
		t.Run(name, func(t *testing.T) {
			if fault != "" {
				t.Error(fault)
			}
		})
	}
	p.clean()
}
