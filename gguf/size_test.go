package gguf

import (
	"bytes"
	"testing"

	"exobench/shape"
)

// Size works the header's length out without writing one.
func TestSizeIsThatOfTheFileWritten(t *testing.T) {
	t.Parallel()
	for _, s := range []shape.Shape{
		{Layers: 2, Hidden: 256, Heads: 4, KVHeads: 2, FFN: 512, Vocab: 1000, Tied: true, Context: 100, RopeBase: 1e4, RopeFactor: 8},
		{Arch: shape.Qwen2, Layers: 1, Hidden: 256, Heads: 4, KVHeads: 4, FFN: 512, Vocab: 701, Context: 100, RopeBase: 1e4},
	} {
		for _, quant := range []string{"q4_0", "q4_k_m", "f16"} {
			o := Options{Name: "some name", Quant: quant}
			var b bytes.Buffer
			if err := Write(t.Context(), &b, s, o); err != nil {
				t.Fatal(err)
			}
			if size, err := Size(s, o); err != nil || size != int64(b.Len()) {
				t.Errorf("%s: Size is %d, %v, and the file has %d bytes", quant, size, err, b.Len())
			}
		}
	}
}

// The formats that Write knows are in two tables.
func TestBlocksOfOneFormatAreOfOneSize(t *testing.T) {
	t.Parallel()
	for _, f := range []*format{f32, f16, q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k, q6_k} {
		if b := blocks[f.name]; b.elements != uint64(f.elements) || b.bytes != uint64(f.bytes) {
			t.Errorf("%s has blocks of %d numbers in %d bytes, and %d in %d", f.name, f.elements, f.bytes, b.elements, b.bytes)
		}
	}
	for id, name := range formatNames {
		if _, known := blocks[name]; !known {
			t.Errorf("type %d, %s, has no size", id, name)
		}
	}
	if n, ok := BytesPerValue("Q8_0"); !ok || n != 34.0/32 {
		t.Errorf("a number in Q8_0 has %v bytes, %v", n, ok)
	}
	if _, ok := (Tensor{Format: "type 99"}).Bytes(); ok {
		t.Error("the size of a format that is not known is known")
	}
}
