package story

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bellhub/bellhub/static"
)

// The client that the widget and the console share, as it is served, in a
// browser whose clock and sockets belong to the test: testdata/socket.js tells
// the stories.
func TestTheClient(t *testing.T) {
	ours := http.FileServer(http.Dir("testdata"))
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		switch file, ok := static.Open(name); {
		case ok:
			w.Header().Set("Content-Type", file.ContentType)
			_, _ = w.Write(file.Data)
		case name == "frame":
			_, _ = io.WriteString(w, `<!doctype html><script type="module" src="/socket.js"></script>`)
		case name == "":
			_, _ = io.WriteString(w, `<!doctype html><iframe src="/frame"></iframe>`)
		default:
			ours.ServeHTTP(w, r)
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
