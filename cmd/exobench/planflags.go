package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/driver/llamacpp"
	"exobench/planfile"
	"exobench/prompt"
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
		Warmup:   1,
		Timeout:  exobench.Duration(10 * time.Minute), IdleTimeout: exobench.Duration(2 * time.Minute),
		Calibrate: true,
		Seeds:     exobench.Seeds{Order: 1, Sampling: 1, Arrivals: 1},
	}
}

// planFlags are the flags that make a plan. Each changes the plan that --plan
// names, or the default one.
type planFlags struct {
	file                           string
	engines, urls, headers, models []string
	skipMissing                    bool
	modelsFile                     string
	prompts                        []string
	maxTokens                      int64
	naturalStop                    bool
	temperature                    float64
	cache                          string
	repeat, requests, warmup       int
	duration                       time.Duration
	concurrency                    []int
	rates                          []float64
	arrival                        string
	maxUnderWay                    int
	seed, promptSeed               uint64
	timeout, idleTimeout           time.Duration
	insecure, allPlacements        bool
	keepLoaded, noCalibrate        bool

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
	load.IntVar(&f.warmup, "warmup", d.Warmup, "requests sent to each loaded model before measuring; with --cache warm at least one for each prompt")
	load.Uint64Var(&f.seed, "seed", d.Seeds.Order, "seed of the order of requests, of arrivals and of sampling")
	load.Uint64Var(&f.promptSeed, "prompt-seed", d.Seeds.Prompts, "seed of what cold prompts begin with; 0 draws a new one for each run, so that none is in a cache")

	reach := groups.add("Reaching the engine")
	reach.DurationVar(&f.timeout, "timeout", time.Duration(d.Timeout), "longest time for one request; 0 is no bound")
	reach.DurationVar(&f.idleTimeout, "idle-timeout", time.Duration(d.IdleTimeout), "longest silence in a request, keep-alives not counted; 0 is no bound")
	reach.StringArrayVar(&f.headers, "header", nil, `"Name: value" to send with every request, or "Name: $VARIABLE"`)
	reach.BoolVar(&f.insecure, "insecure", false, "accept any TLS certificate")
	reach.BoolVar(&f.keepLoaded, "keep-loaded", false, "leave the models on the engine")
	reach.BoolVar(&f.allPlacements, "all-placements", false, "measure every placement that the engine offers (exo), one after the other")
	registerOptions(groups)
	out := groups.add("Output")
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

// plan returns the plan that the flags make, complete and checked as far as it
// can be without an engine.
func (f *planFlags) plan() (exobench.Plan, *catalogue.Catalogue, error) {
	p := defaultPlan()
	var err error
	if f.file != "" {
		if p, err = planfile.ReadFile(f.file, p); err != nil {
			return p, nil, driver.UsageError{Err: err}
		}
	}
	if err := f.apply(&p); err != nil {
		return p, nil, driver.UsageError{Err: err}
	}
	models, err := catalogue.Load(p.ModelsFile)
	if err != nil {
		return p, nil, driver.UsageError{Err: err}
	}
	if err := complete(&p, models); err != nil {
		return p, nil, driver.UsageError{Err: err}
	}
	f.hideAddresses(p.Engines)
	if err := f.explain(p.Validate()); err != nil {
		return p, nil, driver.UsageError{Err: err}
	}
	return p, models, nil
}

// apply changes the plan as the flags that were given say.
func (f *planFlags) apply(p *exobench.Plan) error {
	for _, pair := range [][2]string{{"requests", "repeat"}, {"duration", "repeat"}} {
		if f.changed(pair[0]) && f.changed(pair[1]) {
			return fmt.Errorf("--%s and --%s say the same thing in two ways: give one of them", pair[0], pair[1])
		}
	}
	if f.changed("rate") && f.changed("concurrency") {
		return errors.New("--rate is an open loop and --concurrency a closed one: give one of them")
	}
	if err := f.applyEngines(p); err != nil {
		return err
	}
	changes := map[string]func(){
		"model":          func() { p.Models, p.SkipMissing = f.models, false },
		"models-file":    func() { p.ModelsFile = f.modelsFile },
		"prompts":        func() { p.Workload.PromptFiles, p.Workload.Prompts = f.prompts, nil },
		"max-tokens":     func() { p.Workload.MaxTokens = exobench.Tokens(f.maxTokens) },
		"natural-stop":   func() { p.Workload.NaturalStop = f.naturalStop },
		"temperature":    func() { p.Workload.Temperature = f.temperature },
		"cache":          func() { p.Workload.Cache = exobench.CachePolicy(f.cache) },
		"warmup":         func() { p.Warmup = f.warmup },
		"timeout":        func() { p.Timeout = exobench.Duration(f.timeout) },
		"idle-timeout":   func() { p.IdleTimeout = exobench.Duration(f.idleTimeout) },
		"insecure":       func() { p.Insecure = f.insecure },
		"keep-loaded":    func() { p.KeepLoaded = f.keepLoaded },
		"all-placements": func() { p.AllPlacements = f.allPlacements },
		"no-calibrate":   func() { p.Calibrate = !f.noCalibrate },
		"seed":           func() { p.Seeds.Order, p.Seeds.Sampling, p.Seeds.Arrivals = f.seed, f.seed, f.seed },
		"prompt-seed":    func() { p.Seeds.Prompts = f.promptSeed },
	}
	for name, change := range changes {
		if f.changed(name) {
			change()
		}
	}
	if f.changed("skip-missing") {
		p.SkipMissing = f.skipMissing
	}
	return errors.Join(f.applyStop(p), f.applyTraffic(p), f.applyOptions(p))
}

func (f *planFlags) changed(name string) bool { return f.flags.Changed(name) }

func (f *planFlags) applyStop(p *exobench.Plan) error {
	for name, n := range map[string]int64{"repeat": int64(f.repeat), "requests": int64(f.requests), "duration": int64(f.duration)} {
		if f.changed(name) && n <= 0 {
			return fmt.Errorf("--%s is %s: it must be above 0", name, f.flags.Lookup(name).Value)
		}
	}
	if f.changed("repeat") {
		p.Stop = exobench.Stop{Repeat: f.repeat}
	}
	if f.changed("requests") || f.changed("duration") {
		p.Stop = exobench.Stop{Requests: f.requests, Duration: exobench.Duration(f.duration)}
	}
	return nil
}

func (f *planFlags) applyTraffic(p *exobench.Plan) error {
	if f.changed("concurrency") {
		p.Traffic = nil
		for _, n := range f.concurrency {
			p.Traffic = append(p.Traffic, exobench.Traffic{Concurrency: n})
		}
	}
	if f.changed("rate") {
		p.Traffic = nil
		for _, rate := range f.rates {
			if rate <= 0 {
				return fmt.Errorf("--rate is %g: it must be above 0 requests per second", rate)
			}
			p.Traffic = append(p.Traffic, exobench.Traffic{Rate: rate, Arrival: exobench.Poisson})
		}
	}
	p.Traffic = slices.Clone(p.Traffic)
	for i := range p.Traffic {
		t := &p.Traffic[i]
		if t.Concurrency == 0 && f.changed("arrival") {
			t.Arrival = exobench.Arrival(f.arrival)
		}
		if t.Concurrency == 0 && f.changed("max-under-way") {
			t.MaxUnderWay = f.maxUnderWay
		}
	}
	return nil
}

// applyEngines takes --engine, --url and --header. An engine that the plan has
// already keeps its address and options.
func (f *planFlags) applyEngines(p *exobench.Plan) error {
	if f.changed("engine") {
		var specs []exobench.EngineSpec
		for i, name := range f.engines {
			if slices.Contains(f.engines[:i], name) {
				return fmt.Errorf("--engine %s is named twice", name)
			}
			if name == auto && len(f.engines) > 1 {
				return errors.New("--engine auto chooses one engine: name the others without it")
			}
			spec := exobench.EngineSpec{Name: name}
			for _, have := range p.Engines {
				if have.Label() == name {
					spec = have
				}
			}
			specs = append(specs, spec)
		}
		p.Engines = specs
	}
	p.Engines = slices.Clone(p.Engines)
	if slices.Equal(labels(p.Engines), []string{auto}) && slices.ContainsFunc(f.models, llamacpp.IsFile) {
		p.Engines[0].Name = "llamacpp"
	}
	if err := f.applyURLs(p.Engines); err != nil {
		return err
	}
	f.given = map[string]string{}
	for _, line := range f.headers {
		name, value, variable, err := parseHeader(line)
		if err != nil {
			return err
		}
		f.given[name] = value
		for i := range p.Engines {
			p.Engines[i].Headers = maps.Clone(p.Engines[i].Headers)
			if p.Engines[i].Headers == nil {
				p.Engines[i].Headers = map[string]string{}
			}
			p.Engines[i].Headers[name] = variable
		}
	}
	return nil
}

func labels(specs []exobench.EngineSpec) []string {
	var all []string
	for _, s := range specs {
		all = append(all, s.Label())
	}
	return all
}

// applyURLs takes the values of --url: one address for the one engine, or
// NAME=ADDRESS for each.
func (f *planFlags) applyURLs(specs []exobench.EngineSpec) error {
	names := labels(specs)
	given := map[string]bool{}
	for _, value := range f.urls {
		f.secrets.AddURL(value)
		name, url, named := strings.Cut(value, "=")
		if !named || strings.ContainsAny(name, "/?") {
			if len(names) != 1 {
				return fmt.Errorf("--url %s: with several engines, say which one it is of, such as %s=%s", value, names[0], value)
			}
			name, url = names[0], value
		}
		i := slices.Index(names, name)
		if i < 0 {
			return fmt.Errorf("--url %s: %s is not among the engines (%s)", value, name, strings.Join(names, ", "))
		}
		if given[name] {
			return fmt.Errorf("--url gives %s two addresses", name)
		}
		given[name] = true
		specs[i].URL, specs[i].URLSecret = url, false
	}
	return nil
}

// applyOptions gives the options of engines that were set to each engine that
// has them.
func (f *planFlags) applyOptions(p *exobench.Plan) error {
	for name, owners := range optionOwners() {
		if !f.changed(name) {
			continue
		}
		value, taken := f.flags.Lookup(name).Value.String(), false
		for i := range p.Engines {
			spec := &p.Engines[i]
			if !slices.Contains(owners, spec.Name) && !(spec.Name == auto && slices.ContainsFunc(owners, isAuto)) {
				continue
			}
			spec.Options = maps.Clone(spec.Options)
			if spec.Options == nil {
				spec.Options = map[string]string{}
			}
			spec.Options[name], taken = value, true
		}
		if !taken {
			return fmt.Errorf("--%s is an option of %s, and the engine is %s", name, strings.Join(owners, " and "), strings.Join(labels(p.Engines), ", "))
		}
	}
	return nil
}

func isAuto(name string) bool { return slices.Contains(autoNames, name) }

// complete fills in what the plan leaves open: its models, its prompts, and
// the options of its engines.
func complete(p *exobench.Plan, models *catalogue.Catalogue) error {
	if len(p.Models) == 0 {
		p.Models, p.SkipMissing = models.Standard(), true
	}
	if len(p.Workload.Prompts) == 0 {
		prompts, err := prompt.Load(p.Workload.PromptFiles)
		if err != nil {
			return err
		}
		p.Workload.Prompts = prompts
	}
	for i := range p.Engines {
		if err := completeOptions(&p.Engines[i]); err != nil {
			return err
		}
	}
	return nil
}

// completeOptions checks the engine of a spec and its options, and fills in
// those that are left open.
func completeOptions(spec *exobench.EngineSpec) error {
	if _, known := driverOf(spec.Name); !known && spec.Name != auto {
		return fmt.Errorf("--engine %s is not known: it must be one of %s", spec.Name, engineNames())
	}
	options := map[string]string{}
	for _, o := range optionsOf(spec.Name) {
		options[o.Name] = o.Default
		if o.Kind == driver.SwitchOption && o.Default == "" {
			options[o.Name] = "false"
		}
	}
	for name, value := range spec.Options {
		if _, known := options[name]; !known {
			return fmt.Errorf("engine %s has no option %q: it has %s", spec.Label(), name, strings.Join(slices.Sorted(maps.Keys(options)), ", "))
		}
		options[name] = value
	}
	spec.Options = options
	return nil
}

// memberFlags are the flags that set the members of a plan.
var memberFlags = map[string]string{
	"engines": "engine", "models": "model", "workload.prompts": "prompts", "workload.max_tokens": "max-tokens",
	"workload.cache": "cache", "workload.temperature": "temperature", "traffic": "concurrency", "traffic.concurrency": "concurrency", "traffic.rate_rps": "rate",
	"traffic.arrival": "arrival", "traffic.max_under_way": "max-under-way", "stop.repeat": "repeat", "stop.requests": "requests",
	"stop.duration": "duration", "stop": "repeat", "warmup": "warmup", "timeout": "timeout", "idle_timeout": "idle-timeout",
}

// explain says what is wrong with a plan, of each member by the flag that set
// it.
func (f *planFlags) explain(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var texts []string
	for _, problem := range joined.Unwrap() {
		text := problem.Error()
		var member *exobench.PlanError
		if errors.As(problem, &member) {
			if flag := memberFlags[member.Member]; f.file == "" || f.changed(flag) {
				text = "--" + flag + " " + member.Text
			} else {
				text = "plan file " + f.file + ": " + text
			}
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return errors.New(strings.Join(texts, "; "))
}
