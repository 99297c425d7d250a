package gguf

import (
	"fmt"
	"math"

	"exobench/shape"
)

// tensor is one entry of a file.
type tensor struct {
	name   string
	dims   []uint64 // row length first
	format *format
	sd     float64 // of the random values, unless
	data   []byte  // the values are given
}

func (t tensor) elements() int64 {
	n := int64(1)
	for _, d := range t.dims {
		n *= int64(d)
	}
	return n
}

// bytes is the size of the values without what pads them.
func (t tensor) bytes() int64 { return t.format.size(t.elements()) }

// tensors lists the tensors of the shape in the order of the file. Values have
// variance 1 / inputs, so that what passes through keeps its size.
func tensors(s shape.Shape, m mixture) ([]tensor, error) {
	var list []tensor
	var failed error
	matrix := func(name string, rows, row int, what role, layer int) {
		f, err := m.choose(what, layer, s.Layers, row)
		if err != nil {
			failed = fmt.Errorf("%s.weight: %w", name, err)
			return
		}
		list = append(list, tensor{name + ".weight", []uint64{uint64(row), uint64(rows)}, f, 1 / math.Sqrt(float64(row)), nil})
	}
	norm := func(name string) {
		list = append(list, tensor{name + ".weight", []uint64{uint64(s.Hidden)}, f32, 0, repeat(1, s.Hidden)})
	}
	bias := func(name string, n int) {
		list = append(list, tensor{name + ".bias", []uint64{uint64(n)}, f32, 1 / math.Sqrt(float64(s.Hidden)), nil})
	}

	if s.RopeFactor > 0 {
		divisors := ropeDivisors(s)
		list = append(list, tensor{ropeFactors, []uint64{uint64(len(divisors))}, f32, 0, encode(divisors)})
	}
	embedding := other
	if s.Tied {
		embedding = output
	}
	matrix("token_embd", s.Vocab, s.Hidden, embedding, 0)
	keys := s.KVWidth()
	for i := range s.Layers {
		block := fmt.Sprintf("blk.%d.", i)
		norm(block + "attn_norm")
		matrix(block+"attn_q", s.Hidden, s.Hidden, other, i)
		matrix(block+"attn_k", keys, s.Hidden, other, i)
		matrix(block+"attn_v", keys, s.Hidden, attentionValue, i)
		if s.Arch == shape.Qwen2 {
			bias(block+"attn_q", s.Hidden)
			bias(block+"attn_k", keys)
			bias(block+"attn_v", keys)
		}
		matrix(block+"attn_output", s.Hidden, s.Hidden, other, i)
		norm(block + "ffn_norm")
		matrix(block+"ffn_gate", s.FFN, s.Hidden, other, i)
		matrix(block+"ffn_up", s.FFN, s.Hidden, other, i)
		matrix(block+"ffn_down", s.Hidden, s.FFN, feedForwardDown, i)
	}
	norm("output_norm")
	if !s.Tied {
		matrix("output", s.Vocab, s.Hidden, output, 0)
	}
	return list, failed
}

// ropeFactors is the one tensor that is no weight of the model.
const ropeFactors = "rope_freqs.weight"

func repeat(value float32, n int) []byte {
	values := make([]float32, n)
	for i := range values {
		values[i] = value
	}
	return encode(values)
}

func encode(values []float32) []byte {
	var b []byte
	for _, v := range values {
		b = put.AppendUint32(b, math.Float32bits(v))
	}
	return b
}
