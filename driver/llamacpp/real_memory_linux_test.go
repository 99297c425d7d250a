package llamacpp

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"exobench"
	"exobench/gguf"
	"exobench/resource"
	"exobench/shape"
)

// medium has the proportions of a model of 1 B, and 130 M weights: enough to tell
// them from what the server takes for itself.
var medium = shape.Shape{Layers: 8, Hidden: 1024, Heads: 16, KVHeads: 4, FFN: 4096, Vocab: 16000, Context: 4096, RopeBase: 500000}

// rollups sums a key of /proc/PID/smaps_rollup over a process and what it started.
func rollups(t *testing.T, root int, key string) float64 {
	t.Helper()
	below, err := resource.Descendants(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, pid := range append(below, root) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(text), "\n"+key+":")
		kib, err := strconv.Atoi(strings.Fields(after + " -")[0])
		if err != nil {
			t.Fatalf("no %s in %s", key, text)
		}
		sum += float64(kib << 10)
	}
	return sum
}

// The parts of a real server's memory are those that the kernel tells, and show where
// the weights are: mapped, or in the server's own memory and mapped beside it, as
// where it puts them into another order for the processor.
func TestTheMemoryOfARealServerIsWhatTheKernelTells(t *testing.T) {
	program, err := findProgram("")
	if err != nil {
		t.Skipf("no real llama.cpp to test with (%v); .ci/install-llama puts one in place", err)
	}
	for _, row := range []struct {
		quant, args string
		// file and anonymous are, at least and below, how many times the size of the
		// file each part has.
		file, anonymous [2]float64
	}{
		{"q4_0", "-t 1", [2]float64{0.6, 1.5}, [2]float64{0.6, 3}},
		{"q8_0", "-t 1 --no-repack", [2]float64{0.9, 1.5}, [2]float64{0, 0.6}},
		{"q8_0", "-t 1 --no-repack --load-mode none", [2]float64{0, 0.4}, [2]float64{0.9, 2}},
	} {
		model := filepath.Join(t.TempDir(), row.quant+".gguf")
		f, err := os.Create(model)
		if err == nil {
			err = gguf.Write(t.Context(), f, medium, gguf.Options{Name: "Medium", Quant: row.quant})
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		info, err := os.Stat(model)
		if err != nil {
			t.Fatal(err)
		}
		env := testEnv(t)
		env.Plan = oneAtATime
		e := open(t, specOf(program, row.args), env).(*started)
		m, err := e.Resolve(t.Context(), model)
		if err != nil {
			t.Fatal(err)
		}
		sensor := e.Sensors()[0]
		read := func(moment exobench.Moment) exobench.Values {
			samples, err := sensor.Read(t.Context(), moment)
			if err != nil {
				t.Fatal(err)
			}
			return samples[0].Values
		}
		d, err := e.Prepare(t.Context(), m, "", new(events).report)
		if err != nil {
			t.Fatal(err)
		}
		values := read(exobench.Loaded)
		for q, keys := range map[exobench.Quantity][]string{
			exobench.PSS: {"Pss"}, exobench.RSS: {"Rss"}, exobench.Anonymous: {"Pss_Anon", "Pss_Shmem"}, exobench.File: {"Pss_File"}, exobench.Swap: {"SwapPss"},
		} {
			truth := 0.0
			for _, key := range keys {
				truth += rollups(t, d.PID, key)
			}
			if got, ok := values.Get(q); !ok || math.Abs(got-truth) > 0.01*truth {
				t.Errorf("%s %s: %s is %.0f, and the kernel tells %.0f", row.quant, row.args, q, got, truth)
			}
		}
		for q, want := range map[exobench.Quantity][2]float64{exobench.File: row.file, exobench.Anonymous: row.anonymous} {
			got, _ := values.Get(q)
			times := got / float64(info.Size())
			t.Logf("%s %s: %s is %.2f times the file", row.quant, row.args, q, times)
			if times < want[0] || times >= want[1] {
				t.Errorf("%s %s: %s is %.2f times the file, want %v", row.quant, row.args, q, times, want)
			}
		}
		release(t, e, d)
		if left, ok := read(exobench.Released).Get(exobench.PSS); !ok || left != 0 {
			t.Errorf("%s: %v is left (known: %v) of a server that has ended", row.quant, left, ok)
		}
	}
}
