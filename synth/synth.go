// Package synth makes GGUF files of the catalogue's models with random weights
// in their true shapes, so that an engine can be measured at a model's speed
// before anything is downloaded. What such a model writes means nothing.
//
//	f, err := synth.New(model, "q4_0", 1)
//	err = f.Write(ctx, "llama-3.2-1b.gguf", progress)
package synth

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/disk"

	"exobench"
	"exobench/catalogue"
	"exobench/gguf"
)

// DefaultQuant is the quantisation where none is asked for, and DefaultSeed
// that of the files in the cache folder.
const (
	DefaultQuant = "q4_0"
	DefaultSeed  = 1
)

// File is a file that can be made.
type File struct {
	model   catalogue.Model
	options gguf.Options
	size    exobench.Bytes
}

// New returns the file of a model's random weights; nothing is written yet. An
// error is one of who asks: the quantisation is not known, or the model's shape
// not one that can be written.
func New(m catalogue.Model, quant string, seed uint64) (*File, error) {
	quant = strings.ToLower(quant)
	if !slices.Contains(gguf.Quants(), quant) {
		return nil, fmt.Errorf("--quant %s is not known: it must be one of %s", quant, strings.Join(gguf.Quants(), ", "))
	}
	if m.Shape == nil {
		return nil, fmt.Errorf("there are no synthetic weights for %s: its shape is not a plain Llama's", m.Name)
	}
	f := &File{model: m, options: gguf.Options{Name: m.Title, Quant: quant, Seed: seed}}
	size, err := gguf.Size(*f.model.Shape, f.options)
	if err != nil {
		return nil, err
	}
	f.size = exobench.Bytes(size)
	return f, nil
}

// Size returns how large the file is once it is written.
func (f *File) Size() exobench.Bytes { return f.size }

// Cached returns the place of the file in the user's cache folder, and writes it
// there if it is not there yet. progress is as in Write.
func (f *File) Cached(ctx context.Context, progress func(line string)) (path string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder for synthetic weights: %w", err)
	}
	folder := filepath.Join(cache, "exobench", "synthetic")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("no cache folder for synthetic weights: %w", err)
	}
	// A name may have slashes; none leads out of the folder.
	path = filepath.Join(folder, fmt.Sprintf("%s-%s.gguf", url.PathEscape(f.model.Name), f.options.Quant))
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		return path, nil
	}
	return path, f.Write(ctx, path, progress)
}

// reportEvery is the time between two lines about a file that is written.
const reportEvery = 5 * time.Second

// Write writes the file beside the path and moves it there when it is whole. It
// calls progress, which may be nil, with a line at the beginning and now and
// then.
func (f *File) Write(ctx context.Context, path string, progress func(line string)) error {
	if progress == nil {
		progress = func(string) {}
	}
	folder := filepath.Dir(path)
	if usage, err := disk.UsageWithContext(ctx, folder); err == nil && usage.Free < uint64(f.size) {
		return fmt.Errorf("%s needs %v and %s has %v free", path, f.size, folder, exobench.Bytes(usage.Free))
	}
	file, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("write synthetic weights: %w", err)
	}
	defer os.Remove(file.Name())
	progress(fmt.Sprintf("writing %s: random weights in the shape of %s, %s, %v", path, f.model.Name, f.options.Quant, f.size))
	options := f.options
	options.Progress = every(reportEvery, progress)
	buffered := bufio.NewWriterSize(file, 1<<20)
	err = gguf.Write(ctx, buffered, *f.model.Shape, options)
	if err = errors.Join(err, buffered.Flush(), file.Chmod(0o644), file.Close()); err != nil {
		return fmt.Errorf("write synthetic weights: %w", err)
	}
	return os.Rename(file.Name(), path)
}

// every returns a function that tells of progress once in a while.
func every(period time.Duration, progress func(line string)) func(written, total int64) {
	next := time.Now().Add(period)
	return func(written, total int64) {
		if now := time.Now(); now.After(next) {
			next = now.Add(period)
			progress(fmt.Sprintf("  %v of %v", exobench.Bytes(written), exobench.Bytes(total)))
		}
	}
}

// Is reports whether the GGUF file at the path says that its weights are
// random.
func Is(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	header, err := gguf.ReadHeader(file)
	return err == nil && header.Synthetic
}
