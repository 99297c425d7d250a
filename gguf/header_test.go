package gguf

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// start returns the beginning of a header.
func start(version uint32, tensors, keys uint64) []byte {
	b := put.AppendUint32([]byte(magic), version)
	return put.AppendUint64(put.AppendUint64(b, tensors), keys)
}

// headerOf returns a header with the metadata and no tensors.
func headerOf(fill func(*metadata)) []byte {
	var m metadata
	fill(&m)
	return append(start(3, 0, m.keys), m.bytes...)
}

func TestReadHeaderTakesAllTypesOfValues(t *testing.T) {
	t.Parallel()
	h, err := ReadHeader(bytes.NewReader(headerOf(func(m *metadata) {
		m.key("u8", typeUint8)
		m.bytes = append(m.bytes, 200)
		m.key("i8", typeInt8)
		m.bytes = append(m.bytes, 200)
		m.key("u16", typeUint16)
		m.bytes = put.AppendUint16(m.bytes, 60000)
		m.key("i16", typeInt16)
		m.bytes = put.AppendUint16(m.bytes, 60000)
		m.uint32("u32", 1<<31)
		m.key("i32", typeInt32)
		m.bytes = put.AppendUint32(m.bytes, 1<<31)
		m.uint64("u64", 1<<63)
		m.key("i64", typeInt64)
		m.bytes = put.AppendUint64(m.bytes, 1<<63)
		m.float32("f32", 0.5)
		m.key("f64", typeFloat64)
		m.bytes = put.AppendUint64(m.bytes, 0x3fd0000000000000)
		m.bool("yes", true)
		m.string("text", "a\xffb")
		m.array("texts", typeString, 2)
		m.text("one")
		m.text("")
		m.array("numbers", typeInt16, 3)
		m.bytes = append(m.bytes, make([]byte, 6)...)
		m.array("arrays", typeArray, 1)
		m.bytes = put.AppendUint64(put.AppendUint32(m.bytes, typeBool), 1)
		m.bytes = append(m.bytes, 1)
		m.bool("no", false)
	})))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"u8": uint64(200), "i8": int64(-56), "u16": uint64(60000), "i16": int64(-5536),
		"u32": uint64(1 << 31), "i32": int64(-1 << 31), "u64": uint64(1 << 63), "i64": int64(-1 << 63),
		"f32": 0.5, "f64": 0.25, "yes": true, "no": false, "text": "a\uFFFDb",
		"texts": Array{2}, "numbers": Array{3}, "arrays": Array{1},
	}
	if diff := cmp.Diff(want, h.Metadata); diff != "" {
		t.Error(diff)
	}
}

func TestReadHeaderCountsWeightsAndNamesFormats(t *testing.T) {
	t.Parallel()
	entry := func(b []byte, name string, kind uint32, dims ...uint64) []byte {
		b = append(put.AppendUint64(b, uint64(len(name))), name...)
		b = put.AppendUint32(b, uint32(len(dims)))
		for _, d := range dims {
			b = put.AppendUint64(b, d)
		}
		return put.AppendUint64(put.AppendUint32(b, kind), 64)
	}
	b := start(2, 3, 0)
	b = entry(b, "rope_freqs.weight", 0, 32)
	b = entry(b, "blk.0.attn_v.weight", 14, 256, 3)
	b = entry(b, "x", 99)
	h, err := ReadHeader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	want := []Tensor{
		{"rope_freqs.weight", []uint64{32}, "f32", 64},
		{"blk.0.attn_v.weight", []uint64{256, 3}, "q6_k", 64},
		{"x", nil, "type 99", 64},
	}
	if diff := cmp.Diff(want, h.Tensors); diff != "" || h.Parameters() != 256*3+1 {
		t.Errorf("%d weights, %s", h.Parameters(), diff)
	}
}

func TestReadHeaderRefusesBadFiles(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		about string
		file  []byte
		want  string
	}{
		{"no GGUF file", []byte("PK\x03\x04 and more"), "not a GGUF file"},
		{"version 1 has other widths", start(1, 0, 0), "version 1"},
		{"the other byte order", []byte("GGUF\x00\x00\x00\x03"), "big-endian"},
		{"more tensors than any model has", start(3, 1<<40, 0), "too many"},
		{"more keys than any model has", start(3, 0, 1<<40), "too many"},
		{"a key of absurd length", put.AppendUint64(start(3, 0, 1), 1<<62), "too long"},
		{"a value of no known type", headerOf(func(m *metadata) { m.key("a", 13) }), "type 13"},
		{"a key that stands twice", headerOf(func(m *metadata) { m.bool("a", true); m.bool("a", true) }), "twice"},
		{"an array whose size in bytes overflows", headerOf(func(m *metadata) { m.array("a", typeUint64, 1<<61) }), "too long"},
		{"an array of no known type", headerOf(func(m *metadata) { m.array("a", 77, 1) }), "type 77"},
		{"arrays in arrays in arrays", headerOf(func(m *metadata) {
			m.array("a", typeArray, 1)
			for range 100 {
				m.bytes = put.AppendUint64(put.AppendUint32(m.bytes, typeArray), 1)
			}
		}), "nested"},
		{"a tensor of five dimensions", append(start(3, 1, 0), "\x01\x00\x00\x00\x00\x00\x00\x00x\x05\x00\x00\x00"...), "5 dimensions"},
		{"a tensor whose size overflows", append(append(start(3, 1, 0), "\x01\x00\x00\x00\x00\x00\x00\x00x\x02\x00\x00\x00"...),
			bytes.Repeat([]byte{0xff}, 28)...), "too large"},
	} {
		_, err := ReadHeader(bytes.NewReader(row.file))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q in it", row.about, err, row.want)
		}
	}
}

func TestReadHeaderSaysThatAFileIsCutShort(t *testing.T) {
	t.Parallel()
	made, err := newFile(small, Options{Quant: "q4_0"})
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(made.header)-alignment; n += 101 {
		if _, err := ReadHeader(bytes.NewReader(made.header[:n])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d of %d bytes: %v, want %v", n, len(made.header), err, io.ErrUnexpectedEOF)
		}
	}
}

func TestReadHeaderReadsNoValues(t *testing.T) {
	t.Parallel()
	made, err := newFile(small, Options{Quant: "q4_0"})
	if err != nil {
		t.Fatal(err)
	}
	rest := io.MultiReader(bytes.NewReader(made.header), bytes.NewReader(make([]byte, 1<<16)), broken{})
	if _, err := ReadHeader(rest); err != nil {
		t.Error(err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("read beyond the header") }

func FuzzReadHeader(f *testing.F) {
	made, err := newFile(small, Options{Quant: "q4_k_m"})
	if err != nil {
		f.Fatal(err)
	}
	tiny := headerOf(func(m *metadata) {
		m.string("general.architecture", "llama")
		m.uint32("llama.context_length", 4096)
		m.array("tokenizer.ggml.tokens", typeString, 1)
		m.text("a")
	})
	f.Add(tiny)
	f.Add(tiny[:40])
	f.Add(append(start(3, 1, 0), "\x01\x00\x00\x00\x00\x00\x00\x00x\x01\x00\x00\x00\x20\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"...))
	f.Add(made.header[:2000])
	f.Add([]byte("GGUF\x00\x00\x00\x03"))
	f.Fuzz(func(t *testing.T, file []byte) {
		h, err := ReadHeader(bytes.NewReader(file))
		if err != nil {
			if h.Metadata != nil || h.Tensors != nil {
				t.Error("a header comes with an error")
			}
			return
		}
		if h.Version != 2 && h.Version != 3 {
			t.Errorf("version %d", h.Version)
		}
		if h.Parameters() > maxElements {
			t.Errorf("%d weights", h.Parameters())
		}
	})
}
