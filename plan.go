package exobench

import (
	"errors"
	"fmt"
	"time"
)

// Plan says what one run does. It stands in the journal's header, so that a
// result tells how it was made.
type Plan struct {
	// Engines are the engines asked for, "auto" included, in the order in which
	// they are measured; URLs are the addresses given for them.
	Engines []string          `json:"engines"`
	URLs    map[string]string `json:"urls,omitempty"`
	// Models are the names asked for, in the order in which they run.
	Models []string `json:"models"`
	// Prompts are sent in every repeat, each once.
	Prompts []Prompt `json:"prompts"`
	// MaxTokens is the length of each answer asked for.
	MaxTokens Tokens `json:"max_tokens"`
	// NaturalStop lets the model end its answer; otherwise engines that can are
	// told to ignore the end-of-sequence token.
	NaturalStop bool `json:"natural_stop,omitempty"`
	// Repeat is how often each prompt is measured in each cell.
	Repeat int `json:"repeat"`
	// Requests, where not 0, is the number of measured requests in each cell;
	// it takes the place of Repeat.
	Requests int `json:"requests,omitempty"`
	// Warmup is the number of requests sent before the first cell of each
	// loaded model; they are journaled and left out of every statistic.
	Warmup int `json:"warmup"`
	// Concurrency lists the closed-loop loads, Rates the open-loop ones in
	// requests per second; each is a cell of its own. With Rates there is no
	// closed loop.
	Concurrency []int     `json:"concurrency,omitempty"`
	Rates       []float64 `json:"rates_rps,omitempty"`
	// Arrival is how requests of an open loop are spread: "constant" or
	// "poisson".
	Arrival string `json:"arrival,omitempty"`
	// Timeout bounds one request; IdleTimeout bounds a silence within it, where
	// keep-alives do not count as a sign of life. 0 means no bound.
	Timeout     time.Duration `json:"timeout_ns"`
	IdleTimeout time.Duration `json:"idle_timeout_ns"`
	// AllPlacements measures each model on every placement that its engine
	// offers within the bounds given, not only on the engine's first.
	AllPlacements bool `json:"all_placements,omitempty"`
	// Cache is "cold" or "warm": whether an engine may answer from a prompt
	// that it has seen.
	Cache string `json:"cache"`
	// Seeds makes the run repeatable.
	Seeds Seeds `json:"seeds"`
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
	// Prompts makes the unique prefixes that keep prompts out of caches.
	Prompts uint64 `json:"prompts"`
}

// Prompt is one text that a model is asked.
type Prompt struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Validate reports everything that is wrong with the plan, in words for the
// person who gave the flags.
func (p Plan) Validate() error {
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	check(len(p.Engines) > 0, "no engine is named: give --engine")
	check(len(p.Models) > 0, "no model is named: give --model")
	check(len(p.Prompts) > 0, "no prompt is given: give --prompts a file with at least one")
	check(p.MaxTokens >= 1, "--max-tokens is %d: it must be at least 1", p.MaxTokens)
	check(p.Repeat >= 1, "--repeat is %d: it must be at least 1", p.Repeat)
	check(p.Requests >= 0, "--requests is %d: it must be at least 1, or 0 to go by --repeat", p.Requests)
	check(p.Warmup >= 0, "--warmup is %d: it must be 0 or more", p.Warmup)
	check(len(p.Loads()) > 0, "--concurrency is empty: give at least one number")
	for _, r := range p.Rates {
		check(r > 0 && r <= 1e6, "--rate is %g: it must be above 0 requests per second", r)
	}
	check(len(p.Rates) == 0 || p.Arrival == "constant" || p.Arrival == "poisson", "--arrival is %q: it must be constant or poisson", p.Arrival)
	for _, c := range p.Concurrency {
		check(c >= 1, "--concurrency is %d: it must be at least 1", c)
	}
	check(p.Timeout >= 0, "--timeout is %v: it must be 0 (none) or more", p.Timeout)
	check(p.IdleTimeout >= 0, "--idle-timeout is %v: it must be 0 (none) or more", p.IdleTimeout)
	check(p.Cache == "cold" || p.Cache == "warm", "--cache is %q: it must be cold or warm", p.Cache)
	return errors.Join(problems...)
}

// Load is what one cell puts on a model: so many requests under way (closed
// loop), or so many sent per second (open loop). One of the two is 0.
type Load struct {
	Concurrency int
	Rate        float64
}

// String gives the load for people: "4", or "2.5/s".
func (l Load) String() string {
	if l.Rate > 0 {
		return fmt.Sprintf("%g/s", l.Rate)
	}
	return fmt.Sprint(l.Concurrency)
}

// Loads returns the loads of the cells of one model.
func (p Plan) Loads() []Load {
	var loads []Load
	for _, r := range p.Rates {
		loads = append(loads, Load{Rate: r})
	}
	if len(p.Rates) > 0 {
		return loads
	}
	for _, c := range p.Concurrency {
		loads = append(loads, Load{Concurrency: c})
	}
	return loads
}

// CellRequests returns how many measured requests one cell has.
func (p Plan) CellRequests() int {
	if p.Requests > 0 {
		return p.Requests
	}
	return p.Repeat * len(p.Prompts)
}
