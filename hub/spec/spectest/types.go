package spectest

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	reflected "github.com/invopop/jsonschema"
)

// schema is the part of JSON Schema that wire types need.
type schema struct {
	Ref        string             `json:"$ref"`
	Type       string             `json:"type"`
	Enum       []any              `json:"enum"`
	Const      any                `json:"const"`
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
	OneOf      []*schema          `json:"oneOf"`
}

// resolve follows a reference, and takes what is nullable for what it is
// otherwise.
func (p *Protocol) resolve(s *schema) *schema {
	if s.Ref != "" {
		return p.resolve(p.doc.Components.Schemas[ref{s.Ref}.name()])
	}
	if len(s.OneOf) == 2 && s.OneOf[1].Type == "null" {
		return p.resolve(s.OneOf[0])
	}
	return s
}

// Enum lists the words that a schema, or the property of one that the path
// names, may be.
func (p *Protocol) Enum(name string, property ...string) []string {
	s := p.resolve(p.doc.Components.Schemas[name])
	for _, field := range property {
		s = p.resolve(s.Properties[field])
	}
	var all []string
	for _, v := range s.Enum {
		all = append(all, fmt.Sprint(v))
	}
	return all
}

// Fields lists the fields of a schema.
func (p *Protocol) Fields(name string) []string {
	return keys(p.merge(p.doc.Components.Schemas[name]).Properties)
}

// Direction says who sends a type.
type Direction bool

// A client may leave out whatever its document does not require; the server
// sends every field that Go does not omit.
const (
	FromClient Direction = false
	FromServer Direction = true
)

// Type compares a Go type with the schemas that describe it: the fields, their
// types, and, where the server sends it, which are always there. Several
// schemas are variants of the type.
func (p *Protocol) Type(t testing.TB, v any, from Direction, schemas ...string) {
	t.Helper()
	r := reflected.Reflector{DoNotReference: true, Anonymous: true, Mapper: func(t reflect.Type) *reflected.Schema {
		if t == reflect.TypeFor[json.RawMessage]() {
			return &reflected.Schema{Type: "object"} // what the protocol holds in one
		}
		return nil
	}}
	b, err := json.Marshal(r.Reflect(v))
	if err != nil {
		t.Fatal(err)
	}
	var got schema
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want := &schema{}
	for _, name := range schemas {
		s := p.doc.Components.Schemas[name]
		if s == nil {
			t.Errorf("%T: there is no schema %s", v, name)
			return
		}
		want.OneOf = append(want.OneOf, s)
	}
	p.compare(t, fmt.Sprintf("%T", v), &got, p.merge(want), from)
}

// merge makes one object of an object's variants: it has what any of them has,
// and always what all have.
func (p *Protocol) merge(s *schema) *schema {
	s = p.resolve(s)
	merged := &schema{Type: s.kind(), Properties: maps.Clone(s.Properties), Required: s.Required, Items: s.Items}
	if merged.Properties == nil {
		merged.Properties = map[string]*schema{}
	}
	for i, variant := range s.OneOf {
		variant = p.merge(variant)
		if variant.Type == "" { // it narrows what is there already
			continue
		}
		merged.Type = variant.Type
		for name, field := range variant.Properties {
			if other := merged.Properties[name]; other == nil || p.resolve(other).Items == nil {
				merged.Properties[name] = field
			}
		}
		sometimes := func(name string) bool { return !slices.Contains(variant.Required, name) }
		if i == 0 {
			merged.Required = variant.Required
		} else {
			merged.Required = slices.DeleteFunc(slices.Clone(merged.Required), sometimes)
		}
	}
	return merged
}

func (p *Protocol) compare(t testing.TB, at string, got, want *schema, from Direction) {
	t.Helper()
	want = p.merge(want)
	if got.Type != want.Type {
		t.Errorf("%s is %q, described as %q", at, got.Type, want.Type)
		return
	}
	if got.Type == "array" && want.Items != nil {
		p.compare(t, at+"[]", got.Items, p.resolve(want.Items), from)
	}
	if len(got.Properties) == 0 { // any object
		return
	}
	if a, b := keys(got.Properties), keys(want.Properties); !slices.Equal(a, b) {
		t.Errorf("%s has the fields %v, described are %v", at, a, b)
		return
	}
	if a, b := sorted(got.Required), sorted(want.Required); from == FromServer && !slices.Equal(a, b) {
		t.Errorf("%s always has %v, described as %v", at, a, b)
	}
	for name, field := range got.Properties {
		p.compare(t, at+"."+name, field, p.resolve(want.Properties[name]), from)
	}
}

// kind is a schema's type, which an enumeration does not spell out.
func (s *schema) kind() string {
	v := s.Const
	if len(s.Enum) > 0 {
		v = s.Enum[0]
	}
	switch v.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "integer"
	}
	return s.Type
}

func keys(m map[string]*schema) []string { return slices.Sorted(maps.Keys(m)) }

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// Constants reads the values of constants from a Go file: of a type, or, where
// that is empty, untyped ones whose names begin so. A list in a document is
// complete only if it is compared with all of them.
func Constants(t testing.TB, file, typ, prefix string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, decl := range parsed.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, s := range group.Specs {
			c := s.(*ast.ValueSpec)
			name, _ := c.Type.(*ast.Ident)
			literal, isLiteral := c.Values[0].(*ast.BasicLit)
			if !isLiteral || (name != nil) != (typ != "") || name != nil && name.Name != typ || !strings.HasPrefix(c.Names[0].Name, prefix) {
				continue
			}
			value := literal.Value
			if text, err := strconv.Unquote(value); err == nil {
				value = text
			}
			values = append(values, value)
		}
	}
	return values
}
