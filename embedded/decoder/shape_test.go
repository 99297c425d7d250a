package decoder

import (
	"strings"
	"testing"

	"exobench/shape"
)

func TestWeightBytesAreWhatIsAllocated(t *testing.T) {
	tied := tiny
	tied.Tied = true
	for _, s := range []shape.Shape{tiny, tied} {
		m := newModel(t, s, 1, 1)
		n := len(m.embedding) + len(m.finalNorm)
		if !s.Tied {
			n += len(m.head)
		}
		for _, l := range m.layers {
			n += len(l.attentionNorm) + len(l.qkv) + len(l.output) + len(l.ffnNorm) + len(l.gateUp) + len(l.down)
		}
		if got := WeightBytes(s); got != int64(n)*bytesPerFloat {
			t.Errorf("tied %v: WeightBytes = %d, the model holds %d", s.Tied, got, n*bytesPerFloat)
		}
	}
}

func TestValidateNamesEachFault(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*shape.Shape)
		want   string
	}{
		{"a good shape", func(*shape.Shape) {}, ""},
		{"no shape at all", func(s *shape.Shape) { s.Layers = 0 }, "layers is 0"},
		{"heads of six", func(s *shape.Shape) { s.Hidden = 48 }, "6 wide"},
		{"unaligned ffn", func(s *shape.Shape) { s.FFN = 98 }, "ffn is 98"},
		{"biases", func(s *shape.Shape) { s.Arch = shape.Qwen2 }, "arch is qwen2"},
		{"slowed rotations", func(s *shape.Shape) { s.RopeFactor = 8 }, "rope_factor is 8"},
		{"two faults at once", func(s *shape.Shape) { s.FFN = 98; s.RopeFactor = 8 }, "rope_factor is 8"},
	} {
		s := tiny
		c.change(&s)
		err := Validate(s)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := New(tiny, 1, 0, nil); err == nil {
		t.Error("a model with no workers was made")
	}
}
