package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/internal/panics"
	"exobench/secret"
)

func modelsCommand(env environment) *cobra.Command {
	var asJSON bool
	var modelsFile, engine, url string
	cmd := &cobra.Command{
		Use:   "models",
		Short: "Show the models on each engine: id, size, downloaded, loaded, fits",
		Long: `Show which of the catalogue's models each engine has, and which others it has, and whether they fit into
the memory that is free now. What an engine does not tell is a question mark.`,
		Example: "  exobench models\n  exobench models --engine exo --url http://mac-studio:52415",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			models, err := catalogue.Load(modelsFile)
			if err != nil {
				return driver.UsageError{Err: err}
			}
			if _, known := driverOf(engine); engine != "" && !known {
				return driver.UsageError{Err: fmt.Errorf("--engine %s is not known: it must be one of %s", engine, engineNames())}
			}
			drivers, err := newEnv(env, exobench.NewClock(), models, false)
			if err != nil {
				return err
			}
			defer drivers.Wire.Close()
			offers, err := offers(cmd.Context(), env, engine, url, drivers)
			if err := cmp.Or(cmd.Context().Err(), err); err != nil {
				return err
			}
			offers = secret.Map(offers, env.secrets.Hide)
			if asJSON {
				encoder := json.NewEncoder(env.Stdout)
				encoder.SetIndent("", "  ")
				return encoder.Encode(offers)
			}
			return showOffers(env.Stdout, offers)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&engine, "engine", "", "show this engine only")
	flags.StringVar(&url, "url", "", "ask the engine at this address")
	flags.StringVar(&modelsFile, "models-file", "", "file with more models, as catalogue/models.yaml")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
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

func showOffers(w io.Writer, offers []driver.Offer) error {
	slices.SortStableFunc(offers, func(a, b driver.Offer) int { return strings.Compare(a.Model, b.Model) })
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MODEL\tENGINE\tID\tSIZE\tDOWNLOADED\tLOADED\tFITS")
	for _, o := range secret.Map(offers, forTable) {
		size := o.Size.String()
		switch {
		case o.Size == 0:
			size = "?"
		case o.Estimated:
			size = "about " + size
		}
		fits := yesNo(o.Fits)
		if o.Why != "" {
			fits += ": " + o.Why
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.Model, o.Engine, o.ID, size, yesNo(o.Downloaded), yesNo(o.Loaded), fits)
	}
	return t.Flush()
}

// yesNo writes what an engine tells; a question mark where it does not.
func yesNo(b *bool) string {
	switch {
	case b == nil:
		return "?"
	case *b:
		return "yes"
	}
	return "no"
}
