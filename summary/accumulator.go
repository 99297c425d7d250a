package summary

import (
	"cmp"
	"math"
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
	spans    []span           // of the OK requests
	all      *pool
	prompts  map[string]*pool
	cache    map[Cache]int // OK requests by what their answer tells
	compared []comparison
	delays   *delays
	collapse collapse
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

// span is when a request was under way.
type span struct{ sent, done, ended exobench.Instant }

func newAccumulator() *accumulator {
	return &accumulator{
		outcomes: map[exobench.Outcome]int{},
		errors:   map[exobench.Outcome]firstError{},
		all:      newPool(),
		prompts:  map[string]*pool{},
		cache:    map[Cache]int{},
		delays:   new(delays),
	}
}

func (a *accumulator) add(r *exobench.Record, metrics []metric.Metric) {
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
	a.spans = append(a.spans, span{r.Sent, r.Done, r.Ended})
	if r.Server != nil {
		a.compared = append(a.compared, compare(r))
	}
	a.cache[cacheOf(r)]++
	a.delays.add(r)
	a.collapse.add(r)
	if a.prompts[r.PromptID] == nil {
		a.prompts[r.PromptID] = newPool()
	}
	a.all.count(r)
	a.prompts[r.PromptID].count(r)
	for _, m := range metrics {
		value, ok := m.Value(r)
		if !ok || math.IsNaN(value) || math.IsInf(value, 0) {
			continue
		}
		a.all.add(m.Name, r.TokensFrom, value)
		if promptMetric(m) {
			a.prompts[r.PromptID].add(m.Name, r.TokensFrom, value)
		}
	}
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

// cell gives the finished cell.
func (a *accumulator) cell(key Key, run *Run, metrics []metric.Metric) Cell {
	c := Cell{
		Key: key, Requests: a.requests, N: len(a.spans), Outcomes: a.outcomes,
		Errors: map[exobench.Outcome]string{}, TokensFrom: a.all.kind(), Cache: a.cacheKind(),
	}
	for outcome, first := range a.errors {
		c.Errors[outcome] = first.text
	}
	c.Metrics = a.all.summaries(metrics, c.TokensFrom)
	slices.SortFunc(a.spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.sent, b.sent), cmp.Compare(a.ended, b.ended), cmp.Compare(a.done, b.done))
	})
	a.addMemory(&c, run.memory[key.Subject])
	a.addRates(&c)
	a.addEnergy(&c, run.nodes[key.Subject])
	c.ClientServer = clientServer(a.comparisonsOf(c.TokensFrom))
	a.addPrompts(&c, run.Header.Plan.Prompts, metrics)
	c.Delay = a.delays.result()
	a.addWarnings(&c, run)
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

func (a *accumulator) addMemory(c *Cell, readings *timeline) {
	var peaks, inference, additional []float64
	for _, s := range a.spans {
		m := readings.during(s.sent, s.ended)
		if m.Peak != nil {
			peaks = append(peaks, float64(m.Peak.Total))
		}
		if b, ok := m.Inference(); ok {
			inference = append(inference, float64(b))
		}
		if b, ok := m.Additional(); ok {
			additional = append(additional, float64(b))
		}
		if c.Memory.Peak == nil || m.Peak != nil && m.Peak.Total > c.Memory.Peak.Total {
			c.Memory = m
		}
	}
	for name, values := range map[string][]float64{
		metric.MemoryPeak: peaks, metric.MemoryInference: inference, metric.MemoryAdditional: additional,
	} {
		if s, ok := Summarize(values); ok {
			c.Metrics[name] = s
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
	if tokens, ok := a.all.tokens(); ok {
		throughput := tokens / c.Wall.Seconds()
		c.Throughput = &throughput
	}
}

// addEnergy gives the energy of each OK request, and that of the whole cell for
// each output token: requests under way together share the nodes, so theirs do
// not add up.
func (a *accumulator) addEnergy(c *Cell, nodes *nodeline) {
	var energies []float64
	for _, s := range a.spans {
		if joules, ok := nodes.energy(s.sent, s.done); ok {
			energies = append(energies, joules)
		}
	}
	if s, ok := Summarize(energies); ok {
		c.Metrics[metric.Energy] = s
	}
	joules, ok := nodes.energy(a.start, a.end)
	if tokens, counted := a.all.tokens(); ok && counted && tokens > 0 {
		c.EnergyPerToken = new(joules / tokens)
	}
}

// addPrompts gives the prompts in the plan's order, unknown ones after them.
func (a *accumulator) addPrompts(c *Cell, planned []exobench.Prompt, metrics []metric.Metric) {
	var ids []string
	for id := range a.prompts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	rank := func(id string) int {
		i := slices.IndexFunc(planned, func(p exobench.Prompt) bool { return p.ID == id })
		if i < 0 {
			return len(planned)
		}
		return i
	}
	slices.SortStableFunc(ids, func(a, b string) int { return rank(a) - rank(b) })
	for _, id := range ids {
		p := a.prompts[id]
		c.Prompts = append(c.Prompts, Prompt{ID: id, N: p.n, Metrics: p.summaries(metrics, c.TokensFrom)})
	}
}

// comparisonsOf returns the comparisons of the requests whose output tokens were
// counted in the way given.
func (a *accumulator) comparisonsOf(from exobench.TokensFrom) []comparison {
	var all []comparison
	for _, c := range a.compared {
		if c.from == from {
			all = append(all, c)
		}
	}
	return all
}
