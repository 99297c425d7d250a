package exobench

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Plan is everything that decides what a run does. It is complete: written to
// a plan file and run again, it gives the same run, but for what keeps cold
// prompts apart from those of earlier runs. It stands in the journal's
// header, so that a result tells how it was made.
//
// Secrets are never in it, only the names of where they come from.
type Plan struct {
	// Engines are measured in this order. Their labels differ.
	Engines []EngineSpec `json:"engines"`
	// Models are the names asked for, in the order in which they run.
	Models []string `json:"models"`
	// SkipMissing has models that an engine does not have skipped on it, and the
	// rest measured; otherwise one is an error before anything is loaded. It is
	// set where nobody named the models.
	SkipMissing bool `json:"skip_missing"`
	// ModelsFile is a file with more models than the catalogue has.
	ModelsFile string `json:"models_file"`
	// Workload is what is asked of each model.
	Workload Workload `json:"workload"`
	// Traffic lists what is offered to each model; each is a cell of its own.
	Traffic []Traffic `json:"traffic"`
	// Stop says when a cell has been measured, in each load.
	Stop Stop `json:"stop"`
	// Loads is how often each model is brought up and measured anew; see
	// LoadCount.
	Loads int `json:"loads"`
	// Warmup is the number of requests sent before the first cell of each
	// loaded model; they are journaled and enter no statistic. See Warmups.
	Warmup int `json:"warmup"`
	// Timeout bounds one request; IdleTimeout bounds a silence within it, where
	// keep-alives do not count as a sign of life. 0 means no bound.
	Timeout     Duration `json:"timeout"`
	IdleTimeout Duration `json:"idle_timeout"`
	// AllPlacements measures each model on every placement that its engine
	// offers within the bounds given, not only on the engine's first.
	AllPlacements bool `json:"all_placements"`
	// KeepLoaded leaves the models on the engines.
	KeepLoaded bool `json:"keep_loaded"`
	// Calibrate has the harness's own error measured before the run.
	Calibrate bool `json:"calibrate"`
	// Bandwidth is that of the memory that holds the models, in GB/s (1e9 bytes/s);
	// 0 has it found out.
	Bandwidth float64 `json:"bandwidth_gb_per_s"`
	// IdlePower is how long the power of the idle machine is read before the run,
	// where there is a meter; 0 leaves it out.
	IdlePower Duration `json:"idle_power"`
	// PowerCSV is the log of a power meter outside, which is read when the run is
	// over; PowerCSVOffset is added to its times.
	PowerCSV       string   `json:"power_csv"`
	PowerCSVOffset Duration `json:"power_csv_offset"`
	// Insecure accepts any TLS certificate.
	Insecure bool `json:"insecure"`
	// Seeds make the run repeatable.
	Seeds Seeds `json:"seeds"`
}

// EngineSpec says which engine to measure, where it is and how it is driven.
type EngineSpec struct {
	// Name is that of its driver, or "auto".
	Name string `json:"name"`
	// Variant tells apart several specs of one driver; empty where there is one.
	Variant string `json:"variant"`
	// URL is where it answers; empty is its usual place, or one that is started.
	// It has no user part and no value of a query that looks like a key:
	// URLSecret is set where it had, and such an address must be given again.
	URL       string `json:"url"`
	URLSecret bool   `json:"url_secret,omitempty"`
	// Options are the driver's own, by the names of their flags.
	Options map[string]string `json:"options"`
	// Headers are sent with every request: by name, the environment variable
	// that holds the value, or a scheme and the variable as in "Bearer $TOKEN". An
	// empty one means that the value was given on the command line and must be
	// given again.
	Headers map[string]string `json:"headers"`
}

// Label tells the engine from the others of the plan, in entries and reports.
func (s EngineSpec) Label() string {
	if s.Variant == "" {
		return s.Name
	}
	return s.Name + " " + s.Variant
}

// Workload is what is asked of a model, whatever the traffic.
type Workload struct {
	// PromptFiles are where the prompts come from: "standard", or files.
	PromptFiles []string `json:"prompt_files"`
	// Prompts are sent in every repeat, each once. Those given here count; where
	// there are none they are read from PromptFiles.
	Prompts []Prompt `json:"prompts"`
	// MaxTokens is the length of each answer asked for.
	MaxTokens Tokens `json:"max_tokens"`
	// NaturalStop lets the model end its answer; otherwise engines that can are
	// told to ignore the end-of-sequence token.
	NaturalStop bool `json:"natural_stop"`
	// Temperature is that of the sampling; 0 takes the likeliest token each time.
	Temperature float64 `json:"temperature"`
	// Cache says whether an engine may answer from a prompt that it has seen.
	Cache CachePolicy `json:"cache"`
}

// CachePolicy is what a plan wants of prompt caches.
type CachePolicy string

// The policies.
const (
	// ColdCache: no answer may come from an engine's prompt cache.
	ColdCache CachePolicy = "cold"
	// WarmCache: answers may come from it.
	WarmCache CachePolicy = "warm"
)

// Prompt is one text that a model is asked.
type Prompt struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Traffic is what is offered to a model: so many requests under way (a closed
// loop), or so many sent per second whatever the answers (an open loop). One
// of Concurrency and Rate is 0.
type Traffic struct {
	Concurrency int `json:"concurrency,omitempty"`
	// Rate is in requests per second, spread as Arrival says.
	Rate    float64 `json:"rate_rps,omitempty"`
	Arrival Arrival `json:"arrival,omitempty"`
	// MaxUnderWay bounds the requests of an open loop that are under way: one
	// that is due beyond it is dropped. 0 means no bound.
	MaxUnderWay int `json:"max_under_way,omitempty"`
}

// Arrival says how the requests of an open loop are spread.
type Arrival string

// The arrival processes.
const (
	Poisson  Arrival = "poisson"  // as independent users would send them
	Constant Arrival = "constant" // at even steps
)

// Open reports whether the traffic is an open loop.
func (t Traffic) Open() bool { return t.Rate > 0 }

// String writes the traffic for people: "4", or "2.5/s".
func (t Traffic) String() string {
	if t.Open() {
		return fmt.Sprintf("%g/s", t.Rate)
	}
	return fmt.Sprint(t.Concurrency)
}

// Stop says when the requests of one cell end, in each load of its model: with
// whichever of Requests, Repeat and Duration is set and comes first, or by Until.
type Stop struct {
	// Repeat is how often each prompt is sent; with Until, at least.
	Repeat int `json:"repeat"`
	// Requests is the number of requests; where set, Repeat does not count.
	Requests int `json:"requests"`
	// Duration is the time in which requests are sent; those under way at its
	// end are waited for.
	Duration Duration `json:"duration"`
	// Until, where set, has the prompts repeated until medians are known so well,
	// beyond Repeat: MaxRepeat times at most, and no longer than the repeat that is
	// under way when MaxTime is over (0 is no bound).
	Until     Until    `json:"until,omitempty"`
	MaxRepeat int      `json:"max_repeat,omitempty"`
	MaxTime   Duration `json:"max_time,omitempty"`
}

// Count returns how many requests a cell of n prompts has, with Until at most; 0
// means as many as Duration allows.
func (s Stop) Count(n int) int {
	switch {
	case s.Until != "":
		return s.MaxRepeat * n
	case s.Requests > 0:
		return s.Requests
	}
	return s.Repeat * n
}

// Seeds holds one seed per random dimension, so that one can change while the
// others hold.
type Seeds struct {
	// Order shuffles the requests of a repeat.
	Order uint64 `json:"order"`
	// Sampling is sent with each request.
	Sampling uint64 `json:"sampling"`
	// Arrivals spreads the requests of an open loop.
	Arrivals uint64 `json:"arrivals"`
	// Prompts makes the letters that cold prompts begin with, which keep them out
	// of caches. 0 draws a new seed for each session, and Session has it: a plan
	// that is run again must be cold again.
	Prompts uint64 `json:"prompts"`
}

// LoadCount returns how often each model is brought up. A plan from before there
// were several loads has 0 and means one.
func (p Plan) LoadCount() int { return max(1, p.Loads) }

// Warmups returns how many requests are sent before the first cell of each loaded
// model. A plan that wants its caches warm sends every prompt once there: else
// the first of each would be measured cold, and pooled with the rest.
func (p Plan) Warmups() int {
	if p.Workload.Cache == WarmCache {
		return max(p.Warmup, len(p.Workload.Prompts))
	}
	return p.Warmup
}

// MostUnderWay returns how many requests the plan may have under way on one
// model. An open loop without a bound may have all of a cell's requests so; 0
// means that there is no bound.
func (p Plan) MostUnderWay() int {
	most := 0
	for _, t := range p.Traffic {
		n := t.Concurrency
		if t.Open() {
			n = p.Stop.Count(len(p.Workload.Prompts))
			if t.MaxUnderWay > 0 && (n == 0 || t.MaxUnderWay < n) {
				n = t.MaxUnderWay
			}
			if n == 0 {
				return 0
			}
		}
		most = max(most, n)
	}
	return most
}

// MaxBandwidth is beyond what any memory can do, in GB/s.
const MaxBandwidth = 1_000_000

// PlanError is one thing that is wrong with a plan.
type PlanError struct {
	// Member is the plan file's name of what is wrong, such as
	// "workload.max_tokens".
	Member string
	// Text says what it is and what it must be, such as "is 0: it must be at
	// least 1".
	Text string
}

func (e *PlanError) Error() string { return e.Member + " " + e.Text }

// Validate reports everything that is wrong with the plan: PlanErrors, joined.
func (p Plan) Validate() error {
	var problems []error
	check := func(ok bool, member, format string, args ...any) {
		if !ok {
			problems = append(problems, &PlanError{member, fmt.Sprintf(format, args...)})
		}
	}
	check(len(p.Engines) > 0, "engines", "is empty: name at least one")
	labels := map[string]bool{}
	for _, e := range p.Engines {
		check(!labels[e.Label()], "engines", "has %s twice: give one of them another variant", e.Label())
		check(e.Name != "auto" || len(p.Engines) == 1, "engines", "has auto, which chooses one engine: name the others without it")
		labels[e.Label()] = true
	}
	check(len(p.Models) > 0, "models", "is empty: name at least one")
	check(p.Loads >= 0, "loads", "is %d: it must be at least 1", p.Loads)
	check(p.Loads <= 1 || !p.KeepLoaded, "loads", "is %d and models are to be left loaded: a model can only be loaded again once it was taken away", p.Loads)
	check(p.Warmup >= 0, "warmup", "is %d: it must be 0 or more", p.Warmup)
	check(p.Timeout >= 0, "timeout", "is %v: it must be 0 (none) or more", p.Timeout)
	check(p.Bandwidth >= 0 && p.Bandwidth <= MaxBandwidth, "bandwidth_gb_per_s", "is %g: it must be above 0 and at most %d GB/s, or 0 to have it found out", p.Bandwidth, MaxBandwidth)
	check(p.IdleTimeout >= 0, "idle_timeout", "is %v: it must be 0 (none) or more", p.IdleTimeout)
	check(p.IdlePower >= 0 && p.IdlePower <= Duration(time.Hour), "idle_power", "is %v: it must be 0 (none) or more, and at most 1h", p.IdlePower)
	check(p.PowerCSV != "" || p.PowerCSVOffset == 0, "power_csv_offset", "is %v without a power_csv: it is of the clock of that meter", p.PowerCSVOffset)
	p.Workload.validate(check)
	check(len(p.Traffic) > 0, "traffic", "is empty: give at least one concurrency or rate")
	for _, t := range p.Traffic {
		t.validate(check)
	}
	p.Stop.validate(check)
	return errors.Join(problems...)
}

func (w Workload) validate(check func(ok bool, member, format string, args ...any)) {
	check(len(w.Prompts) > 0, "workload.prompts", "is empty: give at least one prompt")
	check(w.MaxTokens >= 1, "workload.max_tokens", "is %d: it must be at least 1", w.MaxTokens)
	check(w.Temperature >= 0 && w.Temperature <= 100, "workload.temperature", "is %g: it must be 0 or more, and is seldom above 2", w.Temperature)
	check(w.Cache == ColdCache || w.Cache == WarmCache, "workload.cache", "is %q: it must be cold or warm", w.Cache)
	ids := map[string]bool{}
	for _, prompt := range w.Prompts {
		check(prompt.ID != "" && !ids[prompt.ID], "workload.prompts", "has the id %q twice or none: each prompt needs an id of its own", prompt.ID)
		ids[prompt.ID] = true
	}
}

func (t Traffic) validate(check func(ok bool, member, format string, args ...any)) {
	if !t.Open() && t.Rate == 0 {
		check(t.Concurrency >= 1, "traffic.concurrency", "is %d: it must be at least 1", t.Concurrency)
		return
	}
	check(t.Concurrency == 0, "traffic", "has a concurrency and a rate: a loop is closed or open, give one of them")
	check(t.Rate > 0 && t.Rate <= 1e6, "traffic.rate_rps", "is %g: it must be above 0 requests per second", t.Rate)
	check(t.Arrival == Constant || t.Arrival == Poisson, "traffic.arrival", "is %q: it must be constant or poisson", t.Arrival)
	check(t.MaxUnderWay >= 0, "traffic.max_under_way", "is %d: it must be 0 (no bound) or more", t.MaxUnderWay)
}

func (s Stop) validate(check func(ok bool, member, format string, args ...any)) {
	check(s.Repeat >= 0, "stop.repeat", "is %d: it must be at least 1", s.Repeat)
	check(s.Requests >= 0, "stop.requests", "is %d: it must be at least 1", s.Requests)
	check(s.Duration >= 0, "stop.duration", "is %v: it must be above 0", s.Duration)
	check(s.Repeat > 0 || s.Requests > 0 || s.Duration > 0, "stop", "is empty: give repeat, requests or duration")
	check(s.MaxTime >= 0, "stop.max_time", "is %v: it must be above 0, or 0 (no bound)", s.MaxTime)
	if s.Until == "" {
		check(s.MaxRepeat == 0, "stop.max_repeat", "is %d without an until, which it bounds", s.MaxRepeat)
		check(s.MaxTime == 0, "stop.max_time", "is %v without an until, which it bounds", s.MaxTime)
		return
	}
	_, err := s.Until.Goals()
	check(err == nil, "stop.until", "%v", err)
	check(s.Requests == 0 && s.Duration == 0, "stop.until", "decides when a cell ends, and so do requests and duration: give one of them, or bound it by max_repeat and max_time")
	check(s.Repeat > 0, "stop.repeat", "is %d with an until: it must be at least 1", s.Repeat)
	check(s.MaxRepeat >= s.Repeat, "stop.max_repeat", "is %d: it must be at least repeat, which is %d", s.MaxRepeat, s.Repeat)
}

// Duration is a span that is written as text in JSON and YAML: "10m", "1.5s".
type Duration time.Duration

// String writes the span without the zero units that time.Duration adds: "10m"
// and not "10m0s".
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText writes the span as String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	span, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no span of time: write it like 90s, 10m or 1h30m", text)
	}
	*d = Duration(span)
	return nil
}
