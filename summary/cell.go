package summary

import (
	"fmt"
	"strings"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// Key tells the cells of a run apart.
type Key struct {
	Subject
	ModelID, Placement string
	exobench.Load
}

// KeyOf returns the key of the cell that a request belongs to.
func KeyOf(r *exobench.Record) Key {
	return Key{Subject{r.Engine, r.Model}, r.ModelID, r.Placement, r.Load()}
}

// Cell is one load on one model of one engine: the unit of which figures are
// given.
type Cell struct {
	Key
	// Requests is how many measured requests there were, N how many were OK.
	Requests, N int
	// Outcomes counts the requests by outcome; Errors holds the error of the
	// first request (by Seq) of each outcome that has one.
	Outcomes map[exobench.Outcome]int
	Errors   map[exobench.Outcome]string
	// TokensFrom is how the output tokens behind the token metrics were
	// counted; empty where no request tells.
	TokensFrom exobench.TokensFrom
	// Metrics holds, by name, every metric of package metric that at least one
	// OK request gives.
	Metrics map[string]Summary
	// Wall is the time from the first sent to the last done.
	Wall time.Duration
	// Delivered is how many requests were under way on average over Wall, failed
	// ones included; a closed loop wants it to be Concurrency. Nil where unknown.
	Delivered *float64
	// Throughput is output tokens/s and RequestRate OK requests/s over Wall;
	// nil where unknown.
	Throughput, RequestRate *float64
	// EnergyPerToken is the engine's nodes' energy over Wall, in joules, for each
	// output token of the OK requests; nil where unknown.
	EnergyPerToken *float64
	// ClientServer sets the client's figures beside the server's own; nil where
	// no answer gives any.
	ClientServer *ClientServer
	// Memory is that of the request (of those that are OK) with the greatest
	// peak.
	Memory RequestMemory
	// Delay is the harness's own delay; nil without kernel receive stamps.
	Delay *Delay
	// Cache says whether prompts were answered from the engine's cache.
	Cache Cache
	// Prompts holds the same requests by prompt, in the plan's order.
	Prompts []Prompt
	// Warnings say what in these figures to doubt, and what to do about it.
	Warnings []string
}

// Metric returns the summary of a metric; it is absent where no OK request
// gives one.
func (c Cell) Metric(name string) (Summary, bool) {
	s, ok := c.Metrics[name]
	return s, ok
}

// failures describes the outcomes that are not OK.
func (c Cell) failures() string {
	var parts []string
	for _, outcome := range exobench.Outcomes {
		if n := c.Outcomes[outcome]; n > 0 && outcome != exobench.OK {
			parts = append(parts, fmt.Sprintf("%s: %d", outcome, n))
		}
	}
	return strings.Join(parts, ", ")
}

// Cache is what the answers told of the engine's prompt cache.
type Cache string

// The kinds.
const (
	// CacheCold: every OK answer says that no token of its prompt was cached.
	CacheCold Cache = "cold"
	// CacheWarm: at least one OK answer says that tokens of its prompt were.
	CacheWarm Cache = "warm"
	// CacheUnknown: not every answer tells.
	CacheUnknown Cache = "unknown"
)

// Prompt is the OK requests of one prompt in a cell.
type Prompt struct {
	ID string
	N  int
	// Metrics holds latency, TTFT and tokens/s where known.
	Metrics map[string]Summary
}

// Summary describes one metric over the OK requests that give it.
type Summary struct {
	N      int
	Median float64
	// Interval holds the population's median; nil where N is too small.
	Interval *stat.Interval
	Mean     float64
	// SD is nil where N < 2.
	SD       *float64
	Min, Max float64
	// Percentiles are those of p90, p95 and p99 that N supports.
	Percentiles []Percentile
}

// Percentile is the P-quantile of a sample.
type Percentile struct {
	P, Value float64
	// Interval is nil where there are too few requests.
	Interval *stat.Interval
}

// Percentile returns a percentile; it is absent where N does not support it.
func (s Summary) Percentile(p float64) (Percentile, bool) {
	for _, q := range s.Percentiles {
		if q.P == p {
			return q, true
		}
	}
	return Percentile{}, false
}

// IntervalN is the least number of requests for which a median has a 95 %
// interval.
const IntervalN = 6

// percentiles are the ones that a Summary gives where it can.
var percentiles = []float64{0.90, 0.95, 0.99}

// describe summarises the values, which it sorts; it is absent where there are
// none.
func describe(values []float64) (Summary, bool) {
	sample := stat.Sorted(values)
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

// promptMetric reports whether a metric is given for each prompt.
func promptMetric(m metric.Metric) bool {
	return m.Name == metric.Latency || m.Name == metric.TTFT || m.Name == metric.TokenRate
}
