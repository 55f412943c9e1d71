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
	doc    *openapi3.T
	router routers.Router
}

// HTTP reads the document. What is wrong with it fails the test.
func HTTP(t testing.TB) *API {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(spec.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := &API{doc: doc}
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
// names (x-plugin), or none. An operation has one tag, which is described too.
func (a *API) Operations(t testing.TB) map[string]string {
	t.Helper()
	plugins := map[string]string{} // by tag
	for _, tag := range a.doc.Tags {
		plugins[tag.Name], _ = tag.Extensions["x-plugin"].(string)
	}
	all := map[string]string{}
	for path, item := range a.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if len(operation.Tags) != 1 {
				t.Errorf("%s %s has the tags %q, want one", method, path, operation.Tags)
				continue
			}
			plugin, described := plugins[operation.Tags[0]]
			if !described {
				t.Errorf("%s %s: the tag %s is not described", method, path, operation.Tags[0])
			}
			all[method+" "+path] = plugin
		}
	}
	return all
}

// Transport answers as next does, and fails the test where an answer is not as
// described: its status, its media type, its headers.
func (a *API) Transport(t testing.TB, next http.RoundTripper) http.RoundTripper {
	return transport{t, a, next}
}

type transport struct {
	t    testing.TB
	api  *API
	next http.RoundTripper
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
	if err := c.api.check(r, resp, body); err != nil {
		c.t.Errorf("%s %s: %d %s: %v", r.Method, r.URL.Path, resp.StatusCode, resp.Header.Get("Content-Type"), err)
	}
	return resp, nil
}

// CloseIdleConnections is for http.Client's method of that name.
func (c transport) CloseIdleConnections() { (&http.Client{Transport: c.next}).CloseIdleConnections() }

func (a *API) check(r *http.Request, resp *http.Response, body []byte) error {
	route, params, err := a.router.FindRoute(r)
	if err != nil {
		if resp.StatusCode == http.StatusNotFound { // nothing is there, and nothing is described
			return nil
		}
		return fmt.Errorf("not described: %w", err)
	}
	return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 resp.StatusCode,
		Header:                 resp.Header,
		Body:                   io.NopCloser(bytes.NewReader(body)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true},
	})
}
