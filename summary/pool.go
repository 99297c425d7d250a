package summary

import (
	"fmt"
	"strings"

	"exobench"
	"exobench/metric"
)

// kinds are the ways to count output tokens, the most trusted first.
var kinds = []exobench.TokensFrom{exobench.FromUsage, exobench.FromStats, exobench.FromEvents}

// pool is the values of OK requests, by metric and by how their output tokens
// were counted.
type pool struct {
	n       int
	values  map[string]map[exobench.TokensFrom][]float64
	outputs map[exobench.TokensFrom][]float64 // lengths of the answers, where known
}

func newPool() *pool {
	return &pool{
		values:  map[string]map[exobench.TokensFrom][]float64{},
		outputs: map[exobench.TokensFrom][]float64{},
	}
}

func (p *pool) count(r *exobench.Record) {
	p.n++
	if r.OutputTokens != nil && r.TokensFrom != "" {
		p.outputs[r.TokensFrom] = append(p.outputs[r.TokensFrom], float64(*r.OutputTokens))
	}
}

func (p *pool) add(name string, from exobench.TokensFrom, value float64) {
	if p.values[name] == nil {
		p.values[name] = map[exobench.TokensFrom][]float64{}
	}
	p.values[name][from] = append(p.values[name][from], value)
}

// counted returns how many requests tell their output tokens, counted in the way
// given.
func (p *pool) counted(k exobench.TokensFrom) int { return len(p.outputs[k]) }

// kinds returns the ways in which output tokens were counted, the most
// trusted first.
func (p *pool) kinds() []exobench.TokensFrom {
	var used []exobench.TokensFrom
	for _, k := range kinds {
		if p.counted(k) > 0 {
			used = append(used, k)
		}
	}
	return used
}

// kind returns the way that most requests used.
func (p *pool) kind() (most exobench.TokensFrom) {
	for _, k := range p.kinds() {
		if p.counted(k) > p.counted(most) {
			most = k
		}
	}
	return most
}

func (p *pool) describeKinds() string {
	var parts []string
	for _, k := range p.kinds() {
		parts = append(parts, fmt.Sprintf("%s: %d", k, p.counted(k)))
	}
	return strings.Join(parts, ", ")
}

// tokens returns the output tokens of all requests; it is absent unless each
// tells its number and all were counted in one way.
func (p *pool) tokens() (float64, bool) {
	used := p.kinds()
	if len(used) != 1 || p.counted(used[0]) != p.n {
		return 0, false
	}
	sum := 0.0
	for _, n := range p.outputs[used[0]] {
		sum += n
	}
	return sum, true
}

// lengths returns the shortest and the longest answer, of those counted in the
// way given.
func (p *pool) lengths(from exobench.TokensFrom) (least, most float64, differ bool) {
	for i, n := range p.outputs[from] {
		if i == 0 {
			least = n
		}
		least, most = min(least, n), max(most, n)
	}
	return least, most, least != most
}

// summaries describes each metric. Those that depend on the number of output
// tokens are of the requests counted in the way given alone.
func (p *pool) summaries(metrics []metric.Metric, from exobench.TokensFrom) map[string]Summary {
	summaries := map[string]Summary{}
	for _, m := range metrics {
		values := p.values[m.Name][from]
		if !m.CountsOutput {
			values = nil
			for _, v := range p.values[m.Name] {
				values = append(values, v...)
			}
		}
		if s, ok := Summarize(values); ok {
			summaries[m.Name] = s
		}
	}
	return summaries
}
