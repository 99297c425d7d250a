package summary

import (
	"cmp"
	"fmt"
	"math"
	"slices"

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
	server   reconciler
	lengths  lengths
}

type firstError struct {
	seq  int
	text string
}

// span is when a request was under way.
type span struct{ sent, ended exobench.Instant }

func newAccumulator() *accumulator {
	return &accumulator{
		outcomes: map[exobench.Outcome]int{},
		errors:   map[exobench.Outcome]firstError{},
		all:      newPool(),
		prompts:  map[string]*pool{},
		cache:    map[Cache]int{},
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
	if r.Outcome != exobench.OK {
		return
	}
	a.spans = append(a.spans, span{r.Sent, r.Ended})
	a.cache[cacheOf(r)]++
	if a.prompts[r.PromptID] == nil {
		a.prompts[r.PromptID] = newPool()
	}
	a.server.add(r)
	a.lengths.add(r)
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
	a.addMemory(&c, run.memory[key.Subject()])
	a.addRates(&c)
	a.addPrompts(&c, run.Header.Plan.Prompts, metrics)
	c.Reconciled = a.server.result()
	a.addWarnings(&c, run)
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
	slices.SortFunc(a.spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.sent, b.sent), cmp.Compare(a.ended, b.ended)) })
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
	rate := float64(c.N) / c.Wall.Seconds()
	c.RequestRate = &rate
	if tokens, ok := a.all.tokens(); ok {
		throughput := float64(tokens) / c.Wall.Seconds()
		c.Throughput = &throughput
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

func (a *accumulator) addWarnings(c *Cell, run *Run) {
	warn := func(format string, args ...any) { c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...)) }
	if c.N < IntervalN && c.N > 0 {
		warn("n = %d is too small for a 95 %% interval of a median: raise --repeat so that each cell has at least %d requests.", c.N, IntervalN)
	}
	if failed := c.Requests - c.N; failed > 0 {
		warn("%d of %d requests failed (%s) and are in no median; see their errors.", failed, c.Requests, c.failures())
	}
	if mixed := a.all.kinds(); len(mixed) > 1 {
		warn("Output tokens were counted in %d ways (%s): the token metrics are of the %d requests counted by %s alone, and there is no throughput. Find out why the engine reports usage only at times.",
			len(mixed), a.all.describeKinds(), a.all.counted[c.TokensFrom], c.TokensFrom)
	} else if unknown := c.N - a.all.counted[c.TokensFrom]; unknown > 0 {
		warn("%d of %d OK requests tell no number of output tokens: there is no throughput, and token metrics are without them.", unknown, c.N)
	}
	if run.Header.Plan.Cache == "cold" && c.Cache == CacheWarm {
		warn("%d of %d requests were answered in part from the engine's prompt cache although the plan says cold: TTFT is too good.", a.cache[CacheWarm], c.N)
	}
	c.Warnings = append(c.Warnings, c.Reconciled.warnings(a.lengths)...)
	if text := a.lengths.warning(); text != "" && len(a.all.kinds()) == 1 {
		warn("%s", text)
	}
	if readings := run.memory[c.Subject()]; readings != nil && len(readings.sources) > 1 {
		warn("Memory was read in %d ways %q in one run: its differences mean nothing.", len(readings.sources), readings.sources)
	}
}
