package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/disk"
	"github.com/spf13/cobra"

	"exobench"
	"exobench/catalogue"
	"exobench/gguf"
)

func synthCommand(env environment) *cobra.Command {
	var model, modelsFile, quant, out string
	var seed uint64
	cmd := &cobra.Command{
		Use:   "synth",
		Short: "Write a GGUF file with random weights in a model's true shape",
		Long: `Write a GGUF file with random weights in a model's true shape, so that llama.cpp or Ollama can be
measured at the model's speed before anything is downloaded. What such a model writes means nothing.`,
		Example: "  exobench synth --model llama-3.2-1b --quant q4_0 --out llama-3.2-1b.gguf",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			models, err := catalogue.Load(modelsFile)
			if err != nil {
				return driver.UsageError{Err: err}
			}
			if model == "" || out == "" {
				return driver.UsageError{Err: errors.New("synth needs --model NAME and --out FILE.gguf")}
			}
			m, ok := models.Find(model)
			if !ok {
				return connector{models: models}.unknown(model, nil)
			}
			return writeSynthetic(cmd.Context(), env.Stderr, m, quant, seed, out)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&model, "model", "", "a model of the catalogue")
	flags.StringVar(&modelsFile, "models-file", "", "file with more models, as catalogue/models.yaml")
	flags.StringVar(&quant, "quant", "q4_0", "quantisation: one of "+strings.Join(gguf.Quants(), ", "))
	flags.StringVar(&out, "out", "", "the file to write")
	flags.Uint64Var(&seed, "seed", 1, "seed of the random weights")
	return cmd
}

// syntheticFile returns the file of a model's synthetic weights in the cache
// folder, and writes it if it is not there.
func (c connector) syntheticFile(ctx context.Context, m catalogue.Model) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder for synthetic weights: %w", err)
	}
	folder := filepath.Join(cache, "exobench", "synthetic")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("no cache folder for synthetic weights: %w", err)
	}
	path := filepath.Join(folder, fmt.Sprintf("%s-%s.gguf", m.Name, strings.ToLower(c.flags.quant)))
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		return path, nil
	}
	progress := io.Writer(os.Stderr)
	if c.flags.quiet {
		progress = io.Discard
	}
	return path, writeSynthetic(ctx, progress, m, c.flags.quant, 1, path)
}

// writeSynthetic writes a model's synthetic weights beside the place and moves
// them there when they are whole.
func writeSynthetic(ctx context.Context, progress io.Writer, m catalogue.Model, quant string, seed uint64, path string) error {
	options, err := synthetic(m, quant, seed)
	if err != nil {
		return driver.UsageError{Err: err}
	}
	total, err := gguf.Size(*m.Shape, options)
	if err != nil {
		return driver.UsageError{Err: err}
	}
	folder := filepath.Dir(path)
	if usage, err := disk.UsageWithContext(ctx, folder); err == nil && usage.Free < uint64(total) {
		return driver.UsageError{Err: fmt.Errorf("%s needs %v and %s has %v free", path, exobench.Bytes(total), folder, exobench.Bytes(usage.Free))}
	}
	file, err := os.CreateTemp(folder, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("write synthetic weights: %w", err)
	}
	defer os.Remove(file.Name())
	fmt.Fprintf(progress, "writing %s: random weights in the shape of %s, %s, %v\n", path, m.Name, quant, exobench.Bytes(total))
	options.Progress = reportEvery(progress, 5*time.Second)
	buffered := bufio.NewWriterSize(file, 1<<20)
	err = gguf.Write(ctx, buffered, *m.Shape, options)
	if err = errors.Join(err, buffered.Flush(), file.Chmod(0o644), file.Close()); err != nil {
		return fmt.Errorf("write synthetic weights: %w", err)
	}
	return os.Rename(file.Name(), path)
}

// reportEvery returns a progress function that writes a line now and then.
func reportEvery(w io.Writer, every time.Duration) func(written, total int64) {
	next := time.Now().Add(every)
	return func(written, total int64) {
		if now := time.Now(); now.After(next) {
			next = now.Add(every)
			fmt.Fprintf(w, "  %v of %v\n", exobench.Bytes(written), exobench.Bytes(total))
		}
	}
}

// synthetic returns how a model's synthetic weights are made.
func synthetic(m catalogue.Model, quant string, seed uint64) (gguf.Options, error) {
	quant = strings.ToLower(quant)
	if !slices.Contains(gguf.Quants(), quant) {
		return gguf.Options{}, fmt.Errorf("--quant %s is not known: it must be one of %s", quant, strings.Join(gguf.Quants(), ", "))
	}
	if m.Shape == nil {
		return gguf.Options{}, fmt.Errorf("there are no synthetic weights for %s: its shape is not a plain Llama's", m.Name)
	}
	return gguf.Options{Name: m.Title, Quant: quant, Seed: seed}, nil
}
