package gguf

import (
	"math"
	"strings"
	"testing"

	"exobench/shape"
)

// small is a shape that a test can afford: row lengths are those that K formats
// need, and there are as many layers as mixtures tell apart.
var small = shape.Shape{
	Layers: 8, Hidden: 256, Heads: 4, KVHeads: 2, FFN: 768, Vocab: 1000, Tied: true,
	Context: 4096, RopeBase: 10000, RopeFactor: 8,
}

func smallQwen() shape.Shape {
	s := small
	s.Arch, s.RopeFactor, s.Tied = shape.Qwen2, 0, false
	return s
}

// published are models with the number of weights that their makers state.
var published = []struct {
	name       string
	shape      shape.Shape
	parameters uint64
}{
	{"Llama 3.1 8B, DeepSeek R1 Distill Llama 8B", shape.Shape{
		Layers: 32, Hidden: 4096, Heads: 32, KVHeads: 8, FFN: 14336, Vocab: 128256,
		Context: 131072, RopeBase: 500000, RopeFactor: 8,
	}, 8030261248},
	{"Llama 3.2 1B", shape.Shape{
		Layers: 16, Hidden: 2048, Heads: 32, KVHeads: 8, FFN: 8192, Vocab: 128256, Tied: true,
		Context: 131072, RopeBase: 500000, RopeFactor: 32,
	}, 1235814400},
	{"Mistral 7B", shape.Shape{
		Layers: 32, Hidden: 4096, Heads: 32, KVHeads: 8, FFN: 14336, Vocab: 32768,
		Context: 32768, RopeBase: 1000000,
	}, 7248023552},
	{"Qwen 1.5 7B", shape.Shape{
		Arch: shape.Qwen2, Layers: 32, Hidden: 4096, Heads: 32, KVHeads: 32, FFN: 11008, Vocab: 151936,
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
		if got != model.parameters || model.shape.Parameters() != int64(got) {
			t.Errorf("%s: %d weights, the shape says %d, want %d", model.name, got, model.shape.Parameters(), model.parameters)
		}
	}
}

func TestValidateNamesWhatAFileCannotHold(t *testing.T) {
	t.Parallel()
	if err := validate(small); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		change func(*shape.Shape)
		want   string
	}{
		{func(s *shape.Shape) { s.KVHeads = 3 }, "multiple of kv_heads"}, // no shape at all
		{func(s *shape.Shape) { s.Layers = 2000 }, "layers is 2000, it must be from 1 to 1024"},
		{func(s *shape.Shape) { s.FFN = 1 << 30 }, "ffn is"},
		{func(s *shape.Shape) { s.Vocab = 256 }, "vocab is 256, it must be from 320"},
		{func(s *shape.Shape) { s.Context = math.MaxInt32 + 1 }, "context is"},
	} {
		s := small
		row.change(&s)
		if _, err := Size(s, Options{Quant: "q4_0"}); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("Size of %+v is refused with %v, want %q in it", s, err, row.want)
		}
	}
}

// The divisors are those that transformers computes for Llama 3.2 1B (head 64
// wide, base 500000): waves of up to 2048 tokens stay, those above 8192 are
// divided by 32.
func TestRopeDivisorsLeaveHighFrequenciesAndSlowLowOnes(t *testing.T) {
	t.Parallel()
	divisors := ropeDivisors(published[1].shape)
	if len(divisors) != 32 {
		t.Fatalf("%d divisors, want 32", len(divisors))
	}
	for i, divisor := range divisors {
		wave := 2 * math.Pi * math.Pow(500000, float64(i)/32)
		switch {
		case wave < 2048 && divisor != 1:
			t.Errorf("divisor %d for waves of %.0f tokens is %g, want 1", i, wave, divisor)
		case wave > 8192 && divisor != 32:
			t.Errorf("divisor %d for waves of %.0f tokens is %g, want 32", i, wave, divisor)
		case divisor < 1 || divisor > 32 || i > 0 && divisor < divisors[i-1]:
			t.Errorf("divisors do not rise from 1 to 32: %v", divisors)
		}
	}
	// By hand for a wave of 2π × 500000^(15/32) = 2948.3 tokens: 8192 tokens are
	// 2.7786 turns, of which (2.7786 - 1) / 3 = 0.59285 stays.
	if want := 1 / (0.59285 + 0.40715/32); math.Abs(float64(divisors[15])-want) > 1e-3 {
		t.Errorf("divisor 15 is %g, want %g", divisors[15], want)
	}
}
