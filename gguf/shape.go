package gguf

import (
	"errors"
	"fmt"
	"math"

	"exobench/shape"
)

// The bounds are far beyond real models; they keep sizes within int64.
const (
	maxLayers = 1024
	maxWidth  = chunk // so that a vector is one chunk
	minVocab  = 320   // 256 bytes, the special tokens and a few merges
	maxVocab  = 1 << 19
)

// validate reports all that is wrong with the shape, and all that a file cannot
// hold.
func validate(s shape.Shape) error {
	problems := []error{s.Validate()}
	for _, field := range []struct {
		name            string
		value, low, top int
	}{
		{"layers", s.Layers, 0, maxLayers}, {"hidden", s.Hidden, 0, maxWidth}, {"ffn", s.FFN, 0, maxWidth},
		{"vocab", s.Vocab, minVocab, maxVocab}, {"context", s.Context, 0, math.MaxInt32},
	} {
		// What is below 1 is refused above.
		if field.value > field.top || field.value > 0 && field.value < field.low {
			problems = append(problems, fmt.Errorf("shape: %s is %d, it must be from %d to %d", field.name, field.value, max(1, field.low), field.top))
		}
	}
	return errors.Join(problems...)
}

func arch(s shape.Shape) string {
	if s.Arch == "" {
		return shape.Llama
	}
	return s.Arch
}

// normEpsilon returns what a norm adds to the mean square, by which both
// architectures differ.
func normEpsilon(s shape.Shape) float64 {
	if s.Arch == shape.Qwen2 {
		return 1e-6
	}
	return 1e-5
}

// What Meta published for all of Llama 3.1 and 3.2: waves that turn lowFreq to
// highFreq times in the context of the original training are slowed in part.
const (
	lowFreq         = 1
	highFreq        = 4
	originalContext = 8192
)

// ropeDivisors returns by how much each frequency of a head is divided.
//
// A frequency turns once in wave tokens. Those that turn more than highFreq
// times in the original context stay, those that turn less than lowFreq times
// are divided by RopeFactor, and between the two the inverse goes linearly in
// turns.
func ropeDivisors(s shape.Shape) []float32 {
	dim := s.HeadDim()
	divisors := make([]float32, dim/2)
	for i := range divisors {
		wave := 2 * math.Pi * math.Pow(s.RopeBase, float64(2*i)/float64(dim))
		turns := originalContext / wave
		kept := min(1, max(0, (turns-lowFreq)/(highFreq-lowFreq)))
		divisors[i] = float32(1 / (kept + (1-kept)/s.RopeFactor))
	}
	return divisors
}
