package spec_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/oasdiff/yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bellhub/bellhub/hub/spec"
	"github.com/bellhub/bellhub/hub/spec/spectest"
)

// TestTheDocumentsAreWellFormed holds AsyncAPI's to its official schema, which
// make deps has fetched, and OpenAPI's to what its library knows.
func TestTheDocumentsAreWellFormed(t *testing.T) {
	raw, err := yaml.YAMLToJSON(spec.AsyncAPI())
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	official, err := os.ReadFile("../../.cache/npm/node_modules/@asyncapi/specs/schemas/3.1.0.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("AsyncAPI's schema is not installed, run make deps: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(official))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("asyncapi.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(document); err != nil {
		t.Error(err)
	}
	spectest.Open(t).Examples(t)
	spectest.HTTP(t)
}
