package gguf

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"exobench/shape"
)

func write(t *testing.T, s shape.Shape, o Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(t.Context(), &out, s, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestFilesReadBackAsWritten(t *testing.T) {
	t.Parallel()
	for _, s := range []shape.Shape{small, smallQwen()} {
		for _, quant := range Quants() {
			file := write(t, s, Options{Name: "Small 1", Quant: quant, Seed: 5})
			h, err := ReadHeader(bytes.NewReader(file))
			if err != nil {
				t.Fatalf("%s %s: %v", arch(s), quant, err)
			}
			want := Header{
				Version: 3, Architecture: arch(s), Name: "Small 1 (random weights)", Quant: quant,
				Context: 4096, Synthetic: true, Metadata: h.Metadata, Tensors: h.Tensors,
			}
			if diff := cmp.Diff(want, h); diff != "" {
				t.Errorf("%s %s: header differs:\n%s", arch(s), quant, diff)
			}
			for key, want := range map[string]any{
				"exobench.seed":                               uint64(5),
				arch(s) + ".block_count":                      uint64(8),
				arch(s) + ".attention.head_count_kv":          uint64(2),
				arch(s) + ".rope.freq_base":                   10000.0,
				arch(s) + ".attention.layer_norm_rms_epsilon": float64(float32(normEpsilon(s))),
				"tokenizer.ggml.tokens":                       Array{Len: 1000},
				"tokenizer.ggml.add_bos_token":                arch(s) == shape.Llama,
			} {
				if got := h.Metadata[key]; got != want {
					t.Errorf("%s %s: %s is %v, want %v", arch(s), quant, key, got, want)
				}
			}
		}
	}
}

func TestTensorsLieOneAfterTheOtherUpToTheEnd(t *testing.T) {
	t.Parallel()
	s := small
	s.Hidden, s.Heads, s.KVHeads, s.FFN, s.Vocab = 96, 3, 1, 224, 997 // sizes that need padding
	for _, quant := range []string{"f16", "q4_0", "q4_k_m"} {
		o := Options{Quant: quant}
		file := write(t, s, o)
		size, err := Size(s, o)
		if err != nil || size != int64(len(file)) {
			t.Errorf("%s: Size is %d, %v, but the file has %d bytes", quant, size, err, len(file))
		}
		made, err := newFile(s, o)
		if err != nil {
			t.Fatal(err)
		}
		h, err := ReadHeader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		start := int64(len(made.header))
		if start%alignment != 0 {
			t.Errorf("%s: values start at %d", quant, start)
		}
		var want int64
		for i, got := range h.Tensors {
			if int64(got.Offset) != want || want%alignment != 0 {
				t.Errorf("%s: %s is at %d, want %d", quant, got.Name, got.Offset, want)
			}
			end := want + made.tensors[i].bytes()
			want = padded(end)
			if pad := file[start+end : start+want]; !bytes.Equal(pad, make([]byte, len(pad))) {
				t.Errorf("%s: %s is padded with %x", quant, got.Name, pad)
			}
		}
		if start+want != int64(len(file)) {
			t.Errorf("%s: tensors end at %d of %d bytes", quant, start+want, len(file))
		}
	}
}

func TestValuesHaveTheSizeThatKeepsActivationsFinite(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes under the race detector, with nothing concurrent in it")
	}
	t.Parallel()
	for _, quant := range Quants() {
		s := smallQwen()
		file := write(t, s, Options{Quant: quant, Seed: 1})
		made, err := newFile(s, Options{Quant: quant, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		at := int64(len(made.header))
		for _, tensor := range made.tensors {
			values := decode(tensor.format, file[at:at+tensor.bytes()])
			at += padded(tensor.bytes())
			var mean, square float64
			for _, v := range values {
				mean += v / float64(len(values))
				square += v * v / float64(len(values))
			}
			wantMean, wantSD := 0.0, tensor.sd
			if tensor.data != nil {
				wantMean, wantSD = 1, 1
			}
			// Five standard errors, and 1 % for half floats.
			slack := 5/math.Sqrt(float64(len(values))) + 0.01
			if math.Abs(mean-wantMean) > wantSD*slack || math.Abs(math.Sqrt(square)/wantSD-1) > slack {
				t.Errorf("%s: %s has mean %g and root mean square %g, want %g and %g",
					quant, tensor.name, mean, math.Sqrt(square), wantMean, wantSD)
			}
		}
	}
}

func TestBytesDependOnTheSeedAndNotOnTheWorkers(t *testing.T) {
	t.Parallel()
	s := small
	s.Vocab = 4000 // the embedding has several chunks
	for _, quant := range []string{"f16", "q4_k_m"} {
		want := sha256.Sum256(write(t, s, Options{Quant: quant, Seed: 9, Workers: 1}))
		for _, workers := range []int{0, 2, 7, 100} {
			if got := sha256.Sum256(write(t, s, Options{Quant: quant, Seed: 9, Workers: workers})); got != want {
				t.Errorf("%s: the file of %d workers differs", quant, workers)
			}
		}
		if got := sha256.Sum256(write(t, s, Options{Quant: quant, Seed: 10})); got == want {
			t.Errorf("%s: another seed gives the same file", quant)
		}
	}
}

// No two 4 KiB pages of a file may be alike, or a file system or a cache would
// do less work than for a true model.
func TestNoPageStandsTwice(t *testing.T) {
	t.Parallel()
	s := small
	s.Vocab = 20000
	file := write(t, s, Options{Quant: "q4_0"})
	made, err := newFile(s, Options{Quant: "q4_0"})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[64]byte]bool{}
	at := int64(len(made.header))
	for _, tensor := range made.tensors {
		values := file[at : at+tensor.bytes()]
		at += padded(tensor.bytes())
		for ; tensor.data == nil && len(values) >= 64; values = values[min(4096, len(values)):] {
			if seen[[64]byte(values)] {
				t.Fatalf("a part of %s stands twice", tensor.name)
			}
			seen[[64]byte(values)] = true
		}
	}
}

// The shape is an 8B model's: its file has 4.7 GB. The test watches memory while
// the first part is written, in which buffers come and go a hundred times.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	s := published[0].shape
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var highest atomic.Uint64
	end := int64(1 << 30)
	if testing.Short() {
		end = 1 << 28
	}
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	err := Write(ctx, io.Discard, s, Options{Quant: "q4_0", Workers: 32, Progress: func(written, total int64) {
		if written>>20%16 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			highest.Store(max(highest.Load(), m.HeapInuse+m.StackInuse))
		}
		if written > end {
			stop()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	const limit = 256 << 20
	if high := highest.Load(); high == 0 || high > limit {
		t.Errorf("%d MiB in use, want at most %d", high>>20, limit>>20)
	}
}

func TestProgressEndsAtTheSizeOfTheFile(t *testing.T) {
	t.Parallel()
	var last int64
	o := Options{Quant: "q8_0", Progress: func(written, total int64) {
		if written <= last || written > total {
			t.Errorf("progress goes from %d to %d of %d", last, written, total)
		}
		last = written
	}}
	file := write(t, small, o)
	if last != int64(len(file)) {
		t.Errorf("progress ends at %d of %d bytes", last, len(file))
	}
}

// limited fails after some bytes.
type limited struct{ left int }

var errFull = errors.New("disk full")

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.left {
		return l.left, errFull
	}
	l.left -= len(b)
	return len(b), nil
}

func TestWriteStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	for _, room := range []int{0, 1 << 10, 1 << 17, 1 << 20} {
		before := time.Now()
		if err := Write(t.Context(), &limited{room}, published[1].shape, Options{Quant: "q4_0"}); !errors.Is(err, errFull) {
			t.Errorf("after %d bytes: %v, want %v", room, err, errFull)
		}
		if took := time.Since(before); took > time.Minute {
			t.Errorf("after %d bytes: it took %v", room, took)
		}
	}
}

func TestWriteStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	o := Options{Quant: "q4_0", Progress: func(int64, int64) { stop() }}
	if err := Write(ctx, io.Discard, published[0].shape, o); !errors.Is(err, context.Canceled) {
		t.Errorf("Write is %v, want %v", err, context.Canceled)
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, quant := range []string{"f16", "q8_0", "q4_0", "q4_k_m"} {
		b.Run(quant, func(b *testing.B) {
			o := Options{Quant: quant}
			size, err := Size(published[1].shape, o)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(size)
			for b.Loop() {
				if err := Write(b.Context(), io.Discard, published[1].shape, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
