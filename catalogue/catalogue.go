// Package catalogue knows models by short names: what they are, which ids
// engines have for them, and the small stand-in that the embedded engine runs
// in the place of each.
package catalogue

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"exobench/shape"
)

//go:embed models.yaml
var builtIn []byte

// Model is one entry of the catalogue; models.yaml says what its fields mean.
type Model struct {
	Name       string `yaml:"name"`
	Title      string `yaml:"title"`
	Parameters int64  `yaml:"parameters"`
	License    string `yaml:"license"`
	Standard   bool   `yaml:"standard"`
	// Shape is nil where the model is no plain Llama-style decoder.
	Shape *shape.Shape        `yaml:"shape"`
	IDs   map[string][]string `yaml:"ids"`
}

// Catalogue is a list of models with names that differ.
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
	text, err := os.ReadFile(extra)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, fmt.Errorf("models file %s: %w", extra, err)
	}
	more, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("models file %s: %w", extra, err)
	}
	for _, m := range more {
		c.put(m)
	}
	return c, nil
}

func (c *Catalogue) put(m Model) {
	if i := slices.IndexFunc(c.models, func(have Model) bool { return have.Name == m.Name }); i >= 0 {
		c.models[i] = m
		return
	}
	c.models = append(c.models, m)
}

// parse reads and checks a catalogue's text. Unknown fields are errors, since
// they are most often misspelt ones.
func parse(text []byte) ([]Model, error) {
	var models []Model
	err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&models)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New(strings.ReplaceAll(strings.TrimSpace(yaml.FormatError(err, false, false)), "\n", " "))
	}
	if len(models) == 0 {
		return nil, errors.New("it names no model: it must be a list of models, each with a name")
	}
	seen := map[string]bool{}
	for i, m := range models {
		if m.Name == "" {
			return nil, fmt.Errorf("model %d has no name", i+1)
		}
		if seen[m.Name] {
			return nil, fmt.Errorf("model %s stands twice", m.Name)
		}
		seen[m.Name] = true
		if m.Title == "" {
			models[i].Title = m.Name
		}
		if m.Shape == nil {
			continue
		}
		if err := m.Shape.Validate(); err != nil {
			return nil, fmt.Errorf("model %s: %s", m.Name, strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	}
	return models, nil
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
