package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/driver/llamacpp"
	"exobench/planfile"
	"exobench/precision"
	"exobench/prompt"
)

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
	for _, name := range []string{"requests", "duration"} {
		if f.changed(name) && f.changed("until") {
			return fmt.Errorf("--%s and --until both say when a cell ends: give one of them; --max-repeat and --max-time bound --until", name)
		}
	}
	if f.changed("rate") && f.changed("concurrency") {
		return errors.New("--rate is an open loop and --concurrency a closed one: give one of them")
	}
	if err := f.applyEngines(p); err != nil {
		return err
	}
	changes := map[string]func(){
		"model":            func() { p.Models, p.SkipMissing = f.models, false },
		"models-file":      func() { p.ModelsFile = f.modelsFile },
		"prompts":          func() { p.Workload.PromptFiles, p.Workload.Prompts = f.prompts, nil },
		"max-tokens":       func() { p.Workload.MaxTokens = exobench.Tokens(f.maxTokens) },
		"natural-stop":     func() { p.Workload.NaturalStop = f.naturalStop },
		"temperature":      func() { p.Workload.Temperature = f.temperature },
		"cache":            func() { p.Workload.Cache = exobench.CachePolicy(f.cache) },
		"loads":            func() { p.Loads = f.loads },
		"warmup":           func() { p.Warmup = f.warmup },
		"timeout":          func() { p.Timeout = exobench.Duration(f.timeout) },
		"idle-timeout":     func() { p.IdleTimeout = exobench.Duration(f.idleTimeout) },
		"insecure":         func() { p.Insecure = f.insecure },
		"keep-loaded":      func() { p.KeepLoaded = f.keepLoaded },
		"all-placements":   func() { p.AllPlacements = f.allPlacements },
		"bandwidth":        func() { p.Bandwidth = f.bandwidth },
		"no-calibrate":     func() { p.Calibrate = !f.noCalibrate },
		"power-csv":        func() { p.PowerCSV = f.powerCSV },
		"power-csv-offset": func() { p.PowerCSVOffset = exobench.Duration(f.powerOffset) },
		"idle-power":       func() { p.IdlePower = exobench.Duration(f.idlePower) },
		"seed":             func() { p.Seeds.Order, p.Seeds.Sampling, p.Seeds.Arrivals = f.seed, f.seed, f.seed },
		"prompt-seed":      func() { p.Seeds.Prompts = f.promptSeed },
	}
	for name, change := range changes {
		if f.changed(name) {
			change()
		}
	}
	if f.changed("skip-missing") {
		p.SkipMissing = f.skipMissing
	}
	if err := errors.Join(f.applyStop(p), f.applyTraffic(p), f.applyOptions(p)); err != nil {
		return err
	}
	return f.applyVariants(p)
}

func (f *planFlags) changed(name string) bool { return f.flags.Changed(name) }

func (f *planFlags) applyStop(p *exobench.Plan) error {
	for name, n := range map[string]int64{"repeat": int64(f.repeat), "loads": int64(f.loads), "requests": int64(f.requests), "duration": int64(f.duration), "max-repeat": int64(f.maxRepeat)} {
		if f.changed(name) && n <= 0 {
			return fmt.Errorf("--%s is %s: it must be above 0", name, f.flags.Lookup(name).Value)
		}
	}
	switch {
	case f.changed("until"):
		p.Stop = exobench.Stop{Repeat: p.Stop.Repeat, Until: exobench.Until(f.until), MaxRepeat: p.Stop.MaxRepeat, MaxTime: p.Stop.MaxTime}
		if f.until == "" {
			p.Stop.MaxRepeat, p.Stop.MaxTime = 0, 0
		}
	case f.changed("repeat") && p.Stop.Until == "":
		p.Stop = exobench.Stop{}
	}
	if f.changed("repeat") {
		p.Stop.Repeat = f.repeat
	}
	if f.changed("max-repeat") {
		p.Stop.MaxRepeat = f.maxRepeat
	}
	if f.changed("max-time") {
		p.Stop.MaxTime = exobench.Duration(f.maxTime)
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
	return completeStop(p)
}

// completeStop fills in what a stop that goes on until medians are known leaves open,
// and names its metrics.
func completeStop(p *exobench.Plan) error {
	s := &p.Stop
	if s.Until == "" {
		return nil
	}
	named, err := precision.Named(s.Until)
	if err != nil {
		return fmt.Errorf("--until %w", err)
	}
	s.Until = named
	if s.Repeat == 0 && s.Requests == 0 && s.Duration == 0 {
		s.Repeat = min(defaultPlan().Stop.Repeat, cmp.Or(s.MaxRepeat, defaultMaxRepeat))
	}
	if s.MaxRepeat == 0 {
		s.MaxRepeat = max(defaultMaxRepeat, s.Repeat)
	}
	for _, t := range p.Traffic {
		if _, err := precision.NewRule(*s, len(p.Workload.Prompts), t.Open()); err != nil {
			return fmt.Errorf("--until: %w", err)
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
	if spec.Headers == nil {
		spec.Headers = map[string]string{}
	}
	return nil
}

// memberFlags are the flags that set the members of a plan.
var memberFlags = map[string]string{
	"engines": "engine", "models": "model", "workload.prompts": "prompts", "workload.max_tokens": "max-tokens",
	"workload.cache": "cache", "workload.temperature": "temperature", "traffic": "concurrency", "traffic.concurrency": "concurrency", "traffic.rate_rps": "rate",
	"traffic.arrival": "arrival", "traffic.max_under_way": "max-under-way", "stop.repeat": "repeat", "stop.requests": "requests",
	"stop.duration": "duration", "stop": "repeat", "stop.until": "until", "stop.max_repeat": "max-repeat", "stop.max_time": "max-time", "loads": "loads", "warmup": "warmup", "timeout": "timeout", "idle_timeout": "idle-timeout",
	"bandwidth_gb_per_s": "bandwidth",
	"idle_power":         "idle-power", "power_csv_offset": "power-csv-offset",
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
