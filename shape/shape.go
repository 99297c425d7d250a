// Package shape describes Llama-style decoders: the dimensions that decide how
// large a model is and how long it computes. It knows no weights and no files.
//
//	s := shape.Shape{
//		Layers: 16, Hidden: 2048, Heads: 32, KVHeads: 8, FFN: 8192, Vocab: 128256,
//		Tied: true, Context: 131072, RopeBase: 500000, RopeFactor: 32,
//	}
//	err := s.Validate()
//	n := s.Parameters() // 1,235,814,400
package shape

import (
	"errors"
	"fmt"
	"math"
)

// The architectures, by the names that llama.cpp gives them.
const (
	Llama = "llama" // Llama 1 to 3, Mistral, and what is distilled into them
	Qwen2 = "qwen2" // Qwen 1.5 to 2.5: the same with biases on queries, keys and values
)

// Shape is the shape of a decoder. Its YAML form is that of the catalogue.
type Shape struct {
	Layers   int     `yaml:"layers"`
	Hidden   int     `yaml:"hidden"`   // width of the residual stream
	Heads    int     `yaml:"heads"`    // query heads
	KVHeads  int     `yaml:"kv_heads"` // key and value heads
	FFN      int     `yaml:"ffn"`      // width inside the feed-forward part
	Vocab    int     `yaml:"vocab"`    // tokens
	Tied     bool    `yaml:"tied"`     // the embedding is the output matrix too
	Context  int     `yaml:"context"`  // longest context in tokens, prompt included
	RopeBase float64 `yaml:"rope_base"`
	// Arch is Llama, also where it is empty, or Qwen2.
	Arch string `yaml:"arch"`
	// RopeFactor is by how much Llama 3.1 and later slow the low frequencies of
	// the rotary embedding; 0 is not at all.
	RopeFactor float64 `yaml:"rope_factor"`
}

// Validate reports everything that is wrong with the shape.
func (s Shape) Validate() error {
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("shape: "+format, args...))
	}
	for _, field := range []struct {
		name  string
		value int
	}{
		{"layers", s.Layers}, {"hidden", s.Hidden}, {"heads", s.Heads}, {"kv_heads", s.KVHeads},
		{"ffn", s.FFN}, {"vocab", s.Vocab}, {"context", s.Context},
	} {
		if field.value < 1 {
			wrong("%s is %d, it must be at least 1", field.name, field.value)
		}
	}
	if s.Heads > 0 && s.KVHeads > 0 && s.Heads%s.KVHeads != 0 {
		wrong("heads (%d) must be a multiple of kv_heads (%d)", s.Heads, s.KVHeads)
	}
	if s.Heads > 0 && s.Hidden%s.Heads != 0 {
		wrong("hidden (%d) must be a multiple of heads (%d)", s.Hidden, s.Heads)
	} else if s.Heads > 0 && s.HeadDim()%2 != 0 {
		wrong("a head is %d wide, it must be even", s.HeadDim())
	}
	if s.Arch != "" && s.Arch != Llama && s.Arch != Qwen2 {
		wrong("arch is %q, it must be %s or %s", s.Arch, Llama, Qwen2)
	}
	if !(s.RopeBase > 1) || math.IsInf(s.RopeBase, 0) {
		wrong("rope_base is %g, it must be above 1", s.RopeBase)
	}
	if s.RopeFactor != 0 && !(s.RopeFactor >= 1) || math.IsInf(s.RopeFactor, 0) {
		wrong("rope_factor is %g, it must be 0 or at least 1", s.RopeFactor)
	}
	return errors.Join(problems...)
}

// HeadDim returns the width of one attention head.
func (s Shape) HeadDim() int { return s.Hidden / s.Heads }

// KVWidth returns the width of the keys, and of the values, of one position in
// one layer.
func (s Shape) KVWidth() int { return s.KVHeads * s.HeadDim() }

// KVBytes returns what the keys and values of one position take, over all layers,
// with so many bytes for each number (2 of 16 bits): layers × key and value heads ×
// width of a head × 2 × bytes.
func (s Shape) KVBytes(perNumber int) int64 {
	return int64(s.Layers) * int64(s.KVWidth()) * 2 * int64(perNumber)
}

// Parameters counts the weights, norms and biases included; a tied output
// matrix counts once.
func (s Shape) Parameters() int64 {
	hidden, kv, ffn := int64(s.Hidden), int64(s.KVWidth()), int64(s.FFN)
	qkv := hidden + 2*kv
	layer := qkv*hidden + hidden*hidden + 3*hidden*ffn + 2*hidden
	if s.Arch == Qwen2 {
		layer += qkv
	}
	total := int64(s.Layers)*layer + int64(s.Vocab)*hidden + hidden
	if !s.Tied {
		total += int64(s.Vocab) * hidden
	}
	return total
}
