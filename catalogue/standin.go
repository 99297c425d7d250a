package catalogue

import (
	"errors"
	"fmt"
	"math"
)

// Shape is the shape of a Llama-style decoder.
type Shape struct {
	Layers   int     `yaml:"layers"`
	Hidden   int     `yaml:"hidden"`
	Heads    int     `yaml:"heads"`
	KVHeads  int     `yaml:"kv_heads"`
	FFN      int     `yaml:"ffn"`
	Vocab    int     `yaml:"vocab"`
	Tied     bool    `yaml:"tied"`
	Context  int     `yaml:"context"`
	RopeBase float64 `yaml:"rope_base"`
	// Arch is "llama", also where it is empty, or "qwen2".
	Arch string `yaml:"arch"`
	// RopeFactor is that of Llama 3's stretched context; 0 is none.
	RopeFactor float64 `yaml:"rope_factor"`
}

func (s Shape) validate() error {
	for _, field := range []struct {
		name  string
		value int
	}{
		{"layers", s.Layers}, {"hidden", s.Hidden}, {"heads", s.Heads},
		{"kv_heads", s.KVHeads}, {"ffn", s.FFN}, {"vocab", s.Vocab}, {"context", s.Context},
	} {
		if field.value < 1 {
			return fmt.Errorf("shape: %s is %d, it must be at least 1", field.name, field.value)
		}
	}
	if s.Heads%s.KVHeads != 0 {
		return fmt.Errorf("shape: heads (%d) must be a multiple of kv_heads (%d)", s.Heads, s.KVHeads)
	}
	if s.Arch != "" && s.Arch != "llama" && s.Arch != "qwen2" {
		return fmt.Errorf("shape: arch is %q, it must be llama or qwen2", s.Arch)
	}
	if s.RopeBase <= 1 {
		return errors.New("shape: rope_base must be above 1")
	}
	return nil
}

// scale is by how much a stand-in is smaller in width and in depth: an 8B model
// becomes one of 53 million weights, small enough that five models answer five
// prompts three times in about two minutes on two cores.
const scale = 3.0 / 16

// unit is what head size and FFN width are multiples of: the decoder's
// vectorised sums need rows that start on 16-byte boundaries.
const unit = 4

// StandIn returns the shape scaled down in its own proportions: width, layers
// and FFN by the same factor, so that layers : width and FFN : width hold; as
// many query heads per key/value head; and the vocabulary by the square, so that
// embeddings keep their share of the weights, which shrink by the cube.
func (s Shape) StandIn() Shape {
	group := s.Heads / s.KVHeads
	small := s
	small.Layers = scaled(s.Layers, scale, 1)
	small.Hidden = scaled(s.Hidden, scale, unit*group)
	small.FFN = scaled(s.FFN, scale, unit)
	small.Vocab = max(64, scaled(s.Vocab, scale*scale, 1))
	small.KVHeads = standInKVHeads(s, small.Hidden/(unit*group))
	small.Heads = small.KVHeads * group
	small.Context = min(s.Context, 4096)
	return small
}

// scaled returns the multiple of step, at least one, nearest to n × factor.
func scaled(n int, factor float64, step int) int {
	return step * max(1, int(math.Round(float64(n)*factor/float64(step))))
}

// standInKVHeads returns the most key/value heads, up to a quarter of the true
// number, by which the width, given in its smallest steps, can be divided.
func standInKVHeads(s Shape, steps int) int {
	for kv := s.KVHeads / 4; kv > 1; kv-- {
		if steps%kv == 0 {
			return kv
		}
	}
	return 1
}
