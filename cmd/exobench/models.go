package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"exobench"
	"exobench/catalogue"
	"exobench/ceiling"
	"exobench/driver"
	"exobench/gpu"
	"exobench/internal/panics"
	"exobench/secret"
)

// modelsFlags are the flags of exobench models.
type modelsFlags struct {
	modelsFile, engine, url string
	context                 int
	bandwidth               float64
	json                    bool
}

func modelsCommand(env environment) *cobra.Command {
	var f modelsFlags
	cmd := &cobra.Command{
		Use:   "models",
		Short: "Show the models on each engine: size, whether they fit, and how fast they could be at best",
		Long: `Show which of the catalogue's models each engine has, or would have if it were here, and which others
it has: whether they fit into the memory that is free now, with a context of --context tokens, and how many
tokens per second one request could get at best, by the bandwidth of the memory. What is not known is a
question mark.`,
		Example: "  exobench models\n  exobench models --context 8192\n  exobench models --engine exo --url http://mac-studio:52415",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return listModels(cmd.Context(), env, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.engine, "engine", "", "show this engine only")
	flags.StringVar(&f.url, "url", "", "ask the engine at this address")
	flags.StringVar(&f.modelsFile, "models-file", "", "file with more models, as catalogue/models.yaml")
	flags.IntVar(&f.context, "context", 4096, "tokens of prompt and answer that are to fit, and that are read for each token")
	flags.Float64Var(&f.bandwidth, "bandwidth", 0, bandwidthHelp)
	flags.BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

func (f modelsFlags) check() error {
	if _, known := driverOf(f.engine); f.engine != "" && !known {
		return fmt.Errorf("--engine %s is not known: it must be one of %s", f.engine, engineNames())
	}
	if f.context < 1 || f.context > maxContext {
		return fmt.Errorf("--context is %d: it must be from 1 to %d tokens", f.context, maxContext)
	}
	if !(f.bandwidth >= 0 && f.bandwidth <= exobench.MaxBandwidth) {
		return fmt.Errorf("--bandwidth is %g: it must be above 0 and at most %d GB/s, or left out to have it found out", f.bandwidth, exobench.MaxBandwidth)
	}
	return nil
}

// maxContext is beyond any model's, in tokens.
const maxContext = 1 << 30

func listModels(ctx context.Context, env environment, f modelsFlags) error {
	models, err := catalogue.Load(f.modelsFile)
	if err = cmp.Or(err, f.check()); err != nil {
		return driver.UsageError{Err: err}
	}
	drivers, err := newEnv(env, exobench.NewClock(), models, false)
	if err != nil {
		return err
	}
	defer drivers.Wire.Close()
	// Before the engines are asked: answering them is work too.
	host := thisHost(ctx)
	host.GPUs, _ = gpu.Devices(ctx)
	m := newMemory(ctx, f.bandwidth, host).withGPUs(gpu.Held(ctx))
	if f.url == "" {
		_, _, err = m.bandwidth(ceiling.Reads{}, true, "")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	found, err := offers(ctx, env, f.engine, f.url, drivers)
	if err := cmp.Or(ctx.Err(), err); err != nil {
		return err
	}
	var all []offer
	for _, o := range secret.Map(found, env.secrets.Hide) {
		all = append(all, m.judge(o, models, f.context, onThisHost(f.url)))
	}
	if f.json {
		encoder := json.NewEncoder(env.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(all)
	}
	return showOffers(env.Stdout, all, f.context, widthOf(env.Stdout, 0))
}

// offers asks the engine of that name, or all that answer and those that
// exobench itself can start. Only an engine that was named is an error when it
// does not answer.
func offers(ctx context.Context, user environment, engine, url string, env driver.Env) ([]driver.Offer, error) {
	url, err := baseOf(url, user.secrets)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, detectTime)
	defer cancel()
	if engine == "" && url != "" {
		found := find(ctx, url, env, detectTime)
		if len(found) == 0 {
			return nil, fmt.Errorf("no engine answers at %s", url)
		}
		engine = found[0].Engine
	}
	if engine != "" {
		d, _ := driverOf(engine)
		spec := exobench.EngineSpec{Name: engine, URL: url}
		if err := completeOptions(&spec); err != nil {
			return nil, err
		}
		return d.Offers(ctx, spec, env)
	}
	all := make([][]driver.Offer, len(drivers))
	var asked sync.WaitGroup
	for i, d := range drivers {
		asked.Go(panics.Caught(func() {
			spec := exobench.EngineSpec{Name: d.Name()}
			if completeOptions(&spec) == nil {
				all[i], _ = d.Offers(ctx, spec, env)
			}
		}))
	}
	asked.Wait()
	return slices.Concat(all...), nil
}
