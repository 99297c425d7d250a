// Package planfile writes plans as YAML for people to read and change, with a
// comment on each member, and reads them back.
//
// A plan that was written gives the same plan when it is read, and so the same
// run. Members that a file leaves out keep the values of the plan that is read
// into; unknown members are errors, since they are most often misspelt ones.
package planfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"

	"exobench"
)

// ReadFile reads a plan file over the plan base.
func ReadFile(path string, base exobench.Plan) (exobench.Plan, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return base, fmt.Errorf("plan file %s: %w", path, err)
	}
	p, err := Read(text, base)
	if err != nil {
		return base, fmt.Errorf("plan file %s: %w", path, err)
	}
	return p, nil
}

// Read reads a plan over the plan base, which it leaves as it is. A list, and a
// stop, that the text gives takes the place of base's.
func Read(text []byte, base exobench.Plan) (exobench.Plan, error) {
	if !bytes.ContainsFunc(text, func(r rune) bool { return r > ' ' }) {
		return base, errEmpty
	}
	var given struct {
		Engines  any
		Models   any
		Traffic  any
		Stop     any
		Workload map[string]any
	}
	if err := decode(text, &given, false); err != nil {
		return base, err
	}
	p := base
	if given.Engines != nil {
		p.Engines = nil
	}
	if given.Models != nil {
		p.Models = nil
	}
	if given.Traffic != nil {
		p.Traffic = nil
	}
	if given.Stop != nil {
		p.Stop = exobench.Stop{}
	}
	_, prompts := given.Workload["prompts"]
	_, files := given.Workload["prompt_files"]
	if prompts || files {
		p.Workload.Prompts, p.Workload.PromptFiles = nil, nil
	}
	for i := range p.Engines {
		p.Engines[i].Options = maps.Clone(p.Engines[i].Options)
	}
	if err := decode(text, &p, true); err != nil {
		return base, err
	}
	return p, nil
}

// decode reads YAML into a value; an error is one sentence.
//
// Note: the library panics on some inputs that are no YAML (found by fuzzing).
func decode(text []byte, into any, strict bool) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it is no YAML: `exobench plan` prints a plan to start from")
		}
	}()
	var options []yaml.DecodeOption
	if strict {
		options = append(options, yaml.Strict())
	}
	err = yaml.NewDecoder(bytes.NewReader(text), options...).Decode(into)
	if errors.Is(err, io.EOF) {
		return errEmpty
	}
	if err != nil {
		return sentence(err)
	}
	return nil
}

var errEmpty = errors.New("it is empty: `exobench plan` prints one to start from")

// sentence turns an error of the library into one line that says where.
func sentence(err error) error {
	text := strings.Join(strings.Fields(yaml.FormatError(err, false, false)), " ")
	var where yaml.Error
	if !errors.As(err, &where) || where.GetToken() == nil || where.GetToken().Position == nil {
		return errors.New(text)
	}
	token := where.GetToken()
	line := token.Position.Line
	var kind *yaml.TypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("line %d: %q is not %s", line, token.Value, kindText(kind.DstType))
	}
	if node := new(yaml.UnexpectedNodeTypeError); errors.As(err, &node) {
		return fmt.Errorf("line %d: %q stands where something else is due: %s", line, token.Value, where.GetMessage())
	}
	return fmt.Errorf("line %d: %s", line, where.GetMessage())
}

// kindText says what a member must be.
func kindText(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a group of members"
	case reflect.String:
		return "a text"
	}
	return "a whole number that it can be"
}
