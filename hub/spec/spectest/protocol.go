// Package spectest holds code to the documents of package spec, for tests.
//
// [Open] reads the AsyncAPI document. A [Dialogue] checks the frames of one
// connection against it, both what they hold and what answers what,
// [Protocol.Check] one frame of the server's, and [Protocol.Unseen] then tells
// what no test has seen. [Protocol.Type] compares a
// wire type with its schema, field by field, and [Protocol.Table] and
// [Protocol.Enum] give the lists that are there for people and for machines.
//
// [HTTP] reads the OpenAPI document; its transport checks the answers of a
// running server.
package spectest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oasdiff/yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bellhub/bellhub/hub/spec"
)

// Protocol is the AsyncAPI document.
type Protocol struct {
	doc        document
	schemas    *jsonschema.Compiler
	messages   map[string]*message
	operations map[string]operation

	mu   sync.Mutex
	seen map[string]bool
}

// document is the part of AsyncAPI that Bellhub's has.
type document struct {
	Info struct {
		Description string `json:"description"`
	} `json:"info"`
	Operations map[string]struct {
		Action   string
		Summary  string
		Messages []ref
		Reply    struct{ Messages []ref }
	} `json:"operations"`
	Components struct {
		Messages map[string]struct {
			Name     string
			Examples []struct{ Payload json.RawMessage }
		} `json:"messages"`
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

type ref struct {
	Ref string `json:"$ref"`
}

func (r ref) name() string { return path.Base(r.Ref) }

// message is a frame with its schema.
type message struct {
	name     string // on the wire
	payload  *jsonschema.Schema
	examples []json.RawMessage
}

// operation is what a client may send, or the server unasked.
type operation struct {
	receive  bool // by the server
	summary  string
	messages []string
	replies  []string
}

const address = "asyncapi.yaml"

// Open reads the document. What is wrong with it fails the test.
func Open(t testing.TB) *Protocol {
	t.Helper()
	raw, err := yaml.YAMLToJSON(spec.AsyncAPI())
	if err != nil {
		t.Fatal(err)
	}
	p := &Protocol{messages: map[string]*message{}, operations: map[string]operation{}, seen: map[string]bool{}}
	if err := json.Unmarshal(raw, &p.doc); err != nil {
		t.Fatal(err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	p.schemas = jsonschema.NewCompiler()
	p.schemas.DefaultDraft(jsonschema.Draft7) // AsyncAPI's own dialect is a superset of it
	p.schemas.AssertFormat()
	if err := p.schemas.AddResource(address, whole); err != nil {
		t.Fatal(err)
	}
	for key, m := range p.doc.Components.Messages {
		payload, err := p.schemas.Compile(address + "#/components/messages/" + key + "/payload")
		if err != nil {
			t.Fatal(err)
		}
		made := &message{name: m.Name, payload: payload}
		for _, e := range m.Examples {
			made.examples = append(made.examples, e.Payload)
		}
		p.messages[key] = made
	}
	for key, o := range p.doc.Operations {
		p.operations[key] = operation{o.Action == "receive", o.Summary, names(o.Messages), names(o.Reply.Messages)}
	}
	return p
}

func names(refs []ref) []string {
	var all []string
	for _, r := range refs {
		all = append(all, r.name())
	}
	return all
}

// Examples checks every example, and that there is one of each message and an
// operation that each belongs to.
func (p *Protocol) Examples(t testing.TB) {
	t.Helper()
	for key, m := range p.messages {
		if len(m.examples) == 0 {
			t.Errorf("%s has no example", key)
		}
		for _, e := range m.examples {
			if err := check(m.payload, e); err != nil {
				t.Errorf("the example of %s: %v", key, err)
			}
		}
		used := func(o operation) bool { return slices.Contains(o.messages, key) || slices.Contains(o.replies, key) }
		if !slices.ContainsFunc(slices.Collect(maps.Values(p.operations)), used) {
			t.Errorf("%s is in no operation", key)
		}
	}
}

// Unseen names the messages, and the types of events, that no Dialogue has had.
func (p *Protocol) Unseen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	wanted := slices.Collect(maps.Keys(p.messages))
	for _, typ := range p.Enum("event", "type") {
		wanted = append(wanted, "event "+typ)
	}
	wanted = slices.DeleteFunc(wanted, func(what string) bool { return p.seen[what] })
	slices.Sort(wanted)
	return wanted
}

// Receives lists the types of frames that visitors, or admins, may send once
// they are in: those of the operations whose summary names them.
func (p *Protocol) Receives(who string) []string {
	var all []string
	for _, o := range p.operations {
		if o.receive && strings.Contains(strings.ToLower(o.summary), who) {
			all = append(all, p.messages[o.messages[0]].name)
		}
	}
	slices.Sort(all)
	return all
}

// Table returns the rows of the table in the description whose first column is
// called so. Backquotes are dropped.
func (p *Protocol) Table(first string) [][]string {
	var rows [][]string
	inside := false
	for line := range strings.Lines(p.doc.Info.Description) {
		line = strings.ReplaceAll(strings.TrimSpace(line), "`", "")
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case !strings.HasPrefix(line, "|"):
			inside = false
		case cells[0] == first:
			inside = true
		case inside && !strings.HasPrefix(cells[0], "---"):
			rows = append(rows, cells)
		}
	}
	return rows
}

// A Dialogue is one connection's frames.
type Dialogue struct {
	p     *Protocol
	asked map[string][]string // by id: the messages that may answer
}

// Dialogue begins to follow a connection.
func (p *Protocol) Dialogue() *Dialogue { return &Dialogue{p, map[string][]string{}} }

// Sent checks a frame of the client's.
func (d *Dialogue) Sent(raw []byte) error {
	var f struct{ Type, ID string }
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	for _, o := range d.p.operations {
		if o.receive && d.p.messages[o.messages[0]].name == f.Type {
			d.asked[f.ID] = append(d.asked[f.ID], o.replies...)
			return d.p.match(raw, f.Type, o.messages)
		}
	}
	return fmt.Errorf("no client sends %s", raw)
}

// Received checks a frame of the server's: against the operation that it
// answers, or against those that the server begins.
func (d *Dialogue) Received(raw []byte) error {
	var f struct{ Type, ID string }
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	if answers := d.asked[f.ID]; f.ID != "" || f.Type == "error" {
		return d.p.match(raw, f.Type, answers)
	}
	var unasked []string
	for _, o := range d.p.operations {
		if !o.receive {
			unasked = append(unasked, o.messages...)
		}
	}
	return d.p.match(raw, f.Type, unasked)
}

// Check checks a frame of the server's by itself, whatever it answers.
func (p *Protocol) Check(raw []byte) error {
	var f struct{ Type string }
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	var sent []string
	for _, o := range p.operations {
		if sent = append(sent, o.replies...); !o.receive {
			sent = append(sent, o.messages...)
		}
	}
	return p.match(raw, f.Type, sent)
}

// match finds the message among some that a frame is.
func (p *Protocol) match(raw []byte, typ string, among []string) error {
	err := fmt.Errorf("%s is not expected here", typ)
	for _, key := range among {
		m := p.messages[key]
		if m.name != typ {
			continue
		}
		if err = check(m.payload, raw); err == nil {
			p.note(key, raw)
			return nil
		}
	}
	return fmt.Errorf("%s: %w", raw, err)
}

func (p *Protocol) note(key string, raw []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[key] = true
	var e struct{ Data struct{ Type string } }
	if key == "event" && json.Unmarshal(raw, &e) == nil {
		p.seen["event "+e.Data.Type] = true
	}
}

func check(s *jsonschema.Schema, raw []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return s.Validate(v)
}
