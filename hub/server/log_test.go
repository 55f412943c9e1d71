package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bellhub/bellhub/hub"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// of lists the lines about a request.
func (l *lines) of(t *testing.T, id string) (all []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, text := range strings.Split(strings.TrimSpace(l.b.String()), "\n") {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if line["request"] == id {
			all = append(all, line)
		}
	}
	return all
}

// Every request has a line with its id, and those that failed are seen at the
// usual level.
func TestTheAccessLog(t *testing.T) {
	log := &lines{}
	s := serve(t, func(o *Options) {
		o.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	get := func(path string) string {
		resp, err := http.Get("http://" + s.addr + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.Header.Get("X-Request-Id")
	}
	defer http.DefaultClient.CloseIdleConnections()
	for _, tt := range []struct {
		path, route string
		status      float64
		level       string
		more        []string // lines before the access log's
	}{
		{"/who?token=secret", "/who", 200, "DEBUG", nil},
		{"/held", "/held", 409, "DEBUG", nil},
		{"/broken", "/broken", 500, "INFO", []string{"request failed"}},
		{"/panic", "/panic", 500, "INFO", []string{"request panicked", "request failed"}},
		{"/secret", "/", 404, "DEBUG", nil},
	} {
		id := get(tt.path)
		all := log.of(t, id)
		var messages []string
		for _, line := range all {
			messages = append(messages, line["msg"].(string))
		}
		if !slices.Equal(messages, append(tt.more, "request")) {
			t.Errorf("%s: %v", tt.path, messages)
			continue
		}
		line := all[len(all)-1]
		if line["route"] != tt.route || line["status"] != tt.status || line["level"] != tt.level || line["method"] != "GET" || line["took"].(float64) <= 0 {
			t.Errorf("%s: %v", tt.path, line)
		}
		if tt.more == nil && strings.Contains(fmt.Sprint(all), "secret") {
			t.Errorf("%s: %v", tt.path, all)
		}
	}
}

// A request's id is the server's own, unless a proxy that it trusts has one.
func TestRequestIDs(t *testing.T) {
	const given = "7f3c-from.the_proxy:1"
	for _, tt := range []struct {
		name, given string
		trusted     bool
		taken       bool
	}{
		{"nobody's", "", true, false},
		{"a trusted proxy's", given, true, true},
		{"a stranger's", given, false, false},
		{"one that would forge a line", "1 level=ERROR msg=x", true, false},
		{"one that is too long", strings.Repeat("x", 65), true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(o *Options) {
				if tt.trusted {
					o.TrustedProxies = hub.Networks{netip.MustParsePrefix("127.0.0.0/8")}
				}
			})
			r, err := http.NewRequest(http.MethodGet, "http://"+s.addr+"/who", nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.given != "" {
				r.Header.Set("X-Request-ID", tt.given)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			defer http.DefaultClient.CloseIdleConnections()
			got := resp.Header.Get("X-Request-ID")
			if (got == given) != tt.taken || len(got) < 8 || strings.Contains(got, " ") {
				t.Errorf("the id is %q", got)
			}
		})
	}
}
