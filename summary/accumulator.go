package summary

import (
	"cmp"
	"slices"
	"time"

	"exobench"
	"exobench/metric"
)

// accumulator is a Cell under construction.
type accumulator struct {
	requests int
	outcomes map[exobench.Outcome]int
	errors   map[exobench.Outcome]firstError
	start    exobench.Instant // the first sent
	end      exobench.Instant // the last done
	ok       *rows
	cache    map[Cache]int // OK requests by what their answer tells
	delays   *delays
	busy     time.Duration // of all requests together
	// reloads is how many requests waited for the model to be loaded again, and
	// longestLoad how long the slowest did.
	reloads     int
	longestLoad time.Duration
}

// reload is how long a request may wait for its model before that counts as a
// load: engines look whether the model is there in less.
const reload = 100 * time.Millisecond

type firstError struct {
	seq  int
	text string
}

func newAccumulator(metrics []metric.Metric) *accumulator {
	return &accumulator{
		outcomes: map[exobench.Outcome]int{},
		errors:   map[exobench.Outcome]firstError{},
		ok:       newRows(metrics),
		cache:    map[Cache]int{},
		delays:   new(delays),
	}
}

func (a *accumulator) add(r *exobench.Record) {
	a.requests++
	a.outcomes[r.Outcome]++
	if first, seen := a.errors[r.Outcome]; r.Error != "" && (!seen || r.Seq < first.seq) {
		a.errors[r.Outcome] = firstError{r.Seq, r.Error}
	}
	if r.Sent.Reached() && (!a.start.Reached() || r.Sent < a.start) {
		a.start = r.Sent
	}
	a.end = max(a.end, doneOf(r))
	if r.Server != nil && r.Server.LoadTime > reload {
		a.reloads++
		a.longestLoad = max(a.longestLoad, r.Server.LoadTime)
	}
	if r.Sent.Reached() && r.Ended.Reached() {
		a.busy += doneOf(r).Sub(r.Sent)
	}
	if r.Outcome != exobench.OK {
		return
	}
	a.cache[cacheOf(r)]++
	a.delays.add(r)
	a.ok.add(r)
}

// doneOf returns when the request's work was over: for one that came to no
// end of its answer, when it was given up.
func doneOf(r *exobench.Record) exobench.Instant {
	if r.Outcome == exobench.OK && r.Done.Reached() {
		return r.Done
	}
	return r.Ended
}

func cacheOf(r *exobench.Record) Cache {
	switch {
	case r.CachedTokens != nil && *r.CachedTokens > 0:
		return CacheWarm
	case r.Server != nil && (r.Server.PrefixCache == "partial" || r.Server.PrefixCache == "exact"):
		return CacheWarm
	case r.CachedTokens != nil || r.Server != nil && r.Server.PrefixCache == "none":
		return CacheCold
	}
	return CacheUnknown
}

// cell gives the finished cell, which it works out in space.
func (a *accumulator) cell(key Key, run *Run, space *space) Cell {
	c := Cell{
		Key: key, Requests: a.requests, N: a.ok.n, Outcomes: a.outcomes,
		Errors: map[exobench.Outcome]string{}, TokensFrom: a.ok.from(), Cache: a.cacheKind(),
	}
	for outcome, first := range a.errors {
		c.Errors[outcome] = first.text
	}
	c.Metrics = a.ok.summaries(c.TokensFrom, space)
	a.addMemory(&c, run.memory[key.Subject], space)
	a.addRates(&c)
	a.addEnergy(&c, run.nodes[key.Subject], space)
	compared := newComparison(a.ok, c.TokensFrom, space)
	c.ClientServer = compared.clientServer()
	a.addPrompts(&c, run.Header.Plan.Prompts, space)
	c.Delay = a.delays.result()
	a.addWarnings(&c, run, compared)
	c.addDoubts(run)
	return c
}

func (a *accumulator) cacheKind() Cache {
	switch {
	case a.cache[CacheWarm] > 0:
		return CacheWarm
	case a.cache[CacheUnknown] > 0 || a.cache[CacheCold] == 0:
		return CacheUnknown
	}
	return CacheCold
}

// addMemory gives the memory of each OK request, and that of the one with the
// greatest peak.
func (a *accumulator) addMemory(c *Cell, readings *timeline, space *space) {
	for name, of := range map[string]func(RequestMemory) (exobench.Bytes, bool){
		metric.MemoryPeak: RequestMemory.peak, metric.MemoryInference: RequestMemory.Inference, metric.MemoryAdditional: RequestMemory.Additional,
	} {
		sample := space.empty(c.N)
		for _, r := range a.ok.all() {
			if b, ok := of(readings.during(r.sent, r.ended)); ok {
				sample = append(sample, float64(b))
			}
		}
		if s, ok := describe(sample); ok {
			c.Metrics[name] = s
		}
	}
	var chosen span
	for i, r := range a.ok.all() {
		m := readings.during(r.sent, r.ended)
		if i == 0 || m.above(c.Memory, r.span.compare(chosen)) {
			c.Memory, chosen = m, r.span
		}
	}
}

func (a *accumulator) addRates(c *Cell) {
	if c.N == 0 || !a.start.Reached() || a.end <= a.start {
		return
	}
	c.Wall = a.end.Sub(a.start)
	c.Delivered = new(a.busy.Seconds() / c.Wall.Seconds())
	rate := float64(c.N) / c.Wall.Seconds()
	c.RequestRate = &rate
	if tokens, ok := a.ok.tokens(); ok {
		throughput := tokens / c.Wall.Seconds()
		c.Throughput = &throughput
	}
}

// addEnergy gives the energy of each OK request, and that of the whole cell for
// each output token: requests under way together share the nodes, so theirs do
// not add up.
func (a *accumulator) addEnergy(c *Cell, nodes *nodeline, space *space) {
	energies := space.empty(c.N)
	for _, r := range a.ok.all() {
		if joules, ok := nodes.energy(r.sent, r.done); ok {
			energies = append(energies, joules)
		}
	}
	if s, ok := describe(energies); ok {
		c.Metrics[metric.Energy] = s
	}
	joules, ok := nodes.energy(a.start, a.end)
	if tokens, counted := a.ok.tokens(); ok && counted && tokens > 0 {
		c.EnergyPerToken = new(joules / tokens)
	}
}

// addPrompts gives the prompts in the plan's order, unknown ones after them.
func (a *accumulator) addPrompts(c *Cell, planned []exobench.Prompt, space *space) {
	metrics := a.ok.promptSummaries(c.TokensFrom, space)
	for place, p := range a.ok.prompts {
		c.Prompts = append(c.Prompts, Prompt{ID: p.id, N: p.n, Metrics: metrics[place]})
	}
	ranks := map[string]int{}
	for i, p := range slices.Backward(planned) {
		ranks[p.ID] = i
	}
	rank := func(id string) int {
		if i, ok := ranks[id]; ok {
			return i
		}
		return len(planned)
	}
	slices.SortFunc(c.Prompts, func(a, b Prompt) int {
		return cmp.Or(cmp.Compare(rank(a.ID), rank(b.ID)), cmp.Compare(a.ID, b.ID))
	})
}
