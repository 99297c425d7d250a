package embedded

import (
	"encoding/json"
	"strings"
	"unicode"
)

// tagged is a member of one of exo's unions: {"<Tag>": {…}}.
type tagged struct {
	tag   string
	value any
}

func (t tagged) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{t.tag: t.value})
}

// empty is the value of a tag that has no fields.
type empty struct{}

// rekey rewrites the keys of all objects in a JSON value.
func rekey(v any, key func(string) string) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[key(k)] = rekey(e, key)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = rekey(e, key)
		}
		return out
	}
	return v
}

// camel turns snake_case into camelCase, and leaves everything else as it is: exo accepts both forms of its domain models.
func camel(key string) string {
	parts := strings.Split(key, "_")
	for i, p := range parts[1:] {
		if p != "" {
			parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}

// snake turns camelCase into snake_case, the form of domain models in exo's hand-written event streams. Names that start with
// a capital are tags and stay, and ids have no capitals.
func snake(key string) string {
	if key == "" || unicode.IsUpper(rune(key[0])) {
		return key
	}
	var b strings.Builder
	for _, c := range key {
		if unicode.IsUpper(c) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// tree gives the plain JSON value of v, numbers kept as they are written.
func tree(v any) any {
	d := json.NewDecoder(strings.NewReader(string(encode(v))))
	d.UseNumber()
	var out any
	if err := d.Decode(&out); err != nil {
		panic(err) // encode has just written it
	}
	return out
}
