package ceiling

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"exobench"
	"exobench/catalogue"
	"exobench/gguf"
	"exobench/shape"
)

func TestProbeReadsMemory(t *testing.T) {
	m, err := Probe(t.Context(), 0, 4<<30)
	if err != nil {
		t.Fatal(err)
	}
	// From a phone to the fastest server.
	if m.PerSecond < 1e8 || m.PerSecond > 1e13 || m.Threads < 1 || m.Size < m.Cache || m.Size > 1<<30 {
		t.Errorf("got %+v", m)
	}
	if _, err := Probe(t.Context(), 0, 1<<20); err == nil {
		t.Error("a MiB is free, and enough to measure")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Probe(ctx, 0, 4<<30); err == nil {
		t.Error("what was cancelled gives a figure")
	}
}

// The sum stands for what was read: a line that is skipped changes it.
func TestSumReadsEveryLineOnce(t *testing.T) {
	t.Parallel()
	memory := make([]byte, 4*block)
	for i := range memory {
		memory[i] = byte(i * 7)
	}
	touch(memory)
	whole := sum(memory)
	for at := 0; at < len(memory); at += line {
		memory[at]++
		if sum(memory) != whole+1 {
			t.Fatalf("the line at %d is not read once", at)
		}
		memory[at]--
	}
	parts := split(memory, 3)
	if len(parts) != 3 || len(parts[0])+len(parts[1])+len(parts[2]) != len(memory) || together(parts, sum) != whole {
		t.Errorf("parts of %d, %d and %d bytes", len(parts[0]), len(parts[1]), len(parts[2]))
	}
	if parts := split(memory, 9); len(parts) != 4 || together(parts, sum) != whole {
		t.Errorf("4 blocks are %d parts for 9 threads", len(parts))
	}
}

func TestTheLargestCacheIsTheLastLevel(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, size := range map[string]string{"index0": "48K", "index2": "2048K", "index3": "307200K", "index4": "odd"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name, "size"), []byte(size+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := lastLevelCache(folder); got != 300<<20 {
		t.Errorf("got %d", got)
	}
	if got := lastLevelCache(t.TempDir()); got != 0 {
		t.Errorf("of nothing: got %d", got)
	}
}

func TestPublishedFiguresAreFoundByTheNameOfTheDevice(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		cores int
		want  float64 // GB/s; 0 is none
	}{
		{"Apple M1", 8, 68.3},
		{"Apple M3 Ultra", 32, 819},
		{"Apple M3 Max", 14, 300},
		{"Apple M3 Max", 16, 400},
		{"Apple M3 Max", 0, 400},
		{"Apple M4 Max", 14, 410},
		{"NVIDIA H100 80GB HBM3", 0, 3350},
		{"NVIDIA H100 PCIe", 0, 2000},
		{"NVIDIA A100-SXM4-80GB", 0, 2039},
		{"NVIDIA GeForce RTX 4090", 0, 1008},
		{"NVIDIA GeForce RTX 4090 Laptop GPU", 0, 0},
		{"NVIDIA H100 80GB HBM3 MIG 1g.10gb", 0, 0},
		{"Tesla T4", 0, 320},
		{"AMD Instinct MI300X", 0, 5300},
		{"AMD Radeon RX 7900 XTX", 0, 960},
		{"AMD RYZEN AI MAX+ 395 w/ Radeon 8060S", 32, 256},
		{"Intel(R) Xeon(R) Processor", 2, 0},
		{"Apple M9", 8, 0},
		{"", 0, 0},
	} {
		b, ok := Published(row.name, row.cores)
		if ok != (row.want > 0) || b.PerSecond != row.want*1e9 || ok && (b.From != exobench.BandwidthPublished || b.Source == "") {
			t.Errorf("%s with %d cores: got %+v, %v, want %v GB/s", row.name, row.cores, b, ok, row.want)
		}
	}
}

// A name that stands in two rows would be found in one only.
func TestEachDeviceStandsOnce(t *testing.T) {
	t.Parallel()
	all, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		name  string
		cores int
	}
	seen := map[key]bool{}
	for _, d := range all {
		if d.Source == "" || len(d.Date) < len("2020-01") || d.Gigabytes > 20000 {
			t.Errorf("%+v", d)
		}
		for _, name := range d.Names {
			k := key{plain(name), d.Cores}
			if seen[k] || name == "" {
				t.Errorf("%q stands twice, or is none", name)
			}
			seen[k] = true
		}
	}
	for _, text := range []string{"", "a,b\n", columns + "\nApple,M1,fast,,x,2020-01\n", columns + "\nApple,M1,-1,,x,2020-01\n", columns + "\nApple,M1\n"} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q is a table", text)
		}
	}
}

// oneB is the shape of Llama 3.2 1B.
var oneB = shape.Shape{Layers: 16, Hidden: 2048, Heads: 32, KVHeads: 8, FFN: 8192, Vocab: 128256, Tied: true, Context: 131072, RopeBase: 500000, RopeFactor: 32}

// header is that of a model file, without its values.
func header(arch string, metadata map[string]any, tensors ...gguf.Tensor) gguf.Header {
	h := gguf.Header{Architecture: arch, Metadata: map[string]any{}, Tensors: tensors}
	for key, value := range metadata {
		h.Metadata[arch+"."+key] = value
	}
	return h
}

func TestWhatIsReadOfAFileForAToken(t *testing.T) {
	t.Parallel()
	dense := map[string]any{
		"block_count": uint64(2), "attention.head_count": uint64(4), "attention.head_count_kv": uint64(2), "embedding_length": uint64(256),
	}
	embedding := gguf.Tensor{Name: "token_embd.weight", Dims: []uint64{256, 1000}, Format: "q6_k"}
	layer := gguf.Tensor{Name: "blk.0.attn_q.weight", Dims: []uint64{256, 256}, Format: "q4_0"}
	output := gguf.Tensor{Name: "output.weight", Dims: []uint64{256, 1000}, Format: "q8_0"}
	experts := gguf.Tensor{Name: "blk.0.ffn_up_exps.weight", Dims: []uint64{256, 512, 8}, Format: "f16"}
	const (
		embeddingBytes = 1000 * 210
		layerBytes     = 256 * 256 / 32 * 18
		outputBytes    = 256 * 1000 / 32 * 34
		expertBytes    = 256 * 512 * 8 * 2
	)
	for _, row := range []struct {
		what              string
		h                 gguf.Header
		size, weights, kv exobench.Bytes
		window            int
	}{
		{"tied: the embedding is the output matrix, and read", header("llama", dense, embedding, layer),
			embeddingBytes + layerBytes, embeddingBytes + layerBytes, 2 * 2 * 2 * 64 * 2, 0},
		{"not tied: a row of the embedding is read", header("llama", dense, embedding, layer, output),
			embeddingBytes + layerBytes + outputBytes, layerBytes + outputBytes, 2 * 2 * 2 * 64 * 2, 0},
		{"two of eight experts", header("qwen2moe", map[string]any{"expert_count": uint64(8), "expert_used_count": uint64(2)}, layer, experts),
			layerBytes + expertBytes, layerBytes + expertBytes/4, 0, 0},
		{"latent attention keeps one vector", header("deepseek2", map[string]any{
			"block_count": uint64(3), "attention.head_count": uint64(128), "attention.kv_lora_rank": uint64(512), "rope.dimension_count": uint64(64),
		}, layer), layerBytes, layerBytes, 3 * 576 * 2, 0},
		{"heads of another width, a window", header("gemma2", map[string]any{
			"block_count": uint64(2), "attention.head_count": uint64(8), "attention.head_count_kv": uint64(4), "attention.key_length": uint64(256),
			"attention.value_length": uint64(128), "attention.sliding_window": uint64(4096),
		}, layer), layerBytes, layerBytes, 2 * 4 * (256 + 128) * 2, 4096},
		{"no heads are told: all", header("llama", map[string]any{
			"block_count": uint64(2), "attention.head_count": uint64(4), "embedding_length": uint64(256),
		}, layer), layerBytes, layerBytes, 2 * 4 * 2 * 64 * 2, 0},
		{"layers that differ: not known", header("llama", map[string]any{
			"block_count": uint64(2), "attention.head_count": uint64(4), "embedding_length": uint64(256), "attention.head_count_kv": gguf.Array{Len: 2},
		}, layer), layerBytes, layerBytes, 0, 0},
	} {
		r, err := OfHeader(row.h)
		if err != nil || r.Size != row.size || r.Weights != row.weights || r.Position != row.kv || r.Window != row.window {
			t.Errorf("%s: got %+v, %v, want %d of %d and %d a position", row.what, r, err, row.weights, row.size, row.kv)
		}
	}
	if _, err := OfHeader(header("llama", nil, gguf.Tensor{Name: "x", Dims: []uint64{2}, Format: "type 99"})); err == nil {
		t.Error("the size of an unknown format is known")
	}
	if _, err := OfHeader(header("llama", nil)); err == nil {
		t.Error("a file without tensors has a ceiling")
	}
}

// The file's own list and the catalogue's shape come to the same.
func TestShapeAndFileAgree(t *testing.T) {
	t.Parallel()
	r, ok := OfModel(catalogue.Model{Parameters: oneB.Parameters(), Shape: &oneB}, 773<<20)
	if !ok || r.Weights != 773<<20 || r.Position != 16*2*512*2 || r.Basis != exobench.CeilingOfShape {
		t.Errorf("1B: got %+v, %v", r, ok)
	}
	untied := oneB
	untied.Tied = false
	n := untied.Parameters()
	r, _ = OfModel(catalogue.Model{Parameters: n, Shape: &untied}, exobench.Bytes(2*n))
	if want := exobench.Bytes(2 * (n - 128256*2048)); r.Weights < want-2 || r.Weights > want+2 {
		t.Errorf("of 16 bits, not tied: got %d, want %d", r.Weights, want)
	}
	r, _ = OfModel(catalogue.Model{Parameters: 671e9, ActiveParameters: 37e9}, 671e9)
	if r.Weights != 37e9 || r.Position != 0 || r.Basis != exobench.CeilingOfSize {
		t.Errorf("a mixture of experts: got %+v", r)
	}
	if _, ok := OfModel(catalogue.Model{Parameters: 1}, 0); ok {
		t.Error("a model of unknown size has a ceiling")
	}
}

func TestBytesOfATokenGrowWithItsContext(t *testing.T) {
	t.Parallel()
	r := Reads{Size: 1200, Weights: 1000, Position: 4, Vocab: 10}
	if r.At(0) != 1000 || r.At(50) != 1200 {
		t.Errorf("got %v and %v", r.At(0), r.At(50))
	}
	r.Window = 25
	if r.At(50) != 1100 || r.Needs(50) != 1200+200+Fixed+10*512*4 {
		t.Errorf("with a window: got %v, needs %v", r.At(50), r.Needs(50))
	}
	if got := r.WithValues(34.0/32, 2).Position; got != 3 {
		t.Errorf("with keys in Q8_0 a position has %v", got)
	}
}

func BenchmarkSum(b *testing.B) {
	memory := make([]byte, 64<<10/block*block) // in a cache: what the loop itself takes
	b.SetBytes(int64(len(memory)))
	for b.Loop() {
		sum(memory)
	}
}

// What the probe gives, for a comparison with other programs: GB/s of one thread
// and of all.
func BenchmarkProbe(b *testing.B) {
	for _, threads := range []int{1, 0} {
		b.Run(fmt.Sprint(threads), func(b *testing.B) {
			best := 0.0
			for b.Loop() {
				m, err := Probe(b.Context(), threads, 0)
				if err != nil {
					b.Fatal(err)
				}
				best = max(best, m.PerSecond)
			}
			b.ReportMetric(best/1e9, "GB/s")
		})
	}
}
