// Package catalogue knows models by short names: what they are, which ids
// engines have for them, and the small stand-in that the embedded engine runs
// in the place of each.
package catalogue

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"exobench/internal/textfile"
	"exobench/shape"
)

//go:embed models.yaml
var builtIn string

// Model is one entry of the catalogue; models.yaml says what its fields mean.
type Model struct {
	Name       string `yaml:"name"`
	Title      string `yaml:"title"`
	Parameters int64  `yaml:"parameters"`
	// ActiveParameters is how many of them a token needs, where that is not all: of
	// mixtures of experts.
	ActiveParameters int64  `yaml:"active_parameters"`
	License          string `yaml:"license"`
	Standard         bool   `yaml:"standard"`
	// Shape is nil where the model is no plain Llama-style decoder.
	Shape *shape.Shape        `yaml:"shape"`
	IDs   map[string][]string `yaml:"ids"`
}

// Catalogue is a list of models with names that differ, whatever their case.
type Catalogue struct{ models []Model }

// Load returns the built-in catalogue, with the models of the file extra added
// or put in the place of those with the same name. An empty extra is no file.
func Load(extra string) (*Catalogue, error) {
	models, err := parse(builtIn)
	if err != nil {
		return nil, fmt.Errorf("built-in catalogue: %w", err)
	}
	c := &Catalogue{models: models}
	if extra == "" {
		return c, nil
	}
	more, err := read(extra)
	if err != nil {
		return nil, fmt.Errorf("models file %s: %w", textfile.Name(extra), err)
	}
	for _, m := range more {
		c.put(m)
	}
	return c, nil
}

func read(path string) ([]Model, error) {
	text, err := textfile.Read(path)
	if err != nil {
		return nil, err
	}
	return parse(text)
}

func (c *Catalogue) put(m Model) {
	if i := slices.IndexFunc(c.models, func(have Model) bool { return strings.EqualFold(have.Name, m.Name) }); i >= 0 {
		c.models[i] = m
		return
	}
	c.models = append(c.models, m)
}

// parse reads and checks a catalogue's text.
func parse(text string) ([]Model, error) {
	models, err := decode(text)
	if err != nil {
		return nil, err
	}
	if len(models) == 0 {
		return nil, errors.New("it names no model: it must be a list of models, each with a name")
	}
	seen := map[string]bool{}
	for i, m := range models {
		if m.Name == "" {
			return nil, fmt.Errorf("model %d has no name", i+1)
		}
		name := strings.ToLower(m.Name)
		if seen[name] {
			return nil, fmt.Errorf("model %.80q stands twice", m.Name)
		}
		seen[name] = true
		if m.Title == "" {
			models[i].Title = m.Name
		}
		if err := m.validate(); err != nil {
			return nil, fmt.Errorf("model %d, %.80q: %w", i+1, m.Name, err)
		}
	}
	return models, nil
}

// decode returns the models of each document of a text, one after the other.
func decode(text string) ([]Model, error) {
	documents, err := textfile.ParseYAML(text)
	if err != nil {
		return nil, err
	}
	var all []Model
	for _, document := range documents {
		if err := asWritten(document); err != nil {
			return nil, err
		}
		var models []Model
		if err := textfile.DecodeYAML(document, &models); err != nil {
			return nil, err
		}
		all = append(all, models...)
	}
	return all, nil
}

// asWritten makes names and ids the texts that are written, also where YAML
// sees a number: a tag 1.10 is not 1.1. It refuses a fraction where a whole
// number is due, which the library would cut.
func asWritten(document ast.Node) error {
	list, ok := document.(*ast.SequenceNode)
	if !ok {
		return fmt.Errorf("line %d: it must be a list of models: begin each with \"- \"", textfile.Line(document))
	}
	for _, item := range list.Values {
		if anchor, ok := item.(*ast.AnchorNode); ok {
			item = anchor.Value
		}
		model, ok := item.(*ast.MappingNode)
		if !ok {
			continue // the decoder says what it is
		}
		for _, member := range model.Values {
			switch name, _ := textfile.Scalar(member.Key); name {
			case "name", "title", "license", "ids":
				member.Value = textfile.AsText(member.Value)
			case "parameters", "active_parameters":
				if err := whole(member); err != nil {
					return err
				}
			case "shape":
				if err := wholeShape(member.Value); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// wholeShape refuses fractions of layers and the like; only the rotary
// embedding has some.
func wholeShape(node ast.Node) error {
	fields, ok := node.(*ast.MappingNode)
	if !ok {
		return nil
	}
	for _, field := range fields.Values {
		name, _ := textfile.Scalar(field.Key)
		if name == "rope_base" || name == "rope_factor" {
			continue
		}
		if err := whole(field); err != nil {
			return err
		}
	}
	return nil
}

func whole(member *ast.MappingValueNode) error {
	if _, fraction := member.Value.(*ast.FloatNode); !fraction {
		return nil
	}
	name, _ := textfile.Scalar(member.Key)
	text, _ := textfile.Scalar(member.Value)
	return fmt.Errorf("line %d: %s is %.80s, it must be a whole number", textfile.Line(member.Value), name, text)
}

// validate returns what is wrong with the model's own values.
func (m Model) validate() error {
	if !textfile.OneLine(m.Name) || !textfile.OneLine(m.Title) {
		return errors.New("its name and title must be one line without control characters")
	}
	for engine, ids := range m.IDs {
		for _, id := range ids {
			if id == "" || !textfile.OneLine(id) {
				return fmt.Errorf("its ids for %.80q must be one line each, without control characters, and not empty", engine)
			}
		}
	}
	if m.ActiveParameters < 0 || m.ActiveParameters > m.Parameters {
		return fmt.Errorf("active_parameters is %d, it must be from 1 to the parameters, or left out", m.ActiveParameters)
	}
	if m.Shape == nil {
		return nil
	}
	if err := m.Shape.Validate(); err != nil {
		return errors.New(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

// Models returns all models in the catalogue's order.
func (c *Catalogue) Models() []Model { return slices.Clone(c.models) }

// Standard returns the names of the models that a run measures by default.
func (c *Catalogue) Standard() []string {
	var names []string
	for _, m := range c.models {
		if m.Standard {
			names = append(names, m.Name)
		}
	}
	return names
}

// Find returns the model of that name, whatever its case.
func (c *Catalogue) Find(name string) (Model, bool) {
	for _, m := range c.models {
		if strings.EqualFold(m.Name, name) {
			return m, true
		}
	}
	return Model{}, false
}

// FindID returns the model that has the id for the engine.
func (c *Catalogue) FindID(engine, id string) (Model, bool) {
	for _, m := range c.models {
		if slices.ContainsFunc(m.IDs[engine], func(have string) bool { return strings.EqualFold(have, id) }) {
			return m, true
		}
	}
	return Model{}, false
}
