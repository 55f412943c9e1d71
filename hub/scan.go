package hub

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// scan reads a frame once before it is decoded, for what encoding/json lets
// pass: text that is not UTF-8, a key that stands twice in an object (keys that
// differ by case count as the same, since that is how they would be decoded),
// nesting deeper than maxDepth, and anything after the value.
func scan(data []byte) error {
	if !utf8.Valid(data) {
		return errBadJSON
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // whether a number fits is its field's affair
	if err := scanValue(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errBadJSON
	}
	return nil
}

var (
	errBadJSON = &Error{Code: CodeBadJSON, Message: "The frame is not one JSON object."}
	errTooDeep = &Error{Code: CodeTooDeep, Message: "The frame is nested too deeply."}
)

func scanValue(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return errBadJSON
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth++; depth > maxDepth {
		return errTooDeep
	}
	var keys []string
	for d.More() {
		if open == '{' {
			k, err := d.Token()
			if err != nil {
				return errBadJSON
			}
			key := k.(string) // the decoder has checked it
			for _, other := range keys {
				if strings.EqualFold(other, key) {
					return errBadJSON
				}
			}
			if keys = append(keys, key); len(keys) > maxKeys {
				return errBadJSON
			}
		}
		if err := scanValue(d, depth); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil { // the closing bracket
		return errBadJSON
	}
	return nil
}

// maxKeys bounds the keys of one object, and with them the cost of comparing
// them.
const maxKeys = 64

// decode reads scanned JSON into v, refusing fields that v does not have.
func decode(data []byte, v any) error {
	if len(data) == 0 || string(data) == "null" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongType):
		return Errorf(CodeBadField, "The field %q has the wrong type.", wrongType.Field)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return Errorf(CodeBadField, "There is no field %s.", strings.TrimPrefix(err.Error(), "json: unknown field "))
	}
	return errBadJSON
}
