package summary

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// rows holds what is kept of the OK requests of a cell, in the order in which they
// came: each value once, and no request twice.
type rows struct {
	column[row]
	metrics []metric.Metric
	values  []values // by metric
	server  serverValues
	prompts []promptRows
	place   map[string]int // of a prompt's id in prompts
	outputs [len(kinds)]lengths
}

// row is what a request has besides its values.
type row struct {
	span
	prompt int32
	kind   int8 // of the way in which its output tokens were counted
	first  bool // its prompt had not been sent before
}

// span is when a request was under way.
type span struct{ sent, done, ended exobench.Instant }

func (s span) compare(other span) int {
	return cmp.Or(cmp.Compare(s.sent, other.sent), cmp.Compare(s.ended, other.ended), cmp.Compare(s.done, other.done))
}

type promptRows struct {
	id string
	n  int
}

// lengths is the numbers of output tokens that were counted in one way.
type lengths struct {
	n                int
	sum, least, most float64
}

// kinds are the ways to count output tokens, the most trusted first.
var kinds = [...]exobench.TokensFrom{exobench.FromUsage, exobench.FromStats, exobench.FromEvents}

// Kinds of requests besides those: no way is told, or an unknown one.
const (
	untold  = -1
	unknown = -2
)

func kindOf(from exobench.TokensFrom) int8 {
	if from == "" {
		return untold
	}
	if i := slices.Index(kinds[:], from); i >= 0 {
		return int8(i)
	}
	return unknown
}

func newRows(metrics []metric.Metric) *rows {
	return &rows{metrics: metrics, values: make([]values, len(metrics)), place: map[string]int{}}
}

func (rs *rows) add(r *exobench.Record) {
	i := rs.n
	kind := kindOf(r.TokensFrom)
	rs.append(row{span{r.Sent, r.Done, r.Ended}, int32(rs.promptOf(r.PromptID)), kind, r.Repeat <= 1})
	if r.OutputTokens != nil && kind >= 0 {
		rs.outputs[kind].add(float64(*r.OutputTokens))
	}
	for m := range rs.metrics {
		if value, ok := rs.metrics[m].Value(r); ok && !math.IsNaN(value) && !math.IsInf(value, 0) {
			rs.values[m].put(i, value)
		}
	}
	if r.Server != nil {
		rs.server.put(i, r)
	}
}

// promptOf counts a request of a prompt and returns the prompt's place.
func (rs *rows) promptOf(id string) int {
	place, ok := rs.place[id]
	if !ok {
		place = len(rs.prompts)
		rs.place[id] = place
		rs.prompts = append(rs.prompts, promptRows{id: id})
	}
	rs.prompts[place].n++
	return place
}

func (l *lengths) add(n float64) {
	if l.n == 0 {
		l.least = n
	}
	l.n++
	l.sum += n
	l.least, l.most = min(l.least, n), max(l.most, n)
}

// valuesOf returns the values of a metric.
func (rs *rows) valuesOf(name string) *values {
	i := slices.IndexFunc(rs.metrics, func(m metric.Metric) bool { return m.Name == name })
	return &rs.values[i]
}

// lengthsOf returns the numbers of output tokens that were counted in the way
// given.
func (rs *rows) lengthsOf(from exobench.TokensFrom) lengths {
	if kind := kindOf(from); kind >= 0 {
		return rs.outputs[kind]
	}
	return lengths{}
}

// used returns the ways in which output tokens were counted, the most trusted
// first.
func (rs *rows) used() []exobench.TokensFrom {
	var used []exobench.TokensFrom
	for _, k := range kinds {
		if rs.lengthsOf(k).n > 0 {
			used = append(used, k)
		}
	}
	return used
}

// from returns the way that most requests used.
func (rs *rows) from() (most exobench.TokensFrom) {
	for _, k := range rs.used() {
		if rs.lengthsOf(k).n > rs.lengthsOf(most).n {
			most = k
		}
	}
	return most
}

func (rs *rows) describeKinds() string {
	var parts []string
	for _, k := range rs.used() {
		parts = append(parts, fmt.Sprintf("%s: %d", k, rs.lengthsOf(k).n))
	}
	return strings.Join(parts, ", ")
}

// tokens returns the output tokens of all requests; it is absent unless each
// tells its number and all were counted in one way.
func (rs *rows) tokens() (float64, bool) {
	used := rs.used()
	if len(used) != 1 || rs.lengthsOf(used[0]).n != rs.n {
		return 0, false
	}
	return rs.lengthsOf(used[0]).sum, true
}

// enters reports whether request i enters a metric's summary: those that depend on
// the number of output tokens are of the requests counted in one way alone.
func (rs *rows) enters(m metric.Metric, i int, kind int8) bool {
	return !m.CountsOutput || rs.at(i).kind == kind
}

// summaries describes each metric, in space.
func (rs *rows) summaries(from exobench.TokensFrom, space *space) map[string]Summary {
	kind := kindOf(from)
	summaries := map[string]Summary{}
	for m := range rs.metrics {
		sample := space.empty(rs.n)
		for i, value := range rs.values[m].known() {
			if rs.enters(rs.metrics[m], i, kind) {
				sample = append(sample, value)
			}
		}
		if s, ok := describe(sample); ok {
			summaries[rs.metrics[m].Name] = s
		}
	}
	return summaries
}

// promptSummaries describes each prompt's metrics, by the prompts' places.
func (rs *rows) promptSummaries(from exobench.TokensFrom, space *space) []map[string]Summary {
	kind := kindOf(from)
	all := make([]map[string]Summary, len(rs.prompts))
	for p := range all {
		all[p] = map[string]Summary{}
	}
	sizes := make([]int, len(rs.prompts))
	for p := range sizes {
		sizes[p] = rs.prompts[p].n
	}
	for m := range rs.metrics {
		if !promptMetric(rs.metrics[m]) {
			continue
		}
		samples := space.parts(sizes...)
		for i, value := range rs.values[m].known() {
			if p := rs.at(i).prompt; rs.enters(rs.metrics[m], i, kind) {
				samples[p] = append(samples[p], value)
			}
		}
		for p, sample := range samples {
			if s, ok := describe(sample); ok {
				all[p][rs.metrics[m].Name] = s
			}
		}
	}
	return all
}

// median returns the median of the values, which it sorts; 0 where there are none.
func median(values []float64) float64 {
	m, _ := stat.Sorted(values).Median()
	return m
}
