package gguf

import (
	"math"
	"strings"
	"testing"
)

// small is a shape that a test can afford: row lengths are those that K formats
// need, and there are as many layers as mixtures tell apart.
var small = Shape{
	Layers: 8, Hidden: 256, Heads: 4, KVHeads: 2, FFN: 768, Vocab: 1000, Tied: true,
	Context: 4096, RopeBase: 10000, RopeScaling: Llama3Scaling(8),
}

func smallQwen() Shape {
	s := small
	s.Arch, s.RopeScaling, s.Tied = Qwen2, nil, false
	return s
}

// published are models with the number of weights that their makers state.
var published = []struct {
	name       string
	shape      Shape
	parameters uint64
}{
	{"Llama 3.1 8B, DeepSeek R1 Distill Llama 8B", Shape{
		Layers: 32, Hidden: 4096, Heads: 32, KVHeads: 8, FFN: 14336, Vocab: 128256,
		Context: 131072, RopeBase: 500000, RopeScaling: Llama3Scaling(8),
	}, 8030261248},
	{"Llama 3.2 1B", Shape{
		Layers: 16, Hidden: 2048, Heads: 32, KVHeads: 8, FFN: 8192, Vocab: 128256, Tied: true,
		Context: 131072, RopeBase: 500000, RopeScaling: Llama3Scaling(32),
	}, 1235814400},
	{"Mistral 7B", Shape{
		Layers: 32, Hidden: 4096, Heads: 32, KVHeads: 8, FFN: 14336, Vocab: 32768,
		Context: 32768, RopeBase: 1000000,
	}, 7248023552},
	{"Qwen 1.5 7B", Shape{
		Arch: Qwen2, Layers: 32, Hidden: 4096, Heads: 32, KVHeads: 32, FFN: 11008, Vocab: 151936,
		Context: 32768, RopeBase: 1000000,
	}, 7721324544},
}

func TestShapesHaveAsManyWeightsAsTheirModels(t *testing.T) {
	t.Parallel()
	for _, model := range published {
		m, err := findMixture("q4_0")
		if err != nil {
			t.Fatal(err)
		}
		list, err := tensors(model.shape, m)
		if err != nil {
			t.Fatal(err)
		}
		var got uint64
		for _, tensor := range list {
			if tensor.name != ropeFactors {
				got += uint64(tensor.elements())
			}
		}
		if got != model.parameters {
			t.Errorf("%s: %d weights, want %d", model.name, got, model.parameters)
		}
	}
}

func TestValidateNamesEachProblem(t *testing.T) {
	t.Parallel()
	if err := small.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		change func(*Shape)
		want   string
	}{
		{func(s *Shape) { s.Arch = "mamba" }, "architecture"},
		{func(s *Shape) { s.Layers = 0 }, "layers is 0"},
		{func(s *Shape) { s.Hidden = -1 }, "hidden is -1"},
		{func(s *Shape) { s.Heads = 0 }, "heads is 0"},
		{func(s *Shape) { s.KVHeads = 3 }, "multiple of kv_heads"},
		{func(s *Shape) { s.Hidden = 257 }, "multiple of heads"},
		{func(s *Shape) { s.HeadDim = 33 }, "must be even"},
		{func(s *Shape) { s.Arch, s.HeadDim = Qwen2, 32 }, "no head_dim of its own"},
		{func(s *Shape) { s.FFN = 1 << 30 }, "ffn is"},
		{func(s *Shape) { s.Vocab = 256 }, "vocab is 256"},
		{func(s *Shape) { s.Context = 0 }, "context is 0"},
		{func(s *Shape) { s.RopeBase = math.NaN() }, "rope_base"},
		{func(s *Shape) { s.NormEpsilon = math.NaN() }, "norm_epsilon"},
		{func(s *Shape) { s.RopeScaling = &RopeScaling{} }, "rope_scaling"},
	} {
		s := small
		row.change(&s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("Validate of %+v is %v, want %q in it", s, err, row.want)
		}
	}
}

// The factors are those that transformers computes for Llama 3.2 1B (head 64
// wide, base 500000): waves of up to 2048 tokens stay, those above 8192 are
// divided by 32.
func TestRopeFactorsLeaveHighFrequenciesAndSlowLowOnes(t *testing.T) {
	t.Parallel()
	factors := Llama3Scaling(32).factors(64, 500000)
	if len(factors) != 32 {
		t.Fatalf("%d factors, want 32", len(factors))
	}
	for i, factor := range factors {
		wave := 2 * math.Pi * math.Pow(500000, float64(i)/32)
		switch {
		case wave < 2048 && factor != 1:
			t.Errorf("factor %d for waves of %.0f tokens is %g, want 1", i, wave, factor)
		case wave > 8192 && factor != 32:
			t.Errorf("factor %d for waves of %.0f tokens is %g, want 32", i, wave, factor)
		case factor < 1 || factor > 32 || i > 0 && factor < factors[i-1]:
			t.Errorf("factors do not rise from 1 to 32: %v", factors)
		}
	}
	// By hand for a wave of 2π × 500000^(15/32) = 2948.3 tokens: 8192 tokens are
	// 2.7786 turns, of which (2.7786 - 1) / 3 = 0.59285 stays.
	if want := 1 / (0.59285 + 0.40715/32); math.Abs(float64(factors[15])-want) > 1e-3 {
		t.Errorf("factor 15 is %g, want %g", factors[15], want)
	}
}
