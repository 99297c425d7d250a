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

	on shiftOnLogs
}

// mostTimes is beyond what anybody would measure again.
const mostTimes = 1000

// Times returns how many times as much data would bring the interval to no more
// than a share x to either side, if measurements go on to differ as these do: of
// blocks where there are several, else of measurements. It is absent beyond a
// thousand times.
func (s Shift) Times(x float64) (float64, bool) {
	p, target := (1+s.Interval.Confidence)/2, math.Log1p(x)
	for times := 1.0; times <= mostTimes; times *= 1.05 {
		if s.on.reach(p, times) <= target {
			return times, true
		}
	}
	return 0, false
}

// shiftOnLogs is a shift on a scale of logarithms.
type shiftOnLogs struct {
	shift, p float64
	// reach returns how far the p-quantile of the shift's distribution lies from its
	// middle, with so many times as much data.
	reach func(p, times float64) float64
}

func (s shiftOnLogs) shown(confidence float64, basis Basis) Shift {
	half := s.reach((1+confidence)/2, 1)
	inner := s.reach(confidence, 1)
	return Shift{
		on:       s,
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
// Where both have one block, it is that of the aligned rank test of Hodges and
// Lehmann, "Rank Methods for Combination of Independent Experiments in Analysis of
// Variance" (1962): each measurement less its stratum's mean is ranked among all,
// and the normal scores of b's are held against what drawing which ones are b's within each
// stratum would bring. It then speaks for these two blocks, which may differ by more
// than what is compared.
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
	if !finite(shift.Interval.Lo) || !finite(shift.Interval.Hi) || !finite(shift.Ratio) || !finite(shift.Equal) {
		return Shift{}, false
	}
	shift.Observations, shift.Blocks = [2]int{len(a), len(b)}, [2]int{len(da.blocks), len(db.blocks)}
	return shift, true
}

// leastPairs is the least number of pairs of measurements, within strata, that a
// shift is told from.
const leastPairs = 9

// mostRanked is how many measurements are ranked; of more, as many that are evenly
// spread among those of each stratum.
const mostRanked = 1000

// nearby is how exactly a shift is told, as a share.
const nearby = 1e-6

// stratum is the measurements of both in one stratum.
type stratum struct{ a, b []float64 }

// strataOf returns the strata that both have, and how many times more measurements
// there are than are kept.
func strataOf(a, b design) (strata []stratum, more float64) {
	valuesA, valuesB := byStratum(a.all), byStratum(b.all)
	n, kept := 0, 0
	for _, id := range a.strata {
		if len(valuesB[id]) > 0 {
			strata = append(strata, stratum{valuesA[id], valuesB[id]})
			n += len(valuesA[id]) + len(valuesB[id])
		}
	}
	for i := range strata {
		s := &strata[i]
		if n > mostRanked {
			s.a, s.b = thinned(s.a, n), thinned(s.b, n)
		}
		kept += len(s.a) + len(s.b)
	}
	return strata, float64(n) / float64(max(1, kept))
}

// thinned returns the quantiles of the values that stand for them among n of all.
func thinned(values []float64, n int) []float64 {
	sample := NewSample(values)
	some := make([]float64, max(1, len(values)*mostRanked/n))
	for i := range some {
		some[i], _ = sample.Quantile((float64(i) + 0.5) / float64(len(some)))
	}
	return some
}

// aligned returns how far the scores of b, each less the shift, lie above what they
// would be if nothing else told b from a: as Student's t with so many degrees of
// freedom, which comes nearer to what drawing brings than a normal distribution
// (Iman, 1974). Scores are the normal distribution's quantiles of the ranks (van der
// Waerden's), which tell as much as Student's test of normal noise, and more of any
// other.
func aligned(strata []stratum, shift float64) (t, df float64) {
	var all []float64
	for _, s := range strata {
		from := len(all)
		all = append(all, s.a...)
		for _, v := range s.b {
			all = append(all, v-shift)
		}
		own := all[from:]
		middle := meanOf(own)
		for i := range own {
			own[i] -= middle
		}
	}
	places := ranks(all)
	for i := range places {
		places[i] = normalQuantile((places[i] + 0.5) / float64(len(places)))
	}
	sum, variance := 0.0, 0.0
	for _, s := range strata {
		n, m := len(s.a), len(s.b)
		own := places[:n+m]
		places = places[n+m:]
		mean := meanOf(own)
		for _, score := range own[n:] {
			sum += score - mean
		}
		if size := float64(n + m); size > 1 {
			variance += float64(n) * float64(m) / (size * (size - 1)) * squares(own)
		}
	}
	if variance == 0 {
		return 0, 1
	}
	z, free := sum/math.Sqrt(variance), float64(len(all)-len(strata))
	df = max(1, free-1)
	return z * math.Sqrt(df/max(free-z*z, 1e-9)), df
}

func shiftWithin(a, b design) (shiftOnLogs, bool) {
	strata, more := strataOf(a, b)
	pairs, least, most := 0, math.Inf(1), math.Inf(-1)
	for _, s := range strata {
		pairs += len(s.a) * len(s.b)
		least = min(least, slices.Min(s.b)-slices.Max(s.a))
		most = max(most, slices.Max(s.b)-slices.Min(s.a))
	}
	if pairs < leastPairs {
		return shiftOnLogs{}, false
	}
	// where returns the shift at which the ranks are so far above.
	scale := math.Sqrt(more / ((a.rankInflation() + b.rankInflation()) / 2))
	where := func(above float64) float64 {
		lo, hi := least-nearby, most+nearby
		for hi-lo > nearby {
			mid := (lo + hi) / 2
			if t, _ := aligned(strata, mid); t*scale > above {
				lo = mid
			} else {
				hi = mid
			}
		}
		return (lo + hi) / 2
	}
	middle := where(0)
	t, df := aligned(strata, 0)
	s := shiftOnLogs{
		shift: middle, p: tTails(t*scale, df),
		// It need not be the same to both sides, so the greater one counts.
		reach: func(p, times float64) float64 {
			far := tQuantile(p, df)
			return max(middle-where(far), where(-far)-middle) / math.Sqrt(times)
		},
	}
	return s, true
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
	se := math.Sqrt(variance)
	s := shiftOnLogs{shift: shift, reach: func(p, times float64) float64 { return tQuantile(p, df*times) * se / math.Sqrt(times) }}
	switch {
	case se > 0:
		s.p = tTails(shift/se, df)
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
