package embedded

import (
	"errors"
	"fmt"
	"runtime"

	"exobench/embedded/decoder"
	"exobench/shape"
)

// DefaultMaxConcurrent is how many streams an instance decodes together when
// the configuration does not say; the rest wait.
const DefaultMaxConcurrent = 8

// minVocab leaves room for the special tokens and some words.
const minVocab = 64

// Model is a model that can be served: what its card says, and the shape of the
// decoder that stands in for it.
type Model struct {
	ID           string // such as mlx-community/Llama-3.2-1B-Instruct-4bit
	Quantization string
	BaseModel    string
	Shape        shape.Shape
}

// storageBytes is what the card states as the model's size: the stand-in's own,
// since that is what will be in memory.
func (m *Model) storageBytes() int64 { return decoder.WeightBytes(m.Shape) }

func (m *Model) validate() error {
	var errs []error
	if m.ID == "" {
		errs = append(errs, errors.New("no id"))
	}
	if err := decoder.Validate(m.Shape); err != nil {
		errs = append(errs, err)
	} else if m.Shape.Vocab < minVocab {
		errs = append(errs, fmt.Errorf("vocabulary of %d, want at least %d", m.Shape.Vocab, minVocab))
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("model %q: %w", m.ID, errors.Join(errs...))
}

// Config says what a server serves.
type Config struct {
	Models        []Model  // have a card from the start
	Addable       []Model  // get one by POST /models/add
	Preload       []string // ids of Models or Addable whose instances are made at the start
	Seed          uint64   // of the weights
	Workers       int      // cores that computing may take; 0 means all but one
	MaxConcurrent int      // streams that an instance decodes together; 0 means DefaultMaxConcurrent
	NodeName      string   // friendly name of the node; empty means the host's name
	Slowdown      float64  // by what share each pass takes longer than it must; to try what finds it
	Version       string   // of the program, for the Server header
	Token         string   // every request must carry it as a bearer token; empty means that none need
}

// Validate reports everything that is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	seen := map[string]bool{}
	for _, list := range [][]Model{c.Models, c.Addable} {
		for i := range list {
			errs = append(errs, list[i].validate())
			if seen[list[i].ID] {
				errs = append(errs, fmt.Errorf("model %q is given twice", list[i].ID))
			}
			seen[list[i].ID] = true
		}
	}
	if len(seen) == 0 {
		errs = append(errs, errors.New("no models"))
	}
	for _, id := range c.Preload {
		if !seen[id] {
			errs = append(errs, fmt.Errorf("preload of %q, which is none of the models", id))
		}
	}
	if c.Workers < 0 {
		errs = append(errs, fmt.Errorf("workers is %d, want 0 or more", c.Workers))
	}
	if c.MaxConcurrent < 0 {
		errs = append(errs, fmt.Errorf("max concurrent is %d, want 0 or more", c.MaxConcurrent))
	}
	return errors.Join(errs...)
}

func (c *Config) workers() int {
	if c.Workers > 0 {
		return c.Workers
	}
	return max(1, min(runtime.NumCPU(), runtime.GOMAXPROCS(0))-1)
}

func (c *Config) maxConcurrent() int {
	if c.MaxConcurrent > 0 {
		return c.MaxConcurrent
	}
	return DefaultMaxConcurrent
}
