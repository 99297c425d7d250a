package summary

import (
	"slices"

	"exobench"
	"exobench/metric"
)

// collapseRatio is by how much TTFT must fall from the first time that prompts
// are sent to the later ones before a cache is suspected.
const collapseRatio = 0.5

// doubtRequests says what of a cell's requests to doubt.
func doubtRequests(f *Fold, c *Cell, s *sample) []Figures {
	var doubts []Figures
	add := func(d Figures) { doubts = append(doubts, d) }
	if c.N < IntervalN && c.N > 0 {
		add(TooFewRequests{c.N, IntervalN})
	}
	if c.Cache == CacheUnknown {
		if share, fell := s.collapse(f.place(metric.TTFT)); fell {
			add(CacheSuspected{share})
		}
	}
	if failed := c.Requests - c.N; failed > 0 {
		add(FailedRequests{failed, c.Requests, failures(c.Outcomes)})
	}
	counted := s.lengthsOf(c.TokensFrom)
	if used := s.used(); len(used) > 1 {
		add(CountsMixed{used, c.TokensFrom, counted.n})
	} else if uncounted := c.N - counted.n; uncounted > 0 {
		add(CountsUnknown{uncounted, c.N})
	}
	t := tally(s.blocks)
	if f.header.Plan.Workload.Cache == exobench.ColdCache && c.Cache == CacheWarm {
		add(CachedAnswers{t.cached, c.N, t.most, t.prompt})
	}
	if f.header.Plan.Workload.Cache == exobench.WarmCache && t.cold > 0 {
		add(UncachedAnswers{t.cold, c.N})
	}
	for _, kind := range exobench.DoubtKinds {
		if d := t.doubts[kind]; d.n > 0 {
			add(Doubted{d.n, c.Requests, d.first})
		}
	}
	if t.impossible.n > 0 {
		add(ImpossibleFigures{t.impossible.n, c.N, t.impossible.metric})
	}
	for _, reason := range c.Ends {
		if early(reason) {
			add(EndedEarly{reason, c.Outcomes[exobench.Unsent]})
		}
	}
	if t.reloads > 0 {
		add(ModelReloaded{t.reloads, c.Requests, t.longestLoad})
	}
	if counted.least != counted.most && f.mayStopEarly(c.Engine) {
		add(LengthsDiffer{exobench.Tokens(counted.least), exobench.Tokens(counted.most)})
	}
	if sources := f.sources(s.blocks); len(sources) > 1 {
		add(SourcesMixed{sources})
	}
	return doubts
}

// early reports whether a block that ends so had more requests to send.
func early(reason exobench.BlockEndReason) bool {
	return reason != exobench.BlockDone && reason != exobench.BlockTime && reason != exobench.BlockPrecise
}

// collapse looks for a cache in the times of a server that tells nothing of
// one: an answer from a cache has no prefill. It returns the share of the first
// time's TTFT that later times had, and whether it fell suspiciously.
func (s *sample) collapse(ttft int) (share float64, fell bool) {
	values := func(first bool) []float64 {
		sample := s.space.empty(s.n)
		for r, value := range s.known(ttft) {
			if r.first == first {
				sample = append(sample, value)
			}
		}
		return sample
	}
	firsts := values(true)
	n, first := len(firsts), median(firsts)
	laters := values(false)
	m, later := len(laters), median(laters)
	return later / first, n >= 3 && m > 0 && later < collapseRatio*first
}

// failures counts the outcomes that are not OK.
func failures(outcomes map[exobench.Outcome]int) []OutcomeCount {
	var all []OutcomeCount
	for _, outcome := range exobench.Outcomes {
		if n := outcomes[outcome]; n > 0 && outcome != exobench.OK {
			all = append(all, OutcomeCount{outcome, n})
		}
	}
	return all
}

// mayStopEarly reports whether answers may be shorter than asked for.
func (f *Fold) mayStopEarly(engine string) bool {
	e, _ := f.header.Engine(engine)
	return f.header.Plan.Workload.NaturalStop || !e.IgnoresEOS
}

// sources returns the ways in which memory was read in the steps of blocks.
func (f *Fold) sources(blocks []*block) []MemorySource {
	var all []MemorySource
	for _, b := range blocks {
		all = append(all, f.steps[b.Step].memory().sources...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
