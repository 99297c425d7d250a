package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"exobench/catalogue"
	"exobench/driver"
	"exobench/gguf"
	"exobench/synth"
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
				return driver.Env{Catalogue: models}.UnknownModel(model)
			}
			file, err := synth.New(m, quant, seed)
			if err != nil {
				return driver.UsageError{Err: err}
			}
			return file.Write(cmd.Context(), out, func(line string) { fmt.Fprintln(env.Stderr, line) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&model, "model", "", "a model of the catalogue")
	flags.StringVar(&modelsFile, "models-file", "", "file with more models, as catalogue/models.yaml")
	flags.StringVar(&quant, "quant", synth.DefaultQuant, "quantisation: one of "+strings.Join(gguf.Quants(), ", "))
	flags.StringVar(&out, "out", "", "the file to write")
	flags.Uint64Var(&seed, "seed", synth.DefaultSeed, "seed of the random weights")
	return cmd
}
