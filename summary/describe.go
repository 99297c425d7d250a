package summary

import (
	"cmp"
	"slices"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// percentiles are the ones that a Summary gives where it can.
var percentiles = []float64{0.90, 0.95, 0.99}

// describe summarises the values, which it sorts; it is absent where there are
// none.
func describe(values []float64) (Summary, bool) { return describeSorted(stat.Sorted(values)) }

func describeSorted(sample stat.Sample) (Summary, bool) {
	if sample.N() == 0 {
		return Summary{}, false
	}
	s := Summary{N: sample.N()}
	s.Median, _ = sample.Median()
	s.Mean, _ = sample.Mean()
	s.Min, _ = sample.Min()
	s.Max, _ = sample.Max()
	if sd, ok := sample.SD(); ok {
		s.SD = &sd
	}
	if iv, ok, _ := sample.MedianInterval(stat.Confidence); ok {
		s.Interval = &iv
	}
	for _, p := range percentiles {
		if !stat.Supports(p, s.N) {
			continue
		}
		q := Percentile{P: p}
		q.Value, _ = sample.Quantile(p)
		if iv, ok, _ := sample.QuantileInterval(p, stat.Confidence); ok {
			q.Interval = &iv
		}
		s.Percentiles = append(s.Percentiles, q)
	}
	return s, true
}

// median returns the median of the values, which it sorts; 0 where there are none.
func median(values []float64) float64 {
	m, _ := stat.Sorted(values).Median()
	return m
}

// enters reports whether a request enters a metric's summary: those that depend
// on the number of output tokens are of the requests counted in one way alone.
func (r *row) enters(m metric.Metric, way int8) bool { return !m.CountsOutput || r.way == way }

// summaries describes each metric that a record gives.
func (s *sample) summaries(metrics []metric.Metric, c *Cell) map[string]Summary {
	way := wayOf(c.TokensFrom)
	summaries := map[string]Summary{}
	c.Spread = map[string]*Spread{}
	for m := range metrics {
		if metrics[m].OpenLoop && !c.Traffic.Open() {
			continue
		}
		observations := s.observations(m, func(r *row) bool { return r.enters(metrics[m], way) })
		if described, ok := s.describe(observations); ok {
			summaries[metrics[m].Name] = described
			if spreadMetric(metrics[m].Name) {
				if spread := spreadOf(observations, described.Interval); spread != nil {
					c.Spread[metrics[m].Name] = spread
				}
			}
		}
	}
	return summaries
}

// describe summarises a metric of the cell, with the interval that its prompts and
// loads give.
func (s *sample) describe(observations []stat.Observation) (Summary, bool) {
	values := s.space.empty(len(observations))
	for _, o := range observations {
		values = append(values, o.Value)
	}
	sorted := stat.Sorted(values)
	described, ok := describeSorted(sorted)
	described.Interval = nil
	if iv, told := sorted.MedianIntervalOf(observations, stat.Confidence); told {
		described.Interval = &iv
	}
	return described, ok
}

// observations returns the known values of a metric, by its place, of the requests
// that are wanted, in the order in which they were sent: with the prompt for a
// stratum and the step, that is the load, for a block.
func (s *sample) observations(m int, wanted func(*row) bool) []stat.Observation {
	all := s.space.observed[:0]
	for b, i := range s.inOrder() {
		if value, ok := b.ok.values[m].value(i); ok && wanted(b.ok.at(i)) {
			all = append(all, stat.Observation{Value: value, Stratum: int(b.ok.at(i).prompt), Block: b.Step})
		}
	}
	s.space.observed = all
	return all
}

// promptMetric reports whether a metric is given for each prompt.
func promptMetric(m metric.Metric) bool {
	return m.Name == metric.Latency || m.Name == metric.TTFT || m.Name == metric.TokenRate
}

// prompts describes the requests of each prompt: those of the plan in its
// order, unknown ones after them.
func (s *sample) prompts(f *Fold, from exobench.TokensFrom) []Prompt {
	sizes := make([]int, len(f.prompts))
	for _, r := range s.all() {
		sizes[r.prompt]++
	}
	all := make([]Prompt, len(f.prompts))
	for p := range all {
		all[p] = Prompt{ID: f.prompts[p], N: sizes[p], Metrics: map[string]Summary{}}
	}
	for m := range f.metrics {
		if !promptMetric(f.metrics[m]) {
			continue
		}
		samples := s.space.parts(sizes...)
		for b, i := range s.inOrder() {
			r := b.ok.at(i)
			if value, known := b.ok.values[m].value(i); known && r.enters(f.metrics[m], wayOf(from)) {
				samples[r.prompt] = append(samples[r.prompt], stat.Observation{Value: value, Block: b.Step})
			}
		}
		for p, sample := range samples {
			if described, ok := s.describe(sample); ok {
				all[p].Metrics[f.metrics[m].Name] = described
			}
		}
	}
	all = slices.DeleteFunc(all, func(p Prompt) bool { return p.N == 0 })
	planned := map[string]int{}
	for i, p := range slices.Backward(f.header.Plan.Workload.Prompts) {
		planned[p.ID] = i - len(f.header.Plan.Workload.Prompts) // below those that are not planned
	}
	slices.SortFunc(all, func(a, b Prompt) int {
		return cmp.Or(cmp.Compare(planned[a.ID], planned[b.ID]), cmp.Compare(a.ID, b.ID))
	})
	return all
}
