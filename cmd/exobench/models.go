package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/shirou/gopsutil/v4/mem"
	"github.com/spf13/cobra"

	"exobench"
	"exobench/catalogue"
	"exobench/embedded/decoder"
	"exobench/gguf"
	"exobench/target/exo"
	"exobench/target/llamacpp"
	"exobench/target/ollama"
)

// offer is one model on one engine.
type offer struct {
	Model  string         `json:"model"`
	Engine string         `json:"engine"`
	ID     string         `json:"id"`
	Size   exobench.Bytes `json:"size_bytes"`
	// Estimated is set where Size is reckoned and not told by the engine.
	Estimated  bool `json:"size_estimated,omitempty"`
	Downloaded bool `json:"downloaded"`
	Loaded     bool `json:"loaded"`
	// Fits reports whether it would fit into what memory is free now; Why says
	// so in words.
	Fits bool   `json:"fits"`
	Why  string `json:"why"`
}

func modelsCommand(env environment) *cobra.Command {
	var asJSON bool
	var modelsFile string
	cmd := &cobra.Command{
		Use:   "models",
		Short: "Show the catalogue's models on each engine: id, size, downloaded, loaded, fits",
		Long: `Show which of the catalogue's models each engine that answers on this host has, and whether they
fit into the memory that is free now.`,
		Example: "  exobench models",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			models, err := catalogue.Load(modelsFile)
			if err != nil {
				return usageError{err}
			}
			offers := allOffers(cmd.Context(), models.Models())
			if asJSON {
				encoder := json.NewEncoder(env.Stdout)
				encoder.SetIndent("", "  ")
				return encoder.Encode(offers)
			}
			return showOffers(env.Stdout, offers)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&modelsFile, "models-file", "", "file with more models, as catalogue/models.yaml")
	return cmd
}

// allOffers asks every engine that answers, and adds those that exobench itself
// can start.
func allOffers(ctx context.Context, models []catalogue.Model) []offer {
	var offers []offer
	for _, f := range detectEngines(ctx, detectTime) {
		switch f.Engine {
		case "exo":
			offers = append(offers, exoOffers(ctx, f.URL, models)...)
		case "ollama":
			offers = append(offers, ollamaOffers(ctx, f.URL, models)...)
		}
	}
	free := freeMemory(ctx)
	if _, err := llamacpp.FindProgram(""); err == nil {
		offers = append(offers, syntheticOffers(models, free)...)
	}
	return append(offers, embeddedOffers(models, free)...)
}

func freeMemory(ctx context.Context) exobench.Bytes {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return 0
	}
	return exobench.Bytes(m.Available)
}

// fit says whether a model of that size fits into what is free.
func (o *offer) fit(free exobench.Bytes) {
	o.Fits = o.Size <= free
	o.Why = fmt.Sprintf("%v of %v free", o.Size, free)
	if o.Loaded {
		o.Fits, o.Why = true, "loaded"
	}
}

// quarter reckons the size of a model with weights of four bits and their
// scales, as most downloads are.
func quarter(m catalogue.Model) exobench.Bytes { return exobench.Bytes(m.Parameters * 9 / 16) }

func exoOffers(ctx context.Context, url string, models []catalogue.Model) []offer {
	t, err := exo.Dial(ctx, exo.Config{URL: url})
	if err != nil {
		return nil
	}
	cards, _ := t.Models(ctx)
	downloaded, _ := t.Downloaded(ctx)
	loaded, _ := t.Loaded(ctx)
	var free exobench.Bytes
	for _, n := range t.Nodes() {
		free += n.Available
	}
	var offers []offer
	for _, m := range models {
		if len(m.IDs["exo"]) == 0 {
			continue
		}
		o := offer{Model: m.Name, Engine: "exo", ID: m.IDs["exo"][0], Size: quarter(m), Estimated: true}
		for _, card := range cards {
			if slices.Contains(m.IDs["exo"], card.ID) {
				o.ID, o.Size, o.Estimated = card.ID, card.Size, false
				break
			}
		}
		o.Downloaded, o.Loaded = slices.Contains(downloaded, o.ID), slices.Contains(loaded, o.ID)
		o.fit(free)
		offers = append(offers, o)
	}
	return offers
}

func ollamaOffers(ctx context.Context, url string, models []catalogue.Model) []offer {
	t, err := ollama.Dial(ctx, ollama.Config{URL: url})
	if err != nil {
		return nil
	}
	loaded, _ := t.Loaded(ctx)
	free := freeMemory(ctx)
	var offers []offer
	for _, m := range models {
		if len(m.IDs["ollama"]) == 0 {
			continue
		}
		o := offer{Model: m.Name, Engine: "ollama", ID: m.IDs["ollama"][0], Size: quarter(m), Estimated: true}
		if have, err := t.Resolve(m.Name, m.IDs["ollama"]); err == nil {
			o.ID, o.Downloaded = have.ID, true
			o.Loaded = slices.ContainsFunc(loaded, func(l ollama.Loaded) bool { return l.Name == have.ID })
		}
		o.fit(free)
		offers = append(offers, o)
	}
	return offers
}

// syntheticOffers are what llamacpp runs with --synthetic.
func syntheticOffers(models []catalogue.Model, free exobench.Bytes) []offer {
	var offers []offer
	for _, m := range models {
		options, err := synthetic(m, "q4_0", 1)
		if err != nil {
			continue
		}
		size, err := gguf.Size(*m.Shape, options)
		if err != nil {
			continue
		}
		o := offer{Model: m.Name, Engine: "llamacpp", ID: "--synthetic --quant q4_0", Size: exobench.Bytes(size)}
		o.fit(free)
		offers = append(offers, o)
	}
	return offers
}

func embeddedOffers(models []catalogue.Model, free exobench.Bytes) []offer {
	var offers []offer
	for _, m := range models {
		if m.Shape == nil || len(m.IDs["exo"]) == 0 {
			continue
		}
		s := standIn(m)
		o := offer{Model: m.Name, Engine: "embedded", ID: "stand-in of " + s.ID, Size: exobench.Bytes(decoder.WeightBytes(s.Shape)), Downloaded: true}
		o.fit(free)
		offers = append(offers, o)
	}
	return offers
}

func showOffers(w io.Writer, offers []offer) error {
	slices.SortStableFunc(offers, func(a, b offer) int { return strings.Compare(a.Model, b.Model) })
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MODEL\tENGINE\tID\tSIZE\tDOWNLOADED\tLOADED\tFITS")
	for _, o := range offers {
		size := o.Size.String()
		if o.Estimated {
			size = "about " + size
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s: %s\n", o.Model, o.Engine, o.ID, size, yesNo(o.Downloaded), yesNo(o.Loaded), yesNo(o.Fits), o.Why)
	}
	return t.Flush()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
