package decoder

import (
	"strings"
	"testing"
)

func TestParametersCountWhatIsAllocated(t *testing.T) {
	tied := tiny
	tied.Tied = true
	for _, shape := range []Shape{tiny, tied} {
		m := newModel(t, shape, 1, 1)
		n := len(m.embedding) + len(m.finalNorm)
		if !shape.Tied {
			n += len(m.head)
		}
		for _, l := range m.layers {
			n += len(l.attentionNorm) + len(l.qkv) + len(l.output) + len(l.ffnNorm) + len(l.gateUp) + len(l.down)
		}
		if int64(n) != shape.Parameters() {
			t.Errorf("tied %v: Parameters = %d, the model holds %d", shape.Tied, shape.Parameters(), n)
		}
	}
}

// Llama 3.2 1B has 1,235,814,400 parameters by its model card.
func TestParametersOfAKnownModel(t *testing.T) {
	llama := Shape{Layers: 16, Hidden: 2048, Heads: 32, KVHeads: 8, FFN: 8192, Vocab: 128256, Tied: true}
	if got := llama.Parameters(); got != 1235814400 {
		t.Errorf("Parameters = %d", got)
	}
}

func TestValidateNamesEachFault(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Shape)
		want   string
	}{
		{"a good shape", func(*Shape) {}, ""},
		{"no layers", func(s *Shape) { s.Layers = 0 }, "layers is 0"},
		{"heads do not divide hidden", func(s *Shape) { s.Heads = 7; s.KVHeads = 7 }, "no multiple of heads 7"},
		{"heads of six", func(s *Shape) { s.Hidden = 48 }, "head dimension 6"},
		{"kv heads do not divide heads", func(s *Shape) { s.KVHeads = 3 }, "kv heads 3"},
		{"unaligned ffn", func(s *Shape) { s.FFN = 98 }, "ffn 98"},
		{"a base that turns nothing", func(s *Shape) { s.RoPE = 1 }, "rotary base 1"},
		{"two faults at once", func(s *Shape) { s.FFN = 98; s.RoPE = -1 }, "rotary base -1"},
	} {
		s := tiny
		c.change(&s)
		err := s.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := New(tiny, 1, 0, nil); err == nil {
		t.Error("a model with no workers was made")
	}
}
