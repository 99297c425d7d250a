package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"exobench"
	"exobench/calibrate"
	"exobench/catalogue"
	"exobench/child"
	"exobench/driver"
	"exobench/run"
)

// observerFlags are the flags of exobench calibrate that measure what exobench
// costs an engine.
type observerFlags struct {
	on         bool
	engine     string
	url, model string
	modelsFile string
	pairs      int
	streams    int
	requests   int
	tokens     int64
}

func (f *observerFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.on, "observer", false, "measure in place of that how much exobench slows an engine: its speed under exobench and under a bare client, in turn")
	flags.StringVar(&f.engine, "engine", "embedded", "with --observer: embedded, exo, llamacpp or openai; all but embedded need --url")
	flags.StringVar(&f.url, "url", "", "with --observer: where the engine answers")
	flags.StringVar(&f.model, "model", "llama-3.2-1b", "with --observer: the model to ask")
	flags.StringVar(&f.modelsFile, "models-file", "", "with --observer: file with more models, as catalogue/models.yaml")
	flags.IntVar(&f.pairs, "pairs", 10, "with --observer: pairs of rounds; an interval needs 6")
	flags.IntVar(&f.streams, "observed-streams", 8, "with --observer: requests under way")
	flags.IntVar(&f.requests, "observed-requests", 32, "with --observer: requests in each round")
	flags.Int64Var(&f.tokens, "observed-tokens", 64, "with --observer: length of each answer")
}

// bareClientCommand is the bare client of an observation, as a process of its
// own.
func bareClientCommand(env environment) *cobra.Command {
	return &cobra.Command{
		Use: "bare-client", Hidden: true, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return calibrate.Bare(cmd.Context(), env.Stdin, env.Stdout)
		},
	}
}

// observe measures how much exobench slows an engine, keeps the result for this
// machine, and shows it.
func observe(ctx context.Context, env environment, f observerFlags, asJSON bool) error {
	models, err := catalogue.Load(f.modelsFile)
	if err != nil {
		return driver.UsageError{Err: err}
	}
	clock := exobench.NewClock()
	drivers, err := newEnv(env, clock, models, false)
	if err != nil {
		return err
	}
	defer drivers.Wire.Close()
	plan := defaultPlan()
	plan.Models, plan.ModelsFile = []string{f.model}, f.modelsFile
	drivers.Plan = plan
	spec, end, err := f.spec(ctx, &drivers)
	if err != nil {
		return err
	}
	defer end()
	d, _ := driverOf(spec.Name)
	engine, err := d.Open(ctx, spec, drivers)
	if err != nil {
		return err
	}
	defer engine.Close()
	model, err := engine.Resolve(ctx, f.model)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "exobench-observer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	o := calibrate.Observer{
		Sensors: func(c *run.Config) func() {
			sensors := openHostSensors(ctx, env, clock)
			sensors.addTo(c)
			return sensors.Close
		},
		Engine: engine, Model: model, Clock: clock, Endpoint: endpoint(spec), Header: drivers.Header, Folder: folder,
		Bare:  func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, drivers.Program, "bare-client") },
		Pairs: f.pairs, Streams: f.streams, Requests: f.requests, Tokens: exobench.Tokens(f.tokens),
		Progress: func(pair int, ratio float64) {
			fmt.Fprintf(env.Stderr, "pair %d of %d: %.3f\n", pair, f.pairs, ratio)
		},
	}
	if spec.Name != "exo" {
		o.Body = map[string]any{"ignore_eos": true}
	}
	if err := o.Validate(); err != nil {
		return driver.UsageError{Err: err}
	}
	seen, err := o.Measure(ctx)
	if err != nil {
		return err
	}
	if err := keep(observationFile, seen); err != nil {
		fmt.Fprintf(env.Stderr, "exobench: the observation is not kept: %v\n", err)
	}
	if asJSON {
		encoder := json.NewEncoder(env.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(seen)
	}
	return showObservation(env.Stdout, seen)
}

// spec returns the engine to observe, which end ends. The embedded one is given
// all cores here, as real engines take them, and is driven as the exo that it
// speaks like.
func (f observerFlags) spec(ctx context.Context, env *driver.Env) (spec exobench.EngineSpec, end func(), err error) {
	spec, end = exobench.EngineSpec{Name: f.engine, URL: f.url}, func() {}
	switch {
	case f.engine == "embedded" && f.url == "":
		args := []string{"engine", "--port", "0", "--with-parent", "--workers", fmt.Sprint(cores())}
		if f.modelsFile != "" {
			args = append(args, "--models-file", f.modelsFile)
		}
		server, err := child.Serve(ctx, "the embedded engine", env.Program, args...)
		if err != nil {
			return spec, end, err
		}
		env.Header = server.Header(nil)
		spec.Name, spec.URL, end = "exo", server.URL, func() { _ = server.Stop() }
	case f.engine != "exo" && f.engine != "llamacpp" && f.engine != "openai":
		return spec, end, driver.UsageError{Err: fmt.Errorf("--observer takes --engine embedded, exo, llamacpp or openai, not %s", f.engine)}
	case f.url == "":
		return spec, end, driver.UsageError{Err: fmt.Errorf("--observer --engine %s needs the --url of one that runs", f.engine)}
	}
	return spec, end, completeOptions(&spec)
}

// endpoint is where the bare client sends its chats.
func endpoint(spec exobench.EngineSpec) string {
	base := strings.TrimSuffix(strings.TrimRight(spec.URL, "/"), "/v1")
	if spec.Name == "exo" {
		return base + "/bench/chat/completions"
	}
	return base + "/v1/chat/completions"
}

func showObservation(w io.Writer, o exobench.Observation) error {
	interval := fmt.Sprintf("too few pairs for an interval (%d)", len(o.Ratios))
	if o.High > 0 {
		interval = fmt.Sprintf("95 %% interval %.3f to %.3f", o.Low, o.High)
	}
	from := "by tokens over time"
	if o.Told {
		from = "by the engine's own figures"
	}
	_, err := fmt.Fprintf(w, "%s on %d cores, %s: %d requests of %d tokens, %d at a time, %d pairs of rounds in turn.\nThe engine's speed under exobench is %.3f of that under a bare client (%s), %s.\nCPU for 1,000 events: exobench %.1f ms, the bare client %.1f ms.\n",
		o.Engine, o.Cores, o.Model, o.Requests, o.Tokens, o.Streams, len(o.Ratios), o.Ratio, interval, from,
		float64(o.CPU.Microseconds())/1e3, float64(o.BareCPU.Microseconds())/1e3)
	return err
}

// observationFile is where the machine's observation is kept.
const observationFile = "observer.json"

// keptObservation returns the machine's observation; nil where there is none.
func keptObservation() *exobench.Observation {
	o := new(exobench.Observation)
	if !kept(observationFile, o) || o.Cores != cores() {
		return nil
	}
	return o
}
