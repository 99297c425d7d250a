package compare

import (
	"math"
	"slices"

	"exobench/metric"
	"exobench/stat"
	"exobench/summary"
)

// Verdict is what a comparison comes to.
type Verdict string

// The verdicts.
const (
	// Better and Worse: the difference is more than noise, and large enough to
	// matter.
	Better Verdict = "better"
	Worse  Verdict = "worse"
	// Equal: the interval shows that any difference is too small to matter.
	Equal Verdict = "equal"
	// NoEvidence: neither a difference nor that there is none.
	NoEvidence Verdict = "no evidence"
	// TooLittle: too few measurements to tell anything.
	TooLittle Verdict = "too little data"
	// Disturbed: there is a difference, and the machine was disturbed by enough to
	// have brought it about.
	Disturbed Verdict = "disturbed"
	// ClientBound: the harness's own error is too large in one of the two.
	ClientBound Verdict = "client-bound"
)

// Caution is what a reader must know of a verdict.
type Caution string

// The cautions.
const (
	// OneLoad: each model was loaded once, and loads differ.
	OneLoad Caution = "one load each"
	// Unquiet: the machine was disturbed, by less than the difference.
	Unquiet Caution = "disturbed machine"
)

// Comparison is one metric of one cell in both runs.
type Comparison struct {
	Metric string           `json:"metric"`
	Title  string           `json:"title"`
	Unit   metric.Unit      `json:"unit"`
	Better metric.Direction `json:"better"`
	A      Side             `json:"a"`
	B      Side             `json:"b"`
	// Shift is from A to B; nil where nothing can be told.
	Shift *stat.Shift `json:"shift"`
	// P is the shift's, corrected for the comparisons of the pair.
	P       float64 `json:"p_corrected"`
	Verdict Verdict `json:"verdict"`
	// Cautions go with the verdict.
	Cautions []Caution `json:"cautions"`
	// Needed is how many times as much data would tell a change as small as the
	// least that matters from none: of loads where there are several, else of
	// requests. It is 1 where there is enough, and nil where it is beyond what
	// anybody would measure.
	Needed *float64 `json:"needed_times"`

	// disturbance is the share of the machine that others took.
	disturbance float64
	bound       bool
}

// Side is a metric in one of the runs.
type Side struct {
	N      int     `json:"n"`
	Loads  int     `json:"loads"`
	Median float64 `json:"median"`
}

// compareCells compares each metric of two cells.
func compareCells(a, b side, o Options) []Comparison {
	var all []Comparison
	for _, name := range o.Metrics {
		m, _ := metricOf(name)
		strata := map[string]int{}
		x, y := observe(a, name, strata), observe(b, name, strata)
		if len(x) == 0 && len(y) == 0 {
			continue
		}
		c := Comparison{
			Metric: m.Name, Title: m.Title, Unit: m.Unit, Better: m.Better, A: sideOf(x), B: sideOf(y), P: 1,
			disturbance: max(Disturbance(a.cell), Disturbance(b.cell)),
			bound:       m.Unit != metric.Bytes && (BoundByClient(a.cell) || BoundByClient(b.cell)),
		}
		if s, ok := stat.Compare(x, y, stat.Confidence); ok {
			c.Shift, c.P = &s, s.P
		}
		all = append(all, c)
	}
	return all
}

// observe returns the observations of a cell with the numbers of prompts, which
// both sides share.
func observe(s side, name string, strata map[string]int) []stat.Observation {
	var all []stat.Observation
	for _, o := range s.run.Observations(s.cell, name) {
		stratum, known := strata[o.Prompt]
		if !known {
			stratum = len(strata)
			strata[o.Prompt] = stratum
		}
		all = append(all, stat.Observation{Value: o.Value, Stratum: stratum, Block: o.Step})
	}
	return all
}

func sideOf(observations []stat.Observation) Side {
	values, loads := make([]float64, len(observations)), map[int]bool{}
	for i, o := range observations {
		values[i] = o.Value
		loads[o.Block] = true
	}
	median, _ := stat.Sorted(values).Median()
	return Side{len(observations), len(loads), median}
}

// Disturbance returns the share of the machine that others than the engine and
// exobench took while a cell was measured, where it is enough to be warned of.
func Disturbance(c *summary.Cell) float64 {
	told := slices.ContainsFunc(c.Warnings, func(w summary.Warning) bool {
		switch w.Figures.(type) {
		case summary.OthersBusy, summary.TimeStolen:
			return true
		}
		return false
	})
	if !told || c.Machine == nil {
		return 0
	}
	share := 0.0
	for _, part := range []*float64{c.Machine.Foreign, c.Machine.Steal} {
		if part != nil {
			share += *part
		}
	}
	return min(share, 0.95)
}

// BoundByClient reports whether the harness's own error is too large in a cell.
func BoundByClient(c *summary.Cell) bool {
	return slices.ContainsFunc(c.Warnings, func(w summary.Warning) bool {
		_, bound := w.Figures.(summary.HarnessError)
		return bound
	})
}

// alpha is how often a difference may be told where there is none, over all
// comparisons of a pair.
const alpha = 1 - stat.Confidence

// useless is a half-width of an interval beyond which it says nothing.
const useless = 0.5

// judge corrects the tests of a pair for each other, and gives each its verdict.
func (p *Pair) judge(o Options) {
	var all []*Comparison
	var tests []float64
	for i := range p.Cells {
		for k := range p.Cells[i].Comparisons {
			if c := &p.Cells[i].Comparisons[k]; c.Shift != nil {
				all, tests = append(all, c), append(tests, c.P)
			}
		}
	}
	for i, corrected := range stat.Holm(tests) {
		all[i].P = corrected
	}
	for i := range p.Cells {
		for k := range p.Cells[i].Comparisons {
			c := &p.Cells[i].Comparisons[k]
			if p.inTurn {
				c.disturbance = 0
			}
			c.decide(o.MinEffect)
		}
	}
}

// decide gives the verdict. The order is that of its questions: is there anything
// to go by, is there a difference and of what, is it shown that there is none.
func (c *Comparison) decide(least float64) {
	if c.Shift == nil {
		c.Verdict = TooLittle
		return
	}
	s := c.Shift
	size := math.Abs(math.Log(s.Ratio))
	half := math.Log(s.Interval.Hi/s.Interval.Lo) / 2
	if times, ok := s.Times(least); ok {
		c.Needed = &times
	}
	// What others took of the machine slows by as much again where they take it
	// from the engine alone.
	explained := math.Log1p(2 * c.disturbance)
	switch {
	case c.bound:
		c.Verdict = ClientBound
	case c.P <= alpha && size >= math.Log1p(least) && size <= explained:
		c.Verdict = Disturbed
	case c.P <= alpha && size >= math.Log1p(least):
		c.Verdict = Worse
		if (s.Ratio > 1) == (c.Better == metric.Higher) {
			c.Verdict = Better
		}
	case s.Equal <= least:
		c.Verdict = Equal
	case half > useless:
		c.Verdict = TooLittle
	default:
		c.Verdict = NoEvidence
	}
	if c.Verdict == Better || c.Verdict == Worse || c.Verdict == Equal {
		if s.Interval.Basis == stat.WithinBlock {
			c.Cautions = append(c.Cautions, OneLoad)
		}
		if c.disturbance > 0 {
			c.Cautions = append(c.Cautions, Unquiet)
		}
	}
}
