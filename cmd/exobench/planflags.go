package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"exobench"
	"exobench/driver"
	"exobench/secret"
)

// defaultPlan is what exobench run does when it is told nothing. Its models are
// the catalogue's standard ones, its prompts those of its prompt files.
func defaultPlan() exobench.Plan {
	return exobench.Plan{
		Engines:  []exobench.EngineSpec{{Name: auto}},
		Workload: exobench.Workload{PromptFiles: []string{"standard"}, MaxTokens: 64, Cache: exobench.ColdCache},
		Traffic:  []exobench.Traffic{{Concurrency: 1}},
		Stop:     exobench.Stop{Repeat: 3},
		Loads:    1,
		Warmup:   1,
		Timeout:  exobench.Duration(10 * time.Minute), IdleTimeout: exobench.Duration(2 * time.Minute),
		Calibrate: true, IdlePower: exobench.Duration(5 * time.Second),
		Seeds: exobench.Seeds{Order: 1, Sampling: 1, Arrivals: 1},
	}
}

// defaultMaxRepeat is where a cell ends whose medians would not be known.
const defaultMaxRepeat = 100

// planFlags are the flags that make a plan. Each changes the plan that --plan
// names, or the default one.
type planFlags struct {
	file                           string
	engines, urls, headers, models []string
	variants                       []string
	skipMissing                    bool
	modelsFile                     string
	prompts                        []string
	maxTokens                      int64
	naturalStop                    bool
	temperature                    float64
	cache                          string
	repeat, requests, warmup       int
	loads, maxRepeat               int
	until                          string
	duration, maxTime              time.Duration
	concurrency                    []int
	rates                          []float64
	arrival                        string
	maxUnderWay                    int
	seed, promptSeed               uint64
	timeout, idleTimeout           time.Duration
	bandwidth                      float64
	insecure, allPlacements        bool
	keepLoaded, noCalibrate        bool
	powerCSV                       string
	powerOffset, idlePower         time.Duration

	// addresses are those of engines, by label, that have what a plan must not
	// keep; secrets learns of it.
	addresses map[string]string
	secrets   *secret.Set
	flags     *pflag.FlagSet
	// given has the values of --header, which no plan keeps.
	given map[string]string
}

// register adds the flags, in groups.
func (f *planFlags) register(cmd *cobra.Command, groups *flagGroups) {
	d := defaultPlan()
	f.flags = cmd.Flags()

	what := groups.add("What to measure")
	what.StringVar(&f.file, "plan", "", "plan file to run (exobench plan prints one); flags given beside it win")
	what.StringSliceVar(&f.engines, "engine", []string{auto}, "one or more of "+engineNames()+"; auto is exo if it answers, else embedded")
	what.StringSliceVar(&f.urls, "url", nil, "where the engine answers, if not at its usual place; with several engines NAME=URL")
	what.StringArrayVar(&f.variants, "ab", nil, `variants of the one engine to compare within the run, in turn: NAME='--flag value ...' with flags of the engine, --url, or --plan FILE for the engine of another plan; two or more, after one --ab or several`)
	what.StringSliceVar(&f.models, "model", nil, "models, by short name, by the engine's own id, or a .gguf file (default: the five standard ones)")
	what.BoolVar(&f.skipMissing, "skip-missing", false, "skip models that an engine does not have, as the standard ones are where no --model names others")
	what.StringVar(&f.modelsFile, "models-file", "", "file with more models, as catalogue/models.yaml")
	what.StringArrayVar(&f.prompts, "prompts", d.Workload.PromptFiles, `"standard" or files: .txt (one a line), .jsonl, .yaml`)
	what.Int64Var(&f.maxTokens, "max-tokens", int64(d.Workload.MaxTokens), "length of each answer in tokens")
	what.BoolVar(&f.naturalStop, "natural-stop", false, "let models end their answers (exo then keeps its prefix cache)")
	what.Float64Var(&f.temperature, "temperature", d.Workload.Temperature, "temperature of the sampling; 0 takes the likeliest token each time")
	what.StringVar(&f.cache, "cache", string(d.Workload.Cache), "cold: no answer comes from an engine's prompt cache; warm: it may, and each prompt is sent once before measuring")

	load := groups.add("Load, and how much of it")
	load.IntSliceVar(&f.concurrency, "concurrency", []int{1}, "requests under way at a time (closed loop); several numbers measure each")
	load.Float64SliceVar(&f.rates, "rate", nil, "requests sent per second whatever the answers (open loop), in place of --concurrency; several numbers measure each")
	load.StringVar(&f.arrival, "arrival", string(exobench.Poisson), "how requests of --rate are spread: poisson or constant")
	load.IntVar(&f.maxUnderWay, "max-under-way", 0, "drop what is due by --rate while so many are under way; 0 is no bound")
	load.IntVar(&f.repeat, "repeat", d.Stop.Repeat, "how often each prompt is measured")
	load.IntVar(&f.requests, "requests", 0, "number of requests in each cell, in place of --repeat")
	load.DurationVar(&f.duration, "duration", 0, "time in which requests are sent in each cell, in place of --repeat; with --requests, whichever comes first")
	load.StringVar(&f.until, "until", "", "go on beyond --repeat until half of the 95 % interval is no more than so much of the median: 3% (of tokens/s), or ttft=5%,latency=3%; in each load by itself")
	load.IntVar(&f.maxRepeat, "max-repeat", defaultMaxRepeat, "with --until: measure each prompt so often at most")
	load.DurationVar(&f.maxTime, "max-time", 0, "with --until: begin no further repeat of a cell after so long, in each load; --repeat comes first; 0 is no bound")
	load.IntVar(&f.loads, "loads", d.Loads, "how often each model is loaded and measured anew, in turn with the others; intervals then hold what differs from load to load")
	load.IntVar(&f.warmup, "warmup", d.Warmup, "requests sent to each loaded model before measuring; with --cache warm at least one for each prompt")
	load.Uint64Var(&f.seed, "seed", d.Seeds.Order, "seed of the order of requests, of arrivals and of sampling")
	load.Uint64Var(&f.promptSeed, "prompt-seed", d.Seeds.Prompts, "seed of what cold prompts begin with; 0 draws a new one for each run, so that none is in a cache")

	reach := groups.add("Reaching the engine")
	reach.DurationVar(&f.timeout, "timeout", time.Duration(d.Timeout), "longest time for one request; 0 is no bound")
	reach.DurationVar(&f.idleTimeout, "idle-timeout", time.Duration(d.IdleTimeout), "longest silence in a request, keep-alives not counted; 0 is no bound")
	reach.StringArrayVar(&f.headers, "header", nil, `"Name: value" to send with every request; "Name: $VARIABLE" or "Name: Bearer $VARIABLE" takes it from the environment`)
	reach.BoolVar(&f.insecure, "insecure", false, "accept any TLS certificate")
	reach.BoolVar(&f.keepLoaded, "keep-loaded", false, "leave the models on the engine")
	reach.BoolVar(&f.allPlacements, "all-placements", false, "measure every placement that the engine offers (exo), one after the other")
	registerOptions(groups)
	power := groups.add("Power")
	power.StringVar(&f.powerCSV, "power-csv", "", "the log of a power meter outside (CSV: time, watts), read when the run is over")
	power.DurationVar(&f.powerOffset, "power-csv-offset", 0, "added to the times of --power-csv: by how much that meter's clock is behind")
	power.DurationVar(&f.idlePower, "idle-power", time.Duration(d.IdlePower), "how long the power of the idle machine is read before the run, where a meter tells it; 0 leaves it out")
	out := groups.add("Output")
	out.Float64Var(&f.bandwidth, "bandwidth", 0, bandwidthHelp)
	out.BoolVar(&f.noCalibrate, "no-calibrate", false, "leave out the short measurement of the harness's own error")
}

// registerOptions adds the options of the drivers, a group for each set of
// drivers that have them.
func registerOptions(groups *flagGroups) {
	owners := optionOwners()
	sets := map[string]*pflag.FlagSet{}
	for _, d := range drivers {
		for _, o := range d.Options() {
			title := "Engine " + strings.Join(titled(owners[o.Name]), ", ")
			if sets[title] == nil {
				sets[title] = groups.add(title)
			}
			set := sets[title]
			switch {
			case set.Lookup(o.Name) != nil:
			case o.Kind == driver.SwitchOption:
				set.Bool(o.Name, o.Default == "true", o.Help)
			case o.Kind == driver.NumberOption:
				n := 0
				_, _ = fmt.Sscan(o.Default, &n)
				set.Int(o.Name, n, o.Help)
			default:
				set.String(o.Name, o.Default, o.Help)
			}
		}
	}
}

// titled leaves the embedded engine out of the title of options that it has only
// since it is driven as an exo.
func titled(owners []string) []string {
	if slices.Contains(owners, "exo") {
		return slices.DeleteFunc(slices.Clone(owners), func(name string) bool { return name == "embedded" })
	}
	return owners
}

// optionOwners returns the names of the drivers that have each option.
func optionOwners() map[string][]string {
	owners := map[string][]string{}
	for _, d := range drivers {
		for _, o := range d.Options() {
			owners[o.Name] = append(owners[o.Name], d.Name())
		}
	}
	return owners
}
