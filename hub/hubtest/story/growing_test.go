package story

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A room that was empty when it was read, and grew before the welcome left: the
// welcome says so by the room's number, and the event itself follows. It is
// shown.
func TestARoomGrowsWhileItIsEntered(t *testing.T) {
	const page = `<!doctype html><script type="module">
		import { Socket } from "/socket.js";
		window.shown = [];
		window.WebSocket = class {
			constructor() { queueMicrotask(() => this.onopen()); }
			send(text) {
				const { type, id } = JSON.parse(text);
				if (type !== "hello") return;
				const say = (frame) => this.onmessage({ data: JSON.stringify(frame) });
				say({ type: "welcome", id, data: { room: { id: "r", seq: 1 }, you: {}, events: [], more: false, frames: [] } });
				setTimeout(() => { // a message is a task of its own
					say({ type: "event", data: { seq: 1, type: "message", text: "hello" } });
					window.done = true;
				});
			}
			close() {}
		};
		const socket = new Socket({ url: "ws://nowhere", hello: () => ({}) });
		socket.on("welcome", ({ events }) => shown.push(...events.map((e) => e.seq)));
		socket.on("event", (event) => shown.push(event.seq));
		socket.open();
	</script>`
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/socket.js" {
			http.ServeFile(w, r, "../../../static/shared/socket.js")
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, page)
	}))
	defer site.Close()
	visitor := screen{name: "growing", width: 1280, height: 800}.open(t, "visitor", site.URL)
	visitor.until("the events", `window.done`)
	if shown := eval[[]int](visitor, `window.shown`); len(shown) != 1 || shown[0] != 1 {
		t.Errorf("shown are %v, want event 1", shown)
	}
	visitor.clean()
}
