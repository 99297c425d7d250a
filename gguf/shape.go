package gguf

import (
	"errors"
	"fmt"
	"math"
)

// The architectures that Write knows, by the names that llama.cpp gives them.
const (
	Llama = "llama" // Llama 1 to 3, Mistral, and what is distilled into them
	Qwen2 = "qwen2" // Qwen 1.5 to 2.5: the same with biases on queries, keys and values
)

// Shape is the shape of a decoder: all that decides how long it computes.
type Shape struct {
	Arch        string  // Llama or Qwen2; empty: Llama
	Layers      int     // blocks
	Hidden      int     // width
	Heads       int     // query heads
	KVHeads     int     // key/value heads
	HeadDim     int     // width of a head; 0: Hidden / Heads
	FFN         int     // width inside the feed-forward part
	Vocab       int     // tokens
	Tied        bool    // the embedding is the output matrix too
	Context     int     // longest context in tokens
	RopeBase    float64 // base of the rotary embedding
	NormEpsilon float64 // 0: 1e-5, Qwen2: 1e-6
	// RopeScaling is nil where the model has none.
	RopeScaling *RopeScaling
}

// RopeScaling is how Llama 3.1 and later stretch the rotary embedding.
type RopeScaling struct {
	Factor            float64 // by how much low frequencies are slowed
	LowFreq, HighFreq float64 // waves per original context between which the factor fades in
	OriginalContext   int     // context in tokens before the stretching
}

// Llama3Scaling returns what Meta published for Llama 3: its factor is 8 for
// Llama 3.1 (and its DeepSeek R1 distillate), 32 for Llama 3.2.
func Llama3Scaling(factor float64) *RopeScaling {
	return &RopeScaling{Factor: factor, LowFreq: 1, HighFreq: 4, OriginalContext: 8192}
}

// The bounds are far beyond real models; they keep sizes within int64.
const (
	maxWidth = chunk // so that a vector is one chunk
	minVocab = 320   // 256 bytes, the special tokens and a few merges
	maxVocab = 1 << 19
)

// Validate reports all that is wrong with the shape.
func (s Shape) Validate() error {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf("shape: "+format, args...)) }
	if s.Arch != "" && s.Arch != Llama && s.Arch != Qwen2 {
		wrong("architecture %q is not known: it must be %s or %s", s.Arch, Llama, Qwen2)
	}
	for _, field := range []struct {
		name            string
		value, low, top int
	}{
		{"layers", s.Layers, 1, 1024}, {"hidden", s.Hidden, 1, maxWidth}, {"heads", s.Heads, 1, 4096},
		{"kv_heads", s.KVHeads, 1, 4096}, {"head_dim", s.HeadDim, 0, 4096}, {"ffn", s.FFN, 1, maxWidth},
		{"vocab", s.Vocab, minVocab, maxVocab}, {"context", s.Context, 1, math.MaxInt32},
	} {
		if field.value < field.low || field.value > field.top {
			wrong("%s is %d, it must be from %d to %d", field.name, field.value, field.low, field.top)
		}
	}
	if s.Heads > 0 && s.KVHeads > 0 && s.Heads%s.KVHeads != 0 {
		wrong("heads (%d) must be a multiple of kv_heads (%d)", s.Heads, s.KVHeads)
	}
	if s.Heads > 0 {
		problems = append(problems, s.validateHeads()...)
	}
	if !(s.RopeBase > 1) || math.IsInf(s.RopeBase, 0) {
		wrong("rope_base is %g, it must be above 1", s.RopeBase)
	}
	if s.NormEpsilon < 0 || !(s.NormEpsilon < 1) {
		wrong("norm_epsilon is %g, it must be from 0 to 1", s.NormEpsilon)
	}
	if s.RopeScaling != nil {
		problems = append(problems, s.RopeScaling.validate())
	}
	return errors.Join(problems...)
}

func (s Shape) validateHeads() []error {
	if s.HeadDim == 0 && s.Hidden%s.Heads != 0 {
		return []error{fmt.Errorf("shape: hidden (%d) must be a multiple of heads (%d) where head_dim is not given", s.Hidden, s.Heads)}
	}
	var problems []error
	if s.headDim()%2 != 0 {
		problems = append(problems, fmt.Errorf("shape: head_dim is %d, it must be even", s.headDim()))
	}
	if s.Arch == Qwen2 && s.headDim()*s.Heads != s.Hidden {
		problems = append(problems, fmt.Errorf("shape: %s has no head_dim of its own: it must be hidden / heads", Qwen2))
	}
	return problems
}

func (r RopeScaling) validate() error {
	if !(r.Factor >= 1) || !(r.LowFreq > 0) || !(r.HighFreq > r.LowFreq) || r.OriginalContext < 1 ||
		math.IsInf(r.Factor, 0) || math.IsInf(r.HighFreq, 0) {
		return fmt.Errorf("shape: rope_scaling is %+v: factor must be at least 1, low_freq above 0, high_freq above low_freq and original_context at least 1", r)
	}
	return nil
}

func (s Shape) arch() string {
	if s.Arch == "" {
		return Llama
	}
	return s.Arch
}

func (s Shape) headDim() int {
	if s.HeadDim == 0 {
		return s.Hidden / s.Heads
	}
	return s.HeadDim
}

func (s Shape) normEpsilon() float64 {
	switch {
	case s.NormEpsilon > 0:
		return s.NormEpsilon
	case s.Arch == Qwen2:
		return 1e-6
	}
	return 1e-5
}

// factors returns by how much each frequency of a head of that width is divided.
//
// A frequency turns once in wave tokens. Those that turn more than HighFreq
// times in the original context stay, those that turn less than LowFreq times
// are divided by Factor, and between the two the inverse goes linearly in turns.
func (r RopeScaling) factors(headDim int, base float64) []float32 {
	factors := make([]float32, headDim/2)
	for i := range factors {
		wave := 2 * math.Pi * math.Pow(base, float64(2*i)/float64(headDim))
		turns := float64(r.OriginalContext) / wave
		kept := min(1, max(0, (turns-r.LowFreq)/(r.HighFreq-r.LowFreq)))
		factors[i] = float32(1 / (kept + (1-kept)/r.Factor))
	}
	return factors
}
