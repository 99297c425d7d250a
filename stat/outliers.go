package stat

import (
	"cmp"
	"math"
	"slices"
)

// Outlier is a measurement that stands apart from all others.
type Outlier struct {
	// At is its place among the observations.
	At int
	// Ratio is its value over the median of its stratum and block.
	Ratio float64
}

const (
	// outlierNoises is how many times the noise an outlier must at least be off.
	outlierNoises = 6
	// outlierChance is how likely it may be that a heavy tail, in which being twice as
	// far off is eight times as rare (as of Student's t with three degrees of
	// freedom), leaves a gap as wide.
	outlierChance = 0.01
	tailIndex     = 3
	// outlierShare is the share of measurements that may be outliers: more are
	// something else.
	outlierShare = 0.1
	// leastOfGroup is how many measurements of a stratum and block tell which of them
	// is off.
	leastOfGroup = 3
)

// OutliersOf returns the measurements that stand apart, the farthest first. What is
// judged is the distance from the median of the stratum and block on a scale of
// ratios: the nearest outlier must be so many times as far off as the farthest other
// measurement that even a heavy tail has such a gap in one of a hundred samples only.
// For a tail of index a the ratio g of the distances k and k + 1 from the far end is
// exceeded with probability g^(-a·k), however many measurements there are (Rényi, "On
// the Theory of Order Statistics", 1953); k gets half of what k - 1 gets of the
// chance. So noise that has a long tail of its own has no outliers by being long.
//
// There are none where a value is not above 0, nor among strata that a block has
// fewer than three of.
func OutliersOf(observations []Observation) []Outlier {
	logs, ok := onLogs(observations)
	if !ok {
		return nil
	}
	some, _ := thinnedOut(logs)
	noise, ok := noiseOf(valuesOf(some), groupsOf(some))
	if !ok {
		return nil
	}
	values := valuesOf(logs)
	var far []Outlier // those that may be, with the distance for the ratio
	judged, near := 0, 0.0
	for _, g := range groupsOf(logs) {
		if len(g) < leastOfGroup {
			continue
		}
		middle := g.median(values)
		judged += len(g)
		for _, i := range g {
			switch distance := values[i] - middle; {
			case math.Abs(distance) > outlierNoises*noise:
				far = append(far, Outlier{i, distance})
			default:
				near = max(near, math.Abs(distance))
			}
		}
	}
	most := max(1, int(outlierShare*float64(judged)))
	slices.SortFunc(far, func(a, b Outlier) int {
		return cmp.Or(cmp.Compare(math.Abs(b.Ratio), math.Abs(a.Ratio)), cmp.Compare(a.At, b.At))
	})
	n := 0
	for k := 1; k <= min(most, len(far)); k++ {
		next := near
		if k < len(far) {
			next = math.Abs(far[k].Ratio)
		}
		if math.Abs(far[k-1].Ratio) > next*math.Pow(outlierChance/math.Exp2(float64(k)), -1/float64(tailIndex*k)) {
			n = k
		}
	}
	for i := range far[:n] {
		far[i].Ratio = math.Exp(far[i].Ratio)
	}
	return far[:n]
}
