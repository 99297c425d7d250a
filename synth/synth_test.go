package synth

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exobench/catalogue"
	"exobench/shape"
)

// tiny is a model whose file is small.
var tiny = catalogue.Model{
	Name: "tiny", Title: "Tiny",
	Shape: &shape.Shape{Layers: 2, Hidden: 64, Heads: 2, KVHeads: 1, FFN: 128, Vocab: 400, Context: 512, RopeBase: 10000},
}

func newFile(t *testing.T) *File {
	t.Helper()
	f, err := New(tiny, "Q8_0", 1)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAFileIsWrittenOnceAndSaysWhatItIs(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // of which other systems make the cache folder
	f := newFile(t)
	var lines []string
	tell := func(line string) { lines = append(lines, line) }
	path, err := f.Cached(t.Context(), tell)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() != int64(f.Size()) {
		t.Errorf("the file: %+v, %v, want %v", info, err, f.Size())
	}
	if filepath.Base(path) != "tiny-q8_0.gguf" || !Is(path) {
		t.Errorf("%s: synthetic %v", path, Is(path))
	}
	if again, err := f.Cached(t.Context(), tell); err != nil || again != path {
		t.Errorf("again: %s, %v", again, err)
	}
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "writing "+path+": random weights in the shape of tiny, q8_0, ") {
		t.Errorf("told %q, want one line", lines)
	}
}

func TestWhatIsNotWholeIsNotThere(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newFile(t).Write(ctx, filepath.Join(folder, "tiny.gguf"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestNewSaysWhatCannotBeMade(t *testing.T) {
	t.Parallel()
	broken := tiny
	broken.Shape = &shape.Shape{Layers: 2, Hidden: 64, Heads: 3, KVHeads: 2, FFN: 128, Vocab: 400, Context: 512, RopeBase: 10000}
	for _, c := range []struct {
		name  string
		model catalogue.Model
		quant string
		want  string
	}{
		{"an unknown quantisation", tiny, "q17", "--quant q17 is not known: it must be one of f32, "},
		{"a model without a shape", catalogue.Model{Name: "odd"}, "q4_0", "no synthetic weights for odd"},
		{"a shape that is none", broken, "q4_0", "heads"},
	} {
		if _, err := New(c.model, c.quant, 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", c.name, err, c.want)
		}
	}
}

func TestProgressIsToldOnceInAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var lines []string
		report := every(5*time.Second, func(line string) { lines = append(lines, line) })
		for range 23 {
			time.Sleep(time.Second)
			report(1<<20, 2<<20)
		}
		if len(lines) != 3 || lines[0] != "  1.00 MiB of 2.00 MiB" {
			t.Errorf("told %q in 23 s, want 3 lines", lines)
		}
	})
}

func TestAFileOfAnotherKindIsNotSynthetic(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.gguf")
	if err := os.WriteFile(path, []byte("GGUF\x03\x00\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if Is(path) || Is(path+".none") {
		t.Error("it is said to be synthetic")
	}
}
