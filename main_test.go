package main

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellhub/bellhub/hub"
	"github.com/bellhub/bellhub/hub/hubtest/process"
	"github.com/bellhub/bellhub/hub/spec/spectest"
)

// TestTheWholeProgram runs it on a port of its own.
func TestTheWholeProgram(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	out := process.NewOutput()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-addr", "127.0.0.1:0", "-data", dir, "-log-level", "error"}, out, out)
	}()
	address := regexp.MustCompile(`Bellhub runs at (\S+), in development\.(?s:.*)Data is in `)
	present := func(id string) bool { return has(plugins(), id) }
	var base string
	for base == "" {
		select {
		case <-out.Grew():
			if m := address.FindStringSubmatch(out.String()); m != nil {
				base = m[1]
			}
		case err := <-ended:
			t.Fatalf("%v\n%s", err, out)
		case <-time.After(time.Minute):
			t.Fatalf("no banner\n%s", out)
		}
	}
	described := spectest.HTTP(t)
	owners := described.Operations()
	client := &http.Client{Timeout: 10 * time.Second, Transport: described.Transport(t, http.DefaultTransport, present)}
	for _, tt := range []struct {
		path, want string
		status     int // where there is the plugin whose page it is
	}{
		{"/healthz", "ok", 200},
		{"/readyz", "ready", 200},
		{"/metrics", "bellhub_connections 0", 200},
		{"/demo", `data-domain="demo"`, 200},
		{"/widget.js", "bellhub", 200},
		{"/console", "", 401},
		{"/mailbox", "", 401},
		{"/join/nope", "", 404},
		{"/console/sign-in/nope", "", 404},
		{"/ws", "", 426},
		{"/static/../main.go", "", 404},
		{"/static/%2e%2e/main.go", "", 404},
		{"/webhooks/mailgun", "", 404},
		{"/asyncapi.yaml", "bellhub.v1", 200},
		{"/openapi.yaml", "openapi: 3.1", 200},
		{"/nope", "", 404},
	} {
		resp, err := client.Get(base + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if owner := owners["GET "+tt.path]; owner != "" && !present(owner) {
			tt.status, tt.want = 404, ""
		}
		if err != nil || resp.StatusCode != tt.status || !strings.Contains(string(body), tt.want) {
			t.Errorf("GET %s: %d %.200s, %v", tt.path, resp.StatusCode, body, err)
		}
	}
	client.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}

	// The commands work on what is there.
	for _, tt := range []struct {
		args []string
		want string // in the output, or of the error
	}{
		{[]string{"migrate"}, "up to date"},
		{[]string{"domain", "add", "Two", "-key", "two", "-origin", "two.example"}, `data-domain="two"`},
		{[]string{"domain", "add", "Two", "-key", "two"}, "taken"},
		{[]string{"domain", "add", "Three", "-origin", "*"}, "-origin"},
		{[]string{"admin", "link", "ana@two.example", "-domain", "two"}, "/console/sign-in/"},
		{[]string{"admin", "link", "Ana <ana@two.example>"}, "EMAIL"},
		{[]string{"admin", "link", "ana@two.example", "-domain", "nope"}, "nope"},
		{[]string{"bench", base, "-key", "demo"}, "nothing could be measured"}, // it has stopped
		{[]string{"bench", base}, "-key"},
		{[]string{"bench", base, "-h"}, "-connections n"},
		{[]string{"bench", "-h"}, "-connections n"},
		{[]string{"bench", "--help"}, "-connections n"},
		{[]string{"domain", "add", "-h"}, "-origin"},
		{[]string{"plugin", "new", plugins()[0].ID()}, "taken"},
		{[]string{"plugin", "new"}, "NAME is missing"},
		{[]string{"plugin", "new", "-h"}, "plugins/README.md"},
		{[]string{"version"}, "bellhub "},
		{[]string{"frobnicate"}, "no command"},
		{[]string{"serve", "-frobnicate"}, "frobnicate"},
	} {
		var out bytes.Buffer
		args := tt.args
		if tt.want != "bellhub " && tt.want != "no command" {
			args = append(slices.Clone(args), "-data", dir)
		}
		err := run(context.Background(), args, &out, &out)
		if err != nil {
			out.WriteString(err.Error())
		}
		if !strings.Contains(out.String(), tt.want) {
			t.Errorf("bellhub %s: %s", strings.Join(tt.args, " "), out.String())
		}
	}
}

// TestEveryRouteIsDescribed compares what the whole program serves with the
// OpenAPI document, both ways; and what it serves without each plugin, so that
// the document says truly whose a route is.
func TestEveryRouteIsDescribed(t *testing.T) {
	described := spectest.HTTP(t).Operations()
	without := []string{""}
	for _, plugin := range plugins() {
		without = append(without, plugin.ID())
	}
	for _, id := range without {
		t.Run("without "+cmp.Or(id, "nothing"), func(t *testing.T) {
			rest := slices.DeleteFunc(plugins(), func(p hub.Plugin) bool { return p.ID() == id })
			served := routes(t, rest)
			for _, route := range served {
				if owner, ok := described[route]; !ok {
					t.Errorf("%s is not described in hub/spec/openapi", route)
				} else if owner != "" && !has(rest, owner) {
					t.Errorf("%s is served without the plugin %s, whose it is by its tag", route, owner)
				}
			}
			for route, owner := range described {
				if (owner == "" || has(rest, owner)) && !slices.Contains(served, route) {
					t.Errorf("%s is described, but nothing serves it", route)
				}
			}
		})
	}
}

func has(all []hub.Plugin, id string) bool {
	return slices.ContainsFunc(all, func(p hub.Plugin) bool { return p.ID() == id })
}

// routes lists what a program of these plugins serves, as the OpenAPI document
// writes it. What is below /plugins is each plugin's own to describe.
func routes(t *testing.T, plugins []hub.Plugin) []string {
	t.Helper()
	p := program{stdout: io.Discard, stderr: io.Discard, plugins: plugins}
	if err := p.configure("serve", []string{"-data", t.TempDir(), "-log-level", "error"}, nil); err != nil {
		t.Fatal(err)
	}
	ctx, err := p.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer p.store.Close()
	h, s, err := p.assemble(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close(ctx)
	defer s.Stop(ctx)
	var served []string
	parameter := regexp.MustCompile(`:(\w+)`)
	for _, route := range s.Routes() {
		method, path, _ := strings.Cut(route, " ")
		switch {
		case method == "HEAD": // goes with GET
		case path == "/ws" && method != "GET": // answers 405 itself
		case strings.HasPrefix(path, "/plugins/"):
		case strings.HasPrefix(path, "/static/") && strings.HasSuffix(path, "/*"): // the product's files, and each plugin's
			served = append(served, method+" /static/{hash}/{file}")
		default:
			served = append(served, method+" "+parameter.ReplaceAllString(path, "{$1}"))
		}
	}
	return served
}
