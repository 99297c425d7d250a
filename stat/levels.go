package stat

import (
	"maps"
	"math"
	"slices"
)

// Levels is how much measurements differ at each level of the design, as standard
// deviations of their logarithms: about shares of the value.
type Levels struct {
	// Within is between measurements of one stratum in one block; nil where no
	// stratum of a block has two.
	Within *float64 `json:"within"`
	// Strata is between strata, which are fixed: it is in no interval. Nil where
	// there is one.
	Strata *float64 `json:"strata"`
	// Blocks is between blocks, beyond what differences within them explain; nil
	// where there is one.
	Blocks *float64 `json:"blocks"`
	// N is the number of measurements, in so many blocks and of so many strata.
	N           int `json:"n"`
	BlockCount  int `json:"block_count"`
	StrataCount int `json:"strata_count"`
}

// LevelsOf returns them, by the sums of squares of an analysis of variance; a
// level that explains less than nothing is 0. It is absent where a value is not
// above 0, or there are none. It keeps no copy of the observations.
func LevelsOf(observations []Observation) (Levels, bool) {
	groups, ok := momentsOf(observations)
	if !ok {
		return Levels{}, false
	}
	blocks, strata := map[int]bool{}, map[int]bool{}
	for at := range groups {
		blocks[at.block], strata[at.stratum] = true, true
	}
	l := Levels{N: len(observations), BlockCount: len(blocks), StrataCount: len(strata)}
	within, df := 0.0, 0
	var ofStrata []float64
	var common []int // the strata that all blocks have
	// In the order in which they were first measured: their numbers are names.
	for _, stratum := range newDesign(observations).strata {
		sum, n, in := 0.0, 0, 0
		for _, block := range slices.Sorted(maps.Keys(blocks)) {
			if g := groups[place{block, stratum}]; g != nil {
				sum += float64(float64(g.n) * g.mean)
				n += g.n
				in++
				within += g.squares
				df += g.n - 1
			}
		}
		ofStrata = append(ofStrata, sum/float64(n))
		if in == len(blocks) {
			common = append(common, stratum)
		}
	}
	if df > 0 {
		within /= float64(df)
		l.Within = new(math.Sqrt(within))
	}
	n := float64(l.N)
	if len(strata) > 1 {
		l.Strata = beyond(ofStrata, within/(n/float64(len(strata))))
	}
	if len(blocks) > 1 && len(common) > 0 {
		var means []float64
		for _, block := range slices.Sorted(maps.Keys(blocks)) {
			sum := 0.0
			for _, stratum := range common {
				sum += groups[place{block, stratum}].mean
			}
			means = append(means, sum/float64(len(common)))
		}
		l.Blocks = beyond(means, within/(n/float64(len(blocks))))
	}
	return l, true
}

// place is where in the design a measurement belongs.
type place struct{ block, stratum int }

// moments are those of the logarithms of the measurements of one stratum in one
// block.
type moments struct {
	n             int
	mean, squares float64 // the sum of the squared distances from the mean
}

// momentsOf returns those of each place, by Welford's sums: "Note on a Method for Calculating
// Corrected Sums of Squares and Products" (1962). It is absent where a value has no
// logarithm, or there are none.
func momentsOf(observations []Observation) (map[place]*moments, bool) {
	groups := map[place]*moments{}
	for _, o := range observations {
		if !(o.Value > 0) {
			return nil, false
		}
		at := place{o.Block, o.Stratum}
		g := groups[at]
		if g == nil {
			g = new(moments)
			groups[at] = g
		}
		g.n++
		log := math.Log(o.Value)
		apart := log - g.mean
		g.mean += apart / float64(g.n)
		g.squares += float64(apart * (log - g.mean))
	}
	return groups, len(groups) > 0
}

// beyond returns the standard deviation of means beyond what comes of their own
// variance.
func beyond(means []float64, variance float64) *float64 {
	return new(math.Sqrt(max(0, squares(means)/float64(len(means)-1)-variance)))
}

// Effort is how many measurements there must be for an interval to have a width.
// Each number is what is needed if the other stays; 0 where no number brings it.
type Effort struct {
	Blocks int `json:"blocks"`
	// Each is how many measurements a block must have.
	Each int `json:"each"`
}

// mostEffort is beyond what anybody would do.
const mostEffort = 1_000_000

// EffortFor returns what it takes for MedianInterval to reach no more than so far
// to either side of the median, as a share of it, if the measurements go on to
// differ as these do. It is absent where these have no interval.
func EffortFor(observations []Observation, halfWidth, confidence float64) (Effort, bool) {
	interval, ok := MedianInterval(observations, confidence)
	levels, told := LevelsOf(observations)
	if !ok || !told || !(halfWidth > 0) {
		return Effort{}, false
	}
	return levels.effort(interval, math.Log1p(halfWidth)), true
}

// ToHalve returns what it takes to halve the interval that MedianInterval gives of
// the measurements whose levels these are. It is absent where the interval has no
// width to halve.
func (l Levels) ToHalve(interval Interval) (Effort, bool) {
	now := math.Log(interval.Hi/interval.Lo) / 2
	if !(interval.Lo > 0) || !(now > 0) {
		return Effort{}, false
	}
	return l.effort(interval, now/2), true
}

// effort returns what it takes to bring half of the interval's width to the target,
// both in logarithms.
func (l Levels) effort(interval Interval, target float64) Effort {
	blocks := l.BlockCount
	each := float64(l.N) / float64(blocks)
	now := math.Log(interval.Hi/interval.Lo) / 2
	if blocks == 1 {
		return Effort{Each: atMost(math.Ceil(each * (now / target) * (now / target)))}
	}
	p := (1 + interval.Confidence) / 2
	t := tQuantile(p, float64(blocks-1))
	of := now / t * math.Sqrt(float64(blocks)) // the standard deviation of blocks
	effort := Effort{}
	for more := 2; more <= mostEffort; more = max(more+1, more*101/100) {
		if tQuantile(p, float64(more-1))*of/math.Sqrt(float64(more)) <= target {
			effort.Blocks = more
			break
		}
	}
	// What is between blocks stays, however many measurements each has.
	between, within := 0.0, 0.0
	if l.Blocks != nil {
		between = *l.Blocks * *l.Blocks
	}
	if l.Within != nil {
		within = *l.Within * *l.Within / each
	}
	share := 1.0
	if between+within > 0 {
		share = between / (between + within)
	}
	if left := target*target/(now*now) - share; left > 0 {
		effort.Each = atMost(math.Ceil(each * (1 - share) / left))
	}
	return effort
}

func atMost(n float64) int {
	if !(n <= mostEffort) {
		return 0
	}
	return int(n)
}
