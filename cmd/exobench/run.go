package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"exobench"
	"exobench/catalogue"
	"exobench/journal"
	"exobench/prompt"
	"exobench/resource"
	"exobench/run"
	"exobench/target/exo"
	"exobench/terminal"
	"exobench/wire"
)

// runFlags are the flags of exobench run.
type runFlags struct {
	engines, urls              []string
	models                     []string
	modelsFile                 string
	prompts                    []string
	maxTokens                  int64
	naturalStop                bool
	repeat, requests, warmup   int
	concurrency                []int
	rates                      []float64
	arrival                    string
	cache                      string
	seed                       uint64
	timeout, idleTimeout       time.Duration
	apiKeyEnv, apiKeyFile      string
	headers                    []string
	insecure                   bool
	out                        string
	sharding, instanceMeta     string
	minNodes, maxNodes         int
	allPlacements              bool
	reuse, replace, keepLoaded bool
	pull                       bool
	llamaServer, engineArgs    string
	synthetic                  bool
	quant                      string
	noCalibrate                bool
	quiet, json                bool
}

func runCommand(env environment) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Measure models with prompts: the main job",
		Long: `Measure each model with each prompt, several times, and write the results to a folder.

With exo on this node it measures exo: each model is placed, loaded, warmed up, measured and
taken away. Without, it measures the embedded engine, whose speed says nothing of a real one.`,
		Example: `  exobench run
  exobench run --model llama-3.2-1b --repeat 10
  exobench run --engine exo --url http://mac-studio:52415 --model mlx-community/Qwen3-0.6B-4bit
  exobench run --engine llamacpp --synthetic --model llama-3.2-1b
  exobench run --engine exo,ollama --model llama-3.2-1b --pull
  exobench run --engine openai --url http://127.0.0.1:8080 --model NAME --concurrency 1,4`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("requests") && cmd.Flags().Changed("repeat") {
				return usageError{errors.New("--requests and --repeat say the same thing in two ways: give one of them")}
			}
			if cmd.Flags().Changed("rate") && cmd.Flags().Changed("concurrency") {
				return usageError{errors.New("--rate is an open loop and --concurrency a closed one: give one of them")}
			}
			return measure(cmd.Context(), env, f)
		},
	}
	f.register(cmd)
	return cmd
}

func (f *runFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringSliceVar(&f.engines, "engine", []string{"auto"}, "what to measure, one or more of "+engineNames()+"; auto is exo if it answers, else embedded")
	flags.StringSliceVar(&f.urls, "url", nil, "where the engine answers, if not at its usual place; with several engines NAME=URL")
	flags.StringSliceVar(&f.models, "model", nil, "models, by short name, by the engine's own id, or a .gguf file (default: the five standard ones)")
	flags.StringVar(&f.modelsFile, "models-file", "", "file with more models, as catalogue/models.yaml")
	flags.StringArrayVar(&f.prompts, "prompts", []string{"standard"}, `"standard" or files: .txt (one a line), .jsonl, .yaml`)
	flags.Int64Var(&f.maxTokens, "max-tokens", 64, "length of each answer in tokens")
	flags.BoolVar(&f.naturalStop, "natural-stop", false, "let models end their answers (exo then keeps its prefix cache)")
	flags.IntVar(&f.repeat, "repeat", 3, "how often each prompt is measured")
	flags.IntVar(&f.requests, "requests", 0, "number of requests in each cell, in place of --repeat")
	flags.IntVar(&f.warmup, "warmup", 1, "requests sent to each loaded model before measuring")
	flags.IntSliceVar(&f.concurrency, "concurrency", []int{1}, "requests under way at a time; several numbers measure each")
	flags.Float64SliceVar(&f.rates, "rate", nil, "requests sent per second whatever the answers (open loop), in place of --concurrency; several numbers measure each")
	flags.StringVar(&f.arrival, "arrival", "poisson", "how requests of --rate are spread: poisson or constant")
	flags.StringVar(&f.cache, "cache", "cold", "cold: no answer comes from an engine's prompt cache; warm: it may")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of the order of requests and of sampling")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Minute, "longest time for one request; 0 is no bound")
	flags.DurationVar(&f.idleTimeout, "idle-timeout", 2*time.Minute, "longest silence in a request, keep-alives not counted; 0 is no bound")
	flags.StringVar(&f.apiKeyEnv, "api-key-env", "", "environment variable that holds the API key (engine openai)")
	flags.StringVar(&f.apiKeyFile, "api-key-file", "", "file that holds the API key (engine openai)")
	flags.StringArrayVar(&f.headers, "header", nil, `"Name: value" to send with every request (engine openai)`)
	flags.BoolVar(&f.insecure, "insecure", false, "accept any TLS certificate")
	flags.StringVar(&f.out, "out", "", "folder for the results (default: results/<UTC time>)")
	flags.StringVar(&f.sharding, "sharding", "", "exo: Pipeline or Tensor (default: what exo offers, Pipeline first)")
	flags.StringVar(&f.instanceMeta, "instance-meta", "", "exo: MlxRing or MlxJaccl (default: what exo offers, MlxRing first)")
	flags.IntVar(&f.minNodes, "min-nodes", 1, "exo: fewest nodes of a placement")
	flags.IntVar(&f.maxNodes, "max-nodes", 1, "exo: most nodes of a placement")
	flags.BoolVar(&f.allPlacements, "all-placements", false, "exo: measure every placement within these bounds, one after the other")
	flags.BoolVar(&f.reuse, "reuse", false, "exo: measure an instance of the model that is already there, and leave it")
	flags.BoolVar(&f.replace, "replace", false, "exo: delete instances of the model that are already there")
	flags.BoolVar(&f.pull, "pull", false, "ollama: fetch models that it does not have")
	flags.StringVar(&f.llamaServer, "llama-server", "", "llamacpp: the llama-server to start (default: found in $EXOBENCH_LLAMA_BIN or $PATH)")
	flags.StringVar(&f.engineArgs, "engine-args", "", "llamacpp: more arguments for the llama-server that is started")
	flags.BoolVar(&f.synthetic, "synthetic", false, "llamacpp: measure files with random weights in the models' true shapes, made on the way")
	flags.StringVar(&f.quant, "quant", "q4_0", "llamacpp: quantisation of --synthetic files")
	flags.BoolVar(&f.keepLoaded, "keep-loaded", false, "leave the models on the engine")
	flags.BoolVar(&f.noCalibrate, "no-calibrate", false, "leave out the short measurement of the harness's own error")
	flags.BoolVar(&f.quiet, "quiet", false, "show no progress")
	flags.BoolVar(&f.json, "json", false, "print summary.json in place of the table")
}

// complete fills in what the flags leave open, and checks what can be checked
// without an engine.
func (f *runFlags) complete(models *catalogue.Catalogue) (exobench.Plan, error) {
	if len(f.models) == 0 {
		f.models = models.Standard()
	}
	if slices.Equal(f.engines, []string{"auto"}) && slices.ContainsFunc(f.models, isGGUF) {
		f.engines = []string{"llamacpp"}
	}
	if err := checkEngines(f.engines); err != nil {
		return exobench.Plan{}, err
	}
	urls, err := engineURLs(f.urls, f.engines)
	if err != nil {
		return exobench.Plan{}, err
	}
	prompts, err := prompt.Load(f.prompts)
	if err != nil {
		return exobench.Plan{}, err
	}
	p := exobench.Plan{
		Engines: f.engines, URLs: urls, Models: f.models, Prompts: prompts,
		MaxTokens: exobench.Tokens(f.maxTokens), NaturalStop: f.naturalStop,
		Repeat: f.repeat, Requests: f.requests, Warmup: f.warmup, Concurrency: f.concurrency,
		AllPlacements: f.allPlacements, Timeout: f.timeout, IdleTimeout: f.idleTimeout, Cache: f.cache,
		Seeds: exobench.Seeds{Order: f.seed, Sampling: f.seed, Arrivals: f.seed, Prompts: f.seed},
	}
	if len(f.rates) > 0 {
		p.Concurrency, p.Rates, p.Arrival = nil, f.rates, f.arrival
	}
	placement := exo.Config{
		URL: urls["exo"], Sharding: f.sharding, InstanceMeta: f.instanceMeta,
		MinNodes: f.minNodes, MaxNodes: f.maxNodes, Reuse: f.reuse, Replace: f.replace,
	}
	return p, errors.Join(p.Validate(), placement.Validate())
}

// measure is the main job. What can be wrong with the request is found before
// anything is loaded.
func measure(ctx context.Context, env environment, f runFlags) error {
	models, err := catalogue.Load(f.modelsFile)
	if err != nil {
		return usageError{err}
	}
	plan, err := f.complete(models)
	if err != nil {
		return usageError{err}
	}
	clock := exobench.NewClock()
	client := wire.NewClient(wire.Config{Clock: clock, Insecure: f.insecure})
	defer client.Close()
	c := connector{flags: f, urls: plan.URLs, models: models, clock: clock, wire: client, getenv: env.Getenv}
	benches, err := c.connectAll(ctx, f.engines)
	if err != nil {
		return err
	}
	defer closeAll(benches)
	out, err := makeFolder(f.out, clock.Epoch())
	if err != nil {
		return err
	}
	header := &exobench.Header{
		Schema: exobench.SchemaVersion, RunID: out.runID, Epoch: clock.Epoch().UTC(),
		Tool: thisTool(), Host: thisHost(ctx), Plan: plan,
	}
	for _, b := range benches {
		header.Engines = append(header.Engines, b.Engine)
	}
	reason, err := record(ctx, env, f, benches, header, out, client, clock)
	if err != nil {
		return err
	}
	return conclude(env, f, out, reason)
}

// record runs the plan and writes the journal.
func record(ctx context.Context, env environment, f runFlags, benches []bench, header *exobench.Header, out folder,
	client *wire.Client, clock exobench.Clock,
) (exobench.EndReason, error) {
	writer, err := journal.Create(out.journal(), header)
	if err != nil {
		return "", fmt.Errorf("create the journal: %w", err)
	}
	view := terminal.Start(env.Stderr, terminal.Options{Engines: header.Engines, Events: client.Events, Quiet: f.quiet})
	config := run.Config{Plan: header.Plan, Recorder: writer, Clock: clock, Watch: view.Show, KeepLoaded: f.keepLoaded,
		Machine: func(enginePID int) func() exobench.Disturbance { return resource.WatchMachine(enginePID).Stop }}
	for _, b := range benches {
		config.Benches = append(config.Benches, b.Bench)
		for _, notice := range b.notices {
			err = errors.Join(err, writer.Append(&exobench.Note{At: clock.Now(), Engine: b.Engine.Name, Text: notice}))
			view.Show(exobench.Progress{At: clock.Now(), Engine: b.Engine.Name, Note: notice})
		}
	}
	if !f.noCalibrate {
		err = errors.Join(err, recordCalibration(ctx, writer, client, clock, header.Plan.Loads()))
	}
	reason, runErr := run.Execute(ctx, config)
	view.Close()
	return reason, errors.Join(err, runErr, writer.Close())
}

// recordCalibration measures the harness's own error and writes it to the
// journal. That it cannot be measured is a note, and no reason to stop.
func recordCalibration(ctx context.Context, writer *journal.Writer, client *wire.Client, clock exobench.Clock, loads []exobench.Load) error {
	all, err := calibrateRun(ctx, client, clock, loads)
	if err != nil && ctx.Err() == nil {
		err = writer.Append(&exobench.Note{At: clock.Now(), Text: "the harness's own error was not measured: " + err.Error()})
	}
	for _, c := range all {
		err = errors.Join(err, writer.Append(&c))
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// conclude makes the reports, shows the results, and returns how exobench ends.
func conclude(env environment, f runFlags, out folder, reason exobench.EndReason) error {
	results, err := makeReports(out.path)
	if err != nil {
		return fmt.Errorf("the journal is safe at %s, but the reports failed: %w", out.journal(), err)
	}
	if err := show(env.Stdout, results, out.path, f.json); err != nil {
		return err
	}
	out.linkLatest()
	switch {
	case reason == exobench.EndInterrupted:
		return exitError(exitInterrupted)
	case results.failed():
		return exitError(exitFailed)
	}
	return nil
}

// show prints the results and where they are.
func show(stdout io.Writer, r results, path string, asJSON bool) error {
	if asJSON {
		return r.writeJSON(stdout)
	}
	if err := r.writeTable(stdout); err != nil {
		return err
	}
	_, err := fmt.Fprintf(stdout, "\nResults are in %s: report.md, benchmark_results.csv, summary.csv, summary.json, three plots, and the journal.\n", path)
	return err
}
