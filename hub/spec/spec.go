// Package spec describes to client developers, and to their tools, what a
// Bellhub server understands: the WebSocket protocol as an AsyncAPI document,
// the HTTP API as an OpenAPI one. The server gives both to whoever asks.
//
// They are written by hand, because prose is most of what makes them useful, and
// held to the code by tests: the wire types to the schemas, the codes and the
// limits to the lists, the frames and the answers of the running program to
// both documents (package spectest), and its routes to the paths.
//
// A document is kept in parts: pieces of text that, joined in the order of their
// names, are one YAML file.
package spec

import (
	"bytes"
	"embed"
	"io/fs"
	"sync"
)

// MediaType is what the documents are (RFC 9512).
const MediaType = "application/yaml"

//go:embed asyncapi/*.yaml openapi/*.yaml
var parts embed.FS

// AsyncAPI returns the description of the WebSocket protocol bellhub.v1. It is
// shared, and must not be changed.
var AsyncAPI = sync.OnceValue(func() []byte { return join("asyncapi") })

// OpenAPI returns the description of the HTTP API. It is shared, and must not be
// changed.
var OpenAPI = sync.OnceValue(func() []byte { return join("openapi") })

// join reads parts that are in the binary: what could go wrong is a
// programmer's error.
func join(name string) []byte {
	names, err := fs.Glob(parts, name+"/*.yaml") // in order
	if err != nil {
		panic("spec: " + err.Error())
	}
	var document bytes.Buffer
	for _, name := range names {
		part, err := parts.ReadFile(name)
		if err != nil {
			panic("spec: " + err.Error())
		}
		document.Write(part)
	}
	return document.Bytes()
}
