package peers

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"exobench"
	"exobench/summary"
)

// Report is what a tool would have reported of one cell.
type Report struct {
	Tool        Tool   `json:"tool"`
	Engine      string `json:"engine"`
	Model       string `json:"model"`
	Placement   string `json:"placement,omitempty"`
	Concurrency int    `json:"concurrency,omitempty"`
	// Rate is that of an open loop, in requests per second; 0 in a closed one.
	Rate float64 `json:"rate_rps,omitempty"`
	// Requests is how many were measured, and Counted how many of them enter the
	// tool's figures.
	Requests int       `json:"requests"`
	Counted  int       `json:"counted"`
	Measures []Measure `json:"measures"`
}

// Measure is one thing that a tool measures, with the figures that it gives of it.
type Measure struct {
	Name       string `json:"name"`
	Unit       string `json:"unit"`
	Definition string `json:"definition"`
	// Note says where a record cannot reproduce the tool exactly, or what to
	// beware of.
	Note string `json:"note,omitempty"`
	// N is the number of values behind the figures.
	N       int      `json:"n"`
	Figures []Figure `json:"figures"`
}

// Figure is one number, under the tool's own name for it where that is known.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Value returns the figure of that name.
func (r Report) Value(name string) (float64, bool) {
	for _, m := range r.Measures {
		for _, f := range m.Figures {
			if f.Name == name {
				return f.Value, true
			}
		}
	}
	return 0, false
}

// Derive computes what a tool would have reported of the measured requests of a
// cell, as Run.Rows hands them over: warm-ups are not among them, whoever the
// tool is. The records are read until it returns. It is an error if no request
// counts.
func Derive(tool string, of *summary.Cell, records iter.Seq[*exobench.Record]) (Report, error) {
	t, ok := ByName(tool)
	if !ok {
		var names []string
		for _, t := range Tools {
			names = append(names, t.Name)
		}
		return Report{}, fmt.Errorf("derive the figures of %q: it is none of %s", tool, strings.Join(names, ", "))
	}
	c := cell{traffic: of.Traffic}
	for r := range records {
		c.all = append(c.all, r)
		if slices.Contains(t.Counts, r.Outcome) && r.Sent.Reached() && r.FirstToken.Reached() && r.Done.Reached() {
			c.counted = append(c.counted, r)
		}
	}
	if len(c.counted) == 0 {
		return Report{}, fmt.Errorf("derive the figures of %s: none of %d measured requests counts", tool, len(c.all))
	}
	report := Report{
		Tool: t, Engine: of.Engine, Model: of.Model, Placement: of.Placement, Concurrency: of.Traffic.Concurrency, Rate: of.Traffic.Rate,
		Requests: len(c.all), Counted: len(c.counted),
	}
	for _, m := range t.derive(c) {
		m.Figures = slices.DeleteFunc(m.Figures, func(f Figure) bool { return !possible(f.Value) })
		if len(m.Figures) > 0 {
			report.Measures = append(report.Measures, m)
		}
	}
	return report, nil
}

// cell is the measured requests of one cell; counted are those that enter the
// tool's figures.
type cell struct {
	traffic      exobench.Traffic
	all, counted []*exobench.Record
}

// mostPossible is beyond what any value or figure can be, in any unit.
const mostPossible = 1e15

// possible reports whether a value can be: what a server says need not be, and
// one absurd value must not make a figure of all.
func possible(v float64) bool { return math.Abs(v) <= mostPossible }

// values returns what of gives for each counted request, where it is known and
// can be.
func (c cell) values(of func(*exobench.Record) (float64, bool)) []float64 {
	var values []float64
	for _, r := range c.counted {
		if v, ok := of(r); ok && possible(v) {
			values = append(values, v)
		}
	}
	return values
}

// total adds up token counts of the counted requests.
func (c cell) total(of func(*exobench.Record) (float64, bool)) (sum float64, n int) {
	for _, v := range c.values(of) {
		sum, n = sum+v, n+1
	}
	return sum, n
}

// seconds is the time from the first request sent to the last one at its end,
// failed ones included.
func (c cell) seconds(end func(*exobench.Record) exobench.Instant) (float64, bool) {
	var from, to exobench.Instant
	for _, r := range c.all {
		if !r.Sent.Reached() {
			continue
		}
		if !from.Reached() || r.Sent < from {
			from = r.Sent
		}
		to = max(to, end(r))
	}
	return to.Sub(from).Seconds(), from.Reached() && to > from
}

// closed is when the stream closed, else when the answer was done.
func closed(r *exobench.Record) exobench.Instant {
	if r.Ended.Reached() {
		return r.Ended
	}
	return r.Done
}

func millis(from, to exobench.Instant) float64 { return float64(to-from) / 1e6 }

func outputTokens(r *exobench.Record) (float64, bool) {
	if r.OutputTokens == nil {
		return 0, false
	}
	return float64(*r.OutputTokens), true
}

func promptTokens(r *exobench.Record) (float64, bool) {
	if r.PromptTokens == nil {
		return 0, false
	}
	return float64(*r.PromptTokens), true
}
