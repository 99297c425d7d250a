package planfile

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"exobench"
)

// head stands at the top of each file.
const head = "# A plan of exobench. `exobench run --plan FILE` runs it; flags given beside it win.\n"

// Write writes a plan. Options explains the members of engines' options, by
// engine and option; it may be nil.
//
// Note: the YAML library's encoder is not used, since a string with a leading
// tab or with control characters is not the same when it is read again, and
// comments inside lists move what follows them.
func Write(w io.Writer, p exobench.Plan, options map[string]map[string]string) error {
	f := file{options: options, told: map[string]bool{}}
	f.text.WriteString(head)
	f.members("", "", reflect.ValueOf(p))
	_, err := w.Write(f.text.Bytes())
	return err
}

// file is a plan file being written.
type file struct {
	text    bytes.Buffer
	options map[string]map[string]string
	engine  string          // whose members are being written
	told    map[string]bool // comments on members of lists stand once
}

// members writes a struct's members, one a line, each after its comment.
func (f *file) members(indent, path string, of reflect.Value) {
	for field, value := range of.Fields() {
		name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
		if option == "omitempty" && value.IsZero() {
			continue
		}
		if path == "engines[]." && name == "name" {
			f.engine = value.String()
		}
		f.comment(indent, path+name)
		f.member(indent, path+name, name, value)
	}
}

// comment writes the comment on a member; in a list, on its first one.
func (f *file) comment(indent, path string) {
	if comment := comments[path]; comment != "" && !f.told[path] {
		f.told[path] = true
		f.line(indent, "# "+comment)
	}
}

// line writes a line. An indent that ends in a dash is of the first line of an
// element of a list.
func (f *file) line(indent, text string) {
	if f.text.Len() > 0 && bytes.HasSuffix(f.text.Bytes(), []byte("- ")) {
		indent = ""
	}
	f.text.WriteString(indent + text + "\n")
}

func (f *file) member(indent, path, name string, value reflect.Value) {
	_, asText := value.Interface().(encoding.TextMarshaler)
	switch {
	case value.Kind() == reflect.Struct && !asText:
		f.line(indent, name+":")
		f.members(indent+"  ", path+".", value)
	case value.Kind() == reflect.Slice && value.Len() == 0:
		f.line(indent, name+": []")
	case value.Kind() == reflect.Slice:
		f.line(indent, name+":")
		f.list(indent+"  ", path, value)
	case value.Kind() == reflect.Map && value.Len() == 0:
		f.line(indent, name+": {}")
	case value.Kind() == reflect.Map:
		f.line(indent, name+":")
		f.pairs(indent+"  ", value.Interface().(map[string]string), path == "engines[].options")
	default:
		f.line(indent, name+": "+scalar(value))
	}
}

func (f *file) list(indent, path string, list reflect.Value) {
	for _, element := range list.Seq2() {
		if element.Kind() != reflect.Struct {
			f.line(indent, "- "+scalar(element))
			continue
		}
		f.text.WriteString(indent + "- ")
		f.members(indent+"  ", path+"[].", element)
	}
}

// pairs writes a map in the order of its keys.
func (f *file) pairs(indent string, pairs map[string]string, areOptions bool) {
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		if help := f.options[f.engine][key]; areOptions && help != "" {
			f.line(indent, "# "+strings.ToUpper(help[:1])+help[1:]+".")
		}
		f.line(indent, quoted(key)+": "+quoted(pairs[key]))
	}
}

func scalar(value reflect.Value) string {
	if text, ok := value.Interface().(encoding.TextMarshaler); ok {
		written, _ := text.MarshalText() // of a Duration, which cannot fail
		return string(written)
	}
	if value.Kind() == reflect.String {
		return quoted(value.String())
	}
	return fmt.Sprint(value.Interface())
}

// plain is text that means itself in YAML, whatever stands around it.
var plain = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z/][a-zA-Z0-9 ./_+,-]*[a-zA-Z0-9./_+-]$`) })

// words are the texts that YAML takes for something else.
var words = []string{"true", "false", "yes", "no", "on", "off", "null"}

// quoted writes a string: as it is where nobody can take it for something else,
// otherwise as JSON does, which YAML understands.
func quoted(s string) string {
	if plain().MatchString(s) && !slices.Contains(words, strings.ToLower(s)) {
		return s
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // of a string, into memory
	return strings.TrimSuffix(text.String(), "\n")
}
