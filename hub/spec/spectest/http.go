package spectest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/bellhub/bellhub/hub/spec"
)

// API is the OpenAPI document.
type API struct {
	doc     *openapi3.T
	router  routers.Router
	plugins map[string]string // who answers what has a tag; empty: the server itself
}

// HTTP reads the document. What is wrong with it fails the test: also an
// operation that has not just one tag, or one that is not described.
func HTTP(t testing.TB) *API {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(spec.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := &API{doc: doc, plugins: map[string]string{}}
	for _, tag := range doc.Tags {
		a.plugins[tag.Name], _ = tag.Extensions["x-plugin"].(string)
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if len(operation.Tags) != 1 {
				t.Fatalf("%s %s has the tags %q, want one", method, path, operation.Tags)
			}
			if _, described := a.plugins[operation.Tags[0]]; !described {
				t.Errorf("%s %s: the tag %s is not described", method, path, operation.Tags[0])
			}
		}
	}
	// Tests reach the server wherever it listens, and the router has to be told
	// that a file's name has slashes.
	anywhere := *doc
	anywhere.Servers, anywhere.Paths = nil, openapi3.NewPaths()
	for path, item := range doc.Paths.Map() {
		anywhere.Paths.Set(strings.Replace(path, "{file}", "{file:.+}", 1), item)
	}
	if a.router, err = gorillamux.NewRouter(&anywhere); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"text/html", "text/css", "text/javascript", "image/svg+xml", spec.MediaType} {
		openapi3filter.RegisterBodyDecoder(kind, openapi3filter.PlainBodyDecoder)
	}
	return a
}

// Operations tells the method and path of what is described, as in
// "GET /console", and the plugin that answers: the one that the operation's tag
// names (x-plugin), or none.
func (a *API) Operations() map[string]string {
	all := map[string]string{}
	for path, item := range a.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			all[method+" "+path] = a.plugins[operation.Tags[0]]
		}
	}
	return all
}

// Transport answers as next does, and fails the test where an answer is not as
// described: its status, its media type, its headers. has tells the plugins that
// the program has: where one is missing, nothing may answer for it.
func (a *API) Transport(t testing.TB, next http.RoundTripper, has func(plugin string) bool) http.RoundTripper {
	return transport{t, a, next, has}
}

type transport struct {
	t    testing.TB
	api  *API
	next http.RoundTripper
	has  func(plugin string) bool
}

func (c transport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if err := c.api.check(r, resp, body, c.has); err != nil {
		c.t.Errorf("%s %s: %d %s: %v", r.Method, r.URL.Path, resp.StatusCode, resp.Header.Get("Content-Type"), err)
	}
	return resp, nil
}

// CloseIdleConnections is for http.Client's method of that name.
func (c transport) CloseIdleConnections() { (&http.Client{Transport: c.next}).CloseIdleConnections() }

func (a *API) check(r *http.Request, resp *http.Response, body []byte, has func(plugin string) bool) error {
	route, params, err := a.router.FindRoute(r)
	if err != nil {
		if resp.StatusCode == http.StatusNotFound { // nothing is there, and nothing is described
			return nil
		}
		return fmt.Errorf("not described: %w", err)
	}
	if plugin := a.plugins[route.Operation.Tags[0]]; plugin != "" && !has(plugin) {
		if resp.StatusCode == http.StatusNotFound {
			return nil
		}
		return fmt.Errorf("answered without the plugin %s", plugin)
	}
	return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 resp.StatusCode,
		Header:                 resp.Header,
		Body:                   io.NopCloser(bytes.NewReader(body)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true},
	})
}
