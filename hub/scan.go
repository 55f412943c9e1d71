package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"unicode/utf8"
)

var (
	errBadJSON = &Error{Code: CodeBadJSON, Message: "The frame is not one JSON object."}
	errTooDeep = &Error{Code: CodeTooDeep, Message: "The frame is nested too deeply."}
)

// maxKeys bounds the keys of the objects that are open at once, and with them
// the cost of comparing them.
const maxKeys = 64

// scan reads a frame once before it is decoded, for what encoding/json lets
// pass: text that is not UTF-8, a key that stands twice in an object (keys that
// differ by case count as the same, since that is how they would be decoded),
// nesting deeper than maxDepth, and anything after the value.
func scan(data []byte) error {
	if !utf8.Valid(data) {
		return errBadJSON
	}
	var known [maxKeys][]byte
	keys := known[:0]        // of the objects that are open
	var opened [maxDepth]int // for each bracket that is open: how many keys there were; -1 for an array
	depth, key := 0, false   // key: the next string is one
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			if depth == maxDepth {
				return errTooDeep
			}
			if key = data[i] == '{'; key {
				opened[depth] = len(keys)
			} else {
				opened[depth] = -1
			}
			depth++
		case '}', ']':
			if depth == 0 {
				return errBadJSON
			}
			if depth--; opened[depth] >= 0 {
				keys = keys[:opened[depth]]
			}
			key = false
		case ',':
			key = depth > 0 && opened[depth-1] >= 0
		case '"':
			end := stringEnd(data, i)
			if key {
				k := unquote(data[i:end])
				for _, other := range keys[opened[depth-1]:] {
					if bytes.EqualFold(other, k) {
						return errBadJSON
					}
				}
				if len(keys) == maxKeys {
					return errBadJSON
				}
				keys, key = append(keys, k), false
			}
			i = end - 1
		}
	}
	if !json.Valid(data) {
		return errBadJSON
	}
	return nil
}

// stringEnd is the index after the string that begins at i.
func stringEnd(data []byte, i int) int {
	for i++; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

// unquote is what a string literal stands for; of one that is none, itself.
func unquote(literal []byte) []byte {
	var s string
	if bytes.IndexByte(literal, '\\') >= 0 && json.Unmarshal(literal, &s) == nil {
		return []byte(s)
	}
	return literal[1:max(len(literal)-1, 1)] // not nil where it is empty: see members
}

// members goes through the members of an object that was scanned; anything else
// has none. Their values share data's memory.
func members(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		if !isObject(data) {
			return
		}
		var key []byte
		depth, from := 0, 0 // from: where the member's value begins
		for i := 0; i < len(data); i++ {
			switch c := data[i]; c {
			case '"':
				end := stringEnd(data, i)
				if depth == 1 && key == nil {
					key = unquote(data[i:end])
				}
				i = end - 1
			case ':':
				if depth == 1 {
					from = i + 1
				}
			case '{', '[':
				depth++
			case '}', ']', ',':
				if depth == 1 && key != nil {
					if !yield(string(key), bytes.TrimSpace(data[from:i])) {
						return
					}
					key = nil
				}
				if c != ',' {
					depth--
				}
			}
		}
	}
}

func isObject(data []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) }

// parse takes a frame apart. It stands in for encoding/json, which needs four
// times as long for the same, since every message comes this way.
func parse(data []byte) (in inbound, err error) {
	if err := scan(data); err != nil {
		return in, err
	}
	for key, value := range members(data) {
		var bad error
		switch key {
		case "type":
			bad = textField(key, value, &in.Type)
		case "id":
			bad = textField(key, value, &in.ID) // also after a bad field: the answer carries it
		case "data":
			in.Data = value
		default:
			bad = unknownField(key)
		}
		if err == nil {
			err = bad
		}
	}
	if err == nil && in.Type == "" {
		err = Errorf(CodeBadField, "The field %q is missing.", "type")
	}
	return in, err
}

// textField decodes a scanned value that has to be a string.
func textField(name string, value []byte, into *string) error {
	switch {
	case string(value) == "null":
		return nil
	case value[0] != '"':
		return wrongType(name)
	case bytes.IndexByte(value, '\\') < 0:
		*into = string(value[1 : len(value)-1])
		return nil
	}
	return json.Unmarshal(value, into)
}

func wrongType(field string) error {
	return Errorf(CodeBadField, "The field %q has the wrong type.", field)
}

func unknownField(field string) error {
	return Errorf(CodeBadField, "There is no field %q.", field)
}

// decode reads scanned JSON into v, refusing fields that v does not have.
func decode(data []byte, v any) error {
	if len(data) == 0 || string(data) == "null" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	var mismatch *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mismatch):
		return wrongType(mismatch.Field)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return unknownField(strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`))
	}
	return errBadJSON
}
