package stat

import (
	"maps"
	"math"
	"slices"
)

// Observation is one measurement with where in the design it was made.
type Observation struct {
	Value float64
	// Stratum is what was measured, out of a fixed set: strata are not a sample of
	// anything, and what differs between them is no uncertainty.
	Stratum int
	// Block is the stretch of measurements that it belongs to. Blocks are a sample:
	// another would have come out a little different as a whole.
	Block int
}

// design is observations by their blocks and strata, each in the order in which
// they were made.
type design struct {
	blocks []int // which there are, ascending
	// strata are in the order in which they were first measured: their numbers are
	// names, on which no figure depends.
	strata []int
	all    []Observation
	// sorted are their values in order, where somebody has them so already.
	sorted []float64
}

func newDesign(observations []Observation) design {
	blocks, seen := map[int]bool{}, map[int]bool{}
	var strata []int
	for _, o := range observations {
		if blocks[o.Block] = true; !seen[o.Stratum] {
			seen[o.Stratum] = true
			strata = append(strata, o.Stratum)
		}
	}
	return design{blocks: slices.Sorted(maps.Keys(blocks)), strata: strata, all: observations}
}

// of returns the observations of a block.
func (d design) of(block int) []Observation {
	var of []Observation
	for _, o := range d.all {
		if o.Block == block {
			of = append(of, o)
		}
	}
	return of
}

// firstMet returns the strata in the order in which they were first measured: the
// numbers that stand for them say nothing.
func (d design) firstMet() []int {
	met := map[int]bool{}
	var order []int
	for _, o := range d.all {
		if !met[o.Stratum] {
			met[o.Stratum] = true
			order = append(order, o.Stratum)
		}
	}
	return order
}

// byStratum returns the values of each stratum.
func byStratum(observations []Observation) map[int][]float64 {
	values := map[int][]float64{}
	for _, o := range observations {
		values[o.Stratum] = append(values[o.Stratum], o.Value)
	}
	return values
}

// onLogs returns the observations with their values replaced by the logarithms;
// false where one is not above 0.
func onLogs(observations []Observation) ([]Observation, bool) {
	logs := slices.Clone(observations)
	for i := range logs {
		if !(logs[i].Value > 0) {
			return nil, false
		}
		logs[i].Value = math.Log(logs[i].Value)
	}
	return logs, true
}

func valuesOf(observations []Observation) []float64 {
	values := make([]float64, len(observations))
	for i, o := range observations {
		values[i] = o.Value
	}
	return values
}

func medianOf(values []float64) float64 {
	m, _ := NewSample(values).Median()
	return m
}

func meanOf(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// squares returns the sum of the squared distances from the mean.
func squares(values []float64) float64 {
	mean, sum := meanOf(values), 0.0
	for _, v := range values {
		sum += float64((v - mean) * (v - mean))
	}
	return sum
}
