package stat

import (
	"cmp"
	"math"
	"slices"
)

// Shift is by what factor the values of b are greater than those of a.
type Shift struct {
	// Ratio is b / a, and Lo to Hi its interval.
	Ratio    float64  `json:"ratio"`
	Interval Interval `json:"interval"`
	// P is the probability of a difference at least as great where there is none.
	P float64 `json:"p"`
	// Equal is the least share x for which the ratio is shown to lie between
	// 1/(1+x) and 1+x, by two one-sided tests at the same level.
	Equal float64 `json:"equal_within"`
	// Observations and Blocks are of a and of b.
	Observations [2]int `json:"observations"`
	Blocks       [2]int `json:"blocks"`
}

// shiftOnLogs is a shift on a scale of logarithms.
type shiftOnLogs struct {
	shift, se, p float64
	// critical returns how many standard errors the p-quantile of the shift's
	// distribution lies from its middle.
	critical func(p float64) float64
}

func (s shiftOnLogs) shown(confidence float64, basis Basis) Shift {
	half := s.critical((1+confidence)/2) * s.se
	inner := s.critical(confidence) * s.se
	return Shift{
		Ratio:    math.Exp(s.shift),
		Interval: Interval{math.Exp(s.shift - half), math.Exp(s.shift + half), confidence, basis},
		P:        s.p,
		Equal:    math.Expm1(max(math.Abs(s.shift-inner), math.Abs(s.shift+inner))),
	}
}

// Compare returns the shift from a to b, over the strata that both have. It is
// absent where a value is not above 0, where there are too few measurements to
// tell anything, or where they have no stratum in common.
//
// Where both have one block, it is that of Hodges and Lehmann within strata, with
// the test of van Elteren, "On the combination of independent two-sample tests of
// Wilcoxon" (1960): ranks are compared within each stratum only. It then speaks
// for these two blocks, which may differ by more than what is compared.
//
// Where one has several, blocks are compared by the means over strata of their
// medians with Welch's test; the spread of the blocks of the one with several
// stands for that of the other's.
func Compare(a, b []Observation, confidence float64) (Shift, bool) {
	logsA, okA := onLogs(a)
	logsB, okB := onLogs(b)
	if !okA || !okB || len(a) == 0 || len(b) == 0 {
		return Shift{}, false
	}
	da, db := newDesign(logsA), newDesign(logsB)
	var s shiftOnLogs
	var ok bool
	basis := WithinBlock
	if len(da.blocks) == 1 && len(db.blocks) == 1 {
		s, ok = shiftWithin(da, db)
	} else {
		s, ok = shiftBetween(da, db)
		basis = BetweenBlocks
	}
	if !ok {
		return Shift{}, false
	}
	shift := s.shown(confidence, basis)
	shift.Observations, shift.Blocks = [2]int{len(a), len(b)}, [2]int{len(da.blocks), len(db.blocks)}
	return shift, true
}

// leastPairs is the least number of pairs of measurements, within strata, that a
// shift is told from.
const leastPairs = 9

// mostOfEach is how many measurements of a stratum enter; of more, as many that
// are evenly spread among their ranks.
const mostOfEach = 50

// pair is the difference between two measurements of one stratum.
type pair struct{ difference, weight float64 }

func shiftWithin(a, b design) (shiftOnLogs, bool) {
	valuesA, valuesB := byStratum(a.all), byStratum(b.all)
	var pairs []pair
	var variance, statistic, half float64
	number, step := 0, math.Inf(1)
	for _, stratum := range a.strata {
		x, y := Sorted(valuesA[stratum]), Sorted(valuesB[stratum])
		if y.N() == 0 {
			continue
		}
		n, m := float64(x.N()), float64(y.N())
		weight := 1 / (n + m + 1)
		greater, ties := x.against(y)
		statistic += weight * (greater - n*m/2)
		half += weight * n * m / 2
		variance += weight * weight * n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1)))
		number += x.N() * y.N()
		step = min(step, weight)
		pairs = appendPairs(pairs, x.thinned(), y.thinned(), weight*n*m)
	}
	if number < leastPairs {
		return shiftOnLogs{}, false
	}
	se := math.Sqrt(variance * (a.rankInflation() + b.rankInflation()) / 2)
	slices.SortFunc(pairs, func(p, q pair) int { return cmp.Compare(p.difference, q.difference) })
	middle := atWeight(pairs, half)
	if se == 0 {
		return shiftOnLogs{shift: middle, p: 1, critical: normalQuantile}, true
	}
	// The distance at which the statistic is unlikely, as an interval of shifts: it
	// need not be the same to both sides, so the greater one counts.
	reach := func(z float64) float64 {
		return max(middle-atWeight(pairs, half-z*se), atWeight(pairs, half+z*se)-middle)
	}
	return shiftOnLogs{
		shift: middle, se: 1, p: normalTails(max(0, math.Abs(statistic)-step/2) / se),
		critical: func(p float64) float64 { return reach(normalQuantile(p)) },
	}, true
}

// against returns how many pairs have the greater value in y, equal ones counting
// half, and the correction for ties: the sum of t³ − t over groups of t equal
// values.
func (x Sample) against(y Sample) (greater, ties float64) {
	all := slices.Concat(x.sorted, y.sorted)
	slices.Sort(all)
	for i := 0; i < len(all); {
		k := i
		for k < len(all) && all[k] == all[i] {
			k++
		}
		t := float64(k - i)
		ties += t*t*t - t
		i = k
	}
	for _, v := range y.sorted {
		below, _ := slices.BinarySearch(x.sorted, v)
		equal := below
		for equal < len(x.sorted) && x.sorted[equal] == v {
			equal++
		}
		greater += float64(below) + float64(equal-below)/2
	}
	return greater, ties
}

// thinned returns the values, or as many as are compared pair by pair.
func (x Sample) thinned() []float64 {
	if x.N() <= mostOfEach {
		return x.sorted
	}
	some := make([]float64, mostOfEach)
	for i := range some {
		some[i], _ = x.Quantile((float64(i) + 0.5) / mostOfEach)
	}
	return some
}

// appendPairs appends the differences y − x, which share the weight.
func appendPairs(pairs []pair, x, y []float64, weight float64) []pair {
	each := weight / float64(len(x)*len(y))
	for _, u := range x {
		for _, v := range y {
			pairs = append(pairs, pair{v - u, each})
		}
	}
	return pairs
}

// atWeight returns the difference below which pairs of so much weight lie, between
// two where need be.
func atWeight(pairs []pair, weight float64) float64 {
	below := 0.0
	for i, p := range pairs {
		// A pair stands in the middle of its weight.
		here := below + p.weight/2
		if here >= weight {
			if i == 0 {
				return p.difference
			}
			before := pairs[i-1]
			from := below - before.weight/2
			return before.difference + (weight-from)/(here-from)*(p.difference-before.difference)
		}
		below += p.weight
	}
	return pairs[len(pairs)-1].difference
}

func shiftBetween(a, b design) (shiftOnLogs, bool) {
	common := a.common(b)
	if len(common) == 0 {
		return shiftOnLogs{}, false
	}
	x, y := a.levels(common), b.levels(common)
	n, m := float64(len(x)), float64(len(y))
	shift := meanOf(y) - meanOf(x)
	var variance, df float64
	switch {
	case len(y) == 1:
		variance, df = squares(x)/(n-1)*(1/n+1), n-1
	case len(x) == 1:
		variance, df = squares(y)/(m-1)*(1/m+1), m-1
	default:
		ofX, ofY := squares(x)/(n-1)/n, squares(y)/(m-1)/m
		variance = ofX + ofY
		if df = n + m - 2; variance > 0 { // Welch and Satterthwaite
			df = variance * variance / (ofX*ofX/(n-1) + ofY*ofY/(m-1))
		}
	}
	s := shiftOnLogs{shift: shift, se: math.Sqrt(variance), critical: func(p float64) float64 { return tQuantile(p, df) }}
	switch {
	case s.se > 0:
		s.p = tTails(shift/s.se, df)
	case shift == 0:
		s.p = 1
	}
	return s, true
}

// common returns the strata that every block of both designs has.
func (d design) common(other design) []int {
	var common []int
	for _, stratum := range d.strata {
		if d.everywhere(stratum) && other.everywhere(stratum) {
			common = append(common, stratum)
		}
	}
	return common
}

func (d design) everywhere(stratum int) bool {
	in := map[int]bool{}
	for _, o := range d.all {
		if o.Stratum == stratum {
			in[o.Block] = true
		}
	}
	return len(in) == len(d.blocks)
}

// levels returns for each block the mean over strata of their medians.
func (d design) levels(strata []int) []float64 {
	var levels []float64
	for _, block := range d.blocks {
		values := byStratum(d.of(block))
		sum := 0.0
		for _, stratum := range strata {
			sum += medianOf(values[stratum])
		}
		levels = append(levels, sum/float64(len(strata)))
	}
	return levels
}

// Holm returns the probabilities of several tests corrected so that the chance of
// any false one is no greater than that of a single test: Holm, "A Simple
// Sequentially Rejective Multiple Test Procedure" (1979).
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, k int) int { return cmp.Compare(p[i], p[k]) })
	corrected, greatest := make([]float64, len(p)), 0.0
	for rank, i := range order {
		greatest = max(greatest, min(1, p[i]*float64(len(p)-rank)))
		corrected[i] = greatest
	}
	return corrected
}
