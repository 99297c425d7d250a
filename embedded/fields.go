package embedded

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// problem is one entry of the list that a request with bad fields is answered with.
type problem struct {
	Type  string            `json:"type"`
	Loc   []any             `json:"loc"`
	Msg   string            `json:"msg"`
	Input any               `json:"input"`
	Ctx   map[string]string `json:"ctx,omitempty"`
}

// fields reads the fields of a JSON object and notes what is wrong with them.
type fields struct {
	object   map[string]any
	loc      []any
	problems *[]problem
}

// body reads a request's JSON object. When there is none, the problem is noted and the object has no fields.
func body(r *http.Request) fields {
	f := fields{loc: []any{"body"}, problems: &[]problem{}}
	data, err := io.ReadAll(r.Body)
	if err != nil || len(data) == 0 {
		f.note("missing", f.loc, "Field required", nil)
		return f
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		at := d.InputOffset()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = syntax.Offset
		}
		*f.problems = append(*f.problems, problem{"json_invalid", []any{"body", at}, "JSON decode error", map[string]any{}, map[string]string{"error": err.Error()}})
		return f
	}
	object, ok := v.(map[string]any)
	if !ok {
		f.note("model_attributes_type", f.loc, "Input should be a valid dictionary or object to extract fields from", v)
	}
	f.object = object
	return f
}

// rejected answers 422 when a problem was noted.
func (f fields) rejected(w http.ResponseWriter) bool {
	if len(*f.problems) == 0 {
		return false
	}
	writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"detail": *f.problems})
	return true
}

func (f fields) note(kind string, loc []any, msg string, input any) {
	*f.problems = append(*f.problems, problem{Type: kind, Loc: loc, Msg: msg, Input: input})
}

func (f fields) at(more ...any) []any { return append(append([]any(nil), f.loc...), more...) }

// value gives a field that is there and not null. A required one that is absent is noted; its null is a value, and a wrong one.
func (f fields) value(name string, required bool) (any, bool) {
	if f.object == nil {
		return nil, false
	}
	v, ok := f.object[name]
	if !ok && required {
		f.note("missing", f.at(name), "Field required", f.object)
	}
	return v, v != nil || ok && required
}

func (f fields) text(name string, required bool) string {
	v, ok := f.value(name, required)
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		f.note("string_type", f.at(name), "Input should be a valid string", v)
	}
	return s
}

// choice reads one of a few names; an absent field gives the first.
func (f fields) choice(name string, names ...string) string {
	v, ok := f.value(name, false)
	if !ok {
		return names[0]
	}
	for _, n := range names {
		if v == n {
			return n
		}
	}
	f.notOneOf("enum", f.at(name), v, names)
	return names[0]
}

// notOneOf notes a value that is none of the names; kind is "enum" or "literal_error".
func (f fields) notOneOf(kind string, loc []any, v any, names []string) {
	expected := "'" + strings.Join(names[:len(names)-1], "', '") + "' or '" + names[len(names)-1] + "'"
	*f.problems = append(*f.problems, problem{kind, loc, "Input should be " + expected, v, map[string]string{"expected": expected}})
}

func (f fields) flag(name string) bool {
	v, ok := f.value(name, false)
	if !ok {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		f.note("bool_type", f.at(name), "Input should be a valid boolean", v)
	}
	return b
}

// integer reads a whole number, also from a string, as exo's request models do; absent gives nil.
func (f fields) integer(name string) *int {
	v, ok := f.value(name, false)
	if !ok {
		return nil
	}
	kind, msg := "int_type", "Input should be a valid integer"
	switch v := v.(type) {
	case json.Number:
		x, err := v.Float64()
		if n := int(x); err == nil && float64(n) == x {
			return &n
		}
		kind, msg = "int_from_float", "Input should be a valid integer, got a number with a fractional part"
	case string:
		if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil {
			return &n
		}
		kind, msg = "int_parsing", "Input should be a valid integer, unable to parse string as an integer"
	}
	f.note(kind, f.at(name), msg, v)
	return nil
}

func (f fields) number(name string) *float64 {
	v, ok := f.value(name, false)
	if !ok {
		return nil
	}
	if n, ok := v.(json.Number); ok {
		if x, err := n.Float64(); err == nil {
			return &x
		}
	}
	f.note("float_type", f.at(name), "Input should be a valid number", v)
	return nil
}
