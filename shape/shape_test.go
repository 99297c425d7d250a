package shape

import (
	"math"
	"strings"
	"testing"
)

// The counts are those that the models' makers state.
func TestParametersAreThoseOfPublishedModels(t *testing.T) {
	t.Parallel()
	for _, model := range []struct {
		name  string
		shape Shape
		want  int64
	}{
		{"Llama 3.2 1B, tied", Shape{Layers: 16, Hidden: 2048, Heads: 32, KVHeads: 8, FFN: 8192, Vocab: 128256, Tied: true}, 1235814400},
		{"Mistral 7B", Shape{Layers: 32, Hidden: 4096, Heads: 32, KVHeads: 8, FFN: 14336, Vocab: 32768}, 7248023552},
		{"Qwen 1.5 7B, with biases", Shape{Arch: Qwen2, Layers: 32, Hidden: 4096, Heads: 32, KVHeads: 32, FFN: 11008, Vocab: 151936}, 7721324544},
	} {
		if got := model.shape.Parameters(); got != model.want {
			t.Errorf("%s has %d weights, want %d", model.name, got, model.want)
		}
	}
}

func TestValidateNamesEachProblem(t *testing.T) {
	t.Parallel()
	good := Shape{Layers: 2, Hidden: 64, Heads: 4, KVHeads: 2, FFN: 96, Vocab: 301, Context: 100, RopeBase: 10000}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		change func(*Shape)
		want   []string
	}{
		{func(s *Shape) { s.Layers = 0 }, []string{"layers is 0"}},
		{func(s *Shape) { s.Hidden = -1 }, []string{"hidden is -1"}},
		{func(s *Shape) { s.Heads = 0 }, []string{"heads is 0"}},
		{func(s *Shape) { s.KVHeads = 3 }, []string{"multiple of kv_heads (3)"}},
		{func(s *Shape) { s.Hidden = 65 }, []string{"multiple of heads (4)"}},
		{func(s *Shape) { s.Hidden = 60 }, []string{"15 wide"}},
		{func(s *Shape) { s.Context = 0 }, []string{"context is 0"}},
		{func(s *Shape) { s.Arch = "mamba" }, []string{`"mamba"`}},
		{func(s *Shape) { s.RopeBase = math.NaN() }, []string{"rope_base"}},
		{func(s *Shape) { s.RopeFactor = 0.5 }, []string{"rope_factor is 0.5"}},
		{func(s *Shape) { s.FFN, s.Vocab = 0, -3 }, []string{"ffn is 0", "vocab is -3"}},
	} {
		s := good
		row.change(&s)
		err := s.Validate()
		for _, want := range row.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Validate of %+v is %v, want %q in it", s, err, want)
			}
		}
	}
}
