package compare

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"exobench/metric"
	"exobench/stat"
	"exobench/summary"
)

// Sharpness is how small a change of one metric of one cell comparisons find that
// take so long.
type Sharpness struct {
	Cell   string `json:"cell"`
	Metric string `json:"metric"`
	// Budget is the time that both sides take together, and Loads how many of the
	// run's loads each side has in it.
	Budget time.Duration `json:"budget_ns"`
	Loads  int           `json:"loads"`
	// Smallest is the smallest of Slowdowns, as a share, that was found in at least nine
	// of ten tries; nil where none was, or where there were more false alarms than one
	// in twenty. A slowdown of 10 % makes latency longer by 10 %, and rates lower by the
	// factor 1/1.1.
	Smallest *float64 `json:"smallest"`
	// FalseAlarms is the share of tries without a slowdown that told one or a
	// speed-up.
	FalseAlarms float64 `json:"false_alarms"`
	Tries       int     `json:"tries"`
	// Apart is set where the run has enough loads for a try to have each only once;
	// else they are drawn again and again, which makes the figures too good.
	Apart bool `json:"apart"`
}

// Slowdowns are those that are tried.
var Slowdowns = []float64{0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1}

const (
	// leastLoads is the least number of loads that stand for others.
	leastLoads = 8
	// leastSide is the least number of loads of a side: of one, nothing tells how much
	// loads differ.
	leastSide = 2
	// found is the share of tries in which a slowdown must be told.
	found = 0.9
)

// Sharpen tells how small a slowdown comparisons would find that are made of loads
// such as those of a run, by making them: each of the tries draws loads that were
// next to each other, for both sides in turn as --ab has them, makes those of one side
// slower, and compares them. A slowdown is found where the verdict would be worse. The
// same run and seed give the same answer.
func Sharpen(run *summary.Run, budgets []time.Duration, tries int, seed uint64, o Options) ([]Sharpness, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	var all []Sharpness
	cells := sides(run, "")
	for _, s := range cells {
		for _, name := range o.Metrics {
			m, _ := metricOf(name)
			loads, each := loadsOf(s, name)
			if m.Unit == metric.Bytes || len(loads) < leastLoads || each <= 0 {
				continue
			}
			for _, budget := range budgets {
				n := int(budget / (2 * each))
				if n < leastSide {
					continue
				}
				t := trial{loads: loads, each: n, rate: m.Better == metric.Higher, least: o.MinEffect, tries: tries, seed: seed}
				sharp := Sharpness{
					Cell: nameOf(s, cells, nil), Metric: m.Name, Budget: budget, Loads: n,
					FalseAlarms: t.told(0, true), Tries: tries, Apart: 2*n <= len(loads),
				}
				if sharp.FalseAlarms <= tooMany(tries) {
					sharp.Smallest = t.smallest()
				}
				all = append(all, sharp)
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the run has no cell with at least %d loads, short enough for four to fit into %v: measure one with --loads", leastLoads, slices.Max(budgets))
	}
	return all, nil
}

// loadsOf returns the observations of each load of a cell, in order of time, and how
// long one took, with what lay between them.
func loadsOf(s side, name string) (loads [][]stat.Observation, each time.Duration) {
	strata := map[string]int{}
	at := map[int]int{}
	var first, last *summary.Step
	for _, o := range observe(s, name, strata) {
		i, known := at[o.Block]
		if !known {
			i = len(loads)
			at[o.Block] = i
			loads = append(loads, nil)
			if last = s.run.Step(o.Block); first == nil {
				first = last
			}
		}
		loads[i] = append(loads[i], o)
	}
	if first == nil || last == nil {
		return nil, 0
	}
	return loads, last.Ended.Sub(first.Began) / time.Duration(len(loads))
}

// trial makes comparisons of loads.
type trial struct {
	loads [][]stat.Observation
	each  int // loads of a side
	rate  bool
	least float64
	tries int
	seed  uint64
}

// smallest returns the smallest slowdown that is found; nil where the largest is not.
// Larger ones are taken to be found more often.
func (t trial) smallest() *float64 {
	i := sort.Search(len(Slowdowns), func(i int) bool { return t.told(Slowdowns[i], false) >= found })
	if i == len(Slowdowns) {
		return nil
	}
	return &Slowdowns[i]
}

// tooMany is the share of false alarms from which on they are more than one in
// twenty, and not by the chance of so many tries.
func tooMany(tries int) float64 { return alpha + 1.64*math.Sqrt(alpha*(1-alpha)/float64(tries)) }

// told returns the share of tries in which a slowdown is told, or a speed-up too.
func (t trial) told(slowdown float64, either bool) float64 {
	random := rand.New(rand.NewPCG(t.seed, uint64(t.each)))
	told := 0
	for range t.tries {
		a, b := t.draw(random)
		factor := 1 + slowdown
		if t.rate {
			factor = 1 / factor
		}
		for i := range b {
			b[i].Value *= factor
		}
		s, ok := stat.Compare(a, b, stat.Confidence)
		if !ok || s.P > alpha || math.Abs(math.Log(s.Ratio)) < math.Log1p(t.least) {
			continue
		}
		if either || (s.Ratio < 1) == t.rate {
			told++
		}
	}
	return float64(told) / float64(t.tries)
}

// draw draws the loads of two sides: pairs of neighbours, of which either is the
// first side's, in one stretch of the run where it is long enough.
func (t trial) draw(random *rand.Rand) (a, b []stat.Observation) {
	n := len(t.loads)
	start, apart := 0, 2*t.each <= n
	if apart {
		start = random.IntN(n - 2*t.each + 1)
	}
	for pair := range t.each {
		i := start + 2*pair
		if !apart {
			i = random.IntN(n - 1)
		}
		first, second := t.loads[i], t.loads[i+1]
		if random.IntN(2) == 1 {
			first, second = second, first
		}
		a, b = append(a, asBlock(first, pair)...), append(b, asBlock(second, pair)...)
	}
	return a, b
}

// asBlock returns observations as those of a block.
func asBlock(all []stat.Observation, block int) []stat.Observation {
	all = slices.Clone(all)
	for i := range all {
		all[i].Block = block
	}
	return all
}

// errBudget is for budgets that are none.
var errBudget = errors.New("a budget must be a time above 0, such as 1m")

// CheckBudgets reports what is wrong with budgets.
func CheckBudgets(budgets []time.Duration) error {
	if len(budgets) == 0 || slices.Min(budgets) <= 0 {
		return errBudget
	}
	return nil
}
