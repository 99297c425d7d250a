package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"exobench/catalogue"
	"exobench/driver"
	engine "exobench/driver/embedded"
	"exobench/embedded"
)

// engineFlags are the flags of exobench engine.
type engineFlags struct {
	serveFlags
	modelsFile string
	preload    []string
	seed       uint64
	workers    int
	slowdown   string
}

func engineCommand(env environment) *cobra.Command {
	var f engineFlags
	cmd := &cobra.Command{
		Use:   "engine",
		Short: "Serve the embedded engine: exo's API before a real decoder with random weights",
		Long: `Serve the embedded engine on the loopback interface until it is interrupted.

It speaks the part of exo's v1 API that exobench uses, and OpenAI's chat completions. Its tokens
come from a real Llama-style decoder on the processor; the weights are random, and each model of
the catalogue has a stand-in of its own proportions, scaled down. Its speed says nothing of a real
engine. It answers to localhost, 127.0.0.1 and ::1 only, and to every process of this machine unless
it has --token.`,
		Example: `  exobench engine --port 52415
  exobench engine --preload llama-3.2-1b`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serveEngine(cmd.Context(), env, f) },
	}
	flags := cmd.Flags()
	f.serveFlags.register(flags, 52415)
	flags.StringVar(&f.modelsFile, "models-file", "", "file with more models, as catalogue/models.yaml")
	flags.StringSliceVar(&f.preload, "preload", nil, "models to make instances of at the start")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of the random weights")
	flags.IntVar(&f.workers, "workers", 0, "cores to compute with; 0 leaves one to the client")
	flags.StringVar(&f.slowdown, "slowdown", "0%", "take so much longer for each token than it must, such as 3%, to try what finds it")
	return cmd
}

func serveEngine(ctx context.Context, env environment, f engineFlags) error {
	config, err := engineConfig(f)
	if err != nil {
		return driver.UsageError{Err: err}
	}
	if config.Token, err = f.tokenOf(env); err != nil {
		return err
	}
	server, err := embedded.New(config)
	if err != nil {
		return driver.UsageError{Err: err}
	}
	return f.serve(ctx, env, server.Handler(), func() { _ = server.Close() })
}

// exoCards are the models of the catalogue that exo ships cards for; the others
// are added to it as custom models.
var exoCards = []string{
	"mlx-community/Meta-Llama-3.1-8B-Instruct-4bit",
	"mlx-community/Llama-3.2-1B-Instruct-4bit",
}

func engineConfig(f engineFlags) (embedded.Config, error) {
	models, err := catalogue.Load(f.modelsFile)
	if err != nil {
		return embedded.Config{}, err
	}
	slowdown, err := engine.Slowdown(f.slowdown)
	if err != nil {
		return embedded.Config{}, fmt.Errorf("--slowdown %w", err)
	}
	c := embedded.Config{Seed: f.seed, Workers: f.workers, Slowdown: slowdown, Version: version()}
	for _, m := range models.Models() {
		if m.Shape == nil || len(m.IDs["exo"]) == 0 {
			continue
		}
		if s := standIn(m); slices.Contains(exoCards, s.ID) {
			c.Models = append(c.Models, s)
		} else {
			c.Addable = append(c.Addable, s)
		}
	}
	for _, name := range f.preload {
		m, ok := models.Find(name)
		if !ok || m.Shape == nil || len(m.IDs["exo"]) == 0 {
			return c, fmt.Errorf("--preload %s: the embedded engine has no such model", name)
		}
		c.Preload = append(c.Preload, m.IDs["exo"][0])
	}
	return c, nil
}

// standIn returns the embedded engine's model in the place of one of the
// catalogue.
func standIn(m catalogue.Model) embedded.Model {
	return embedded.Model{
		ID: m.IDs["exo"][0], BaseModel: m.Title, Quantization: "float32", Shape: catalogue.StandIn(*m.Shape),
	}
}
