package stat

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Basis says what an interval speaks for.
type Basis string

// The bases.
const (
	// WithinBlock: for more measurements of the same block. How much another block
	// would differ is not known.
	WithinBlock Basis = "within_block"
	// BetweenBlocks: for other blocks as well.
	BetweenBlocks Basis = "between_blocks"
)

const (
	// leastN is the least number of measurements that give a median an interval at
	// 95 %: all of six lie on one side of it once in 32 times.
	leastN = 6
	// manyOfEach is from how many measurements of a stratum on ranks tell enough.
	manyOfEach = 20
	// mostDrawn is beyond how many measurements nothing is drawn again.
	mostDrawn = 300
	// leastFree is how many more measurements than strata there must be to tell how
	// they vary within.
	leastFree = 4
	// draws is how often measurements are drawn again.
	draws = 200
	// leastOrdered is from how many measurements on their order tells how alike
	// those are that follow each other, and mostOrdered how many are looked at.
	leastOrdered = 30
	mostOrdered  = 5000
)

// MedianInterval returns an interval for the median of all observations, of a
// population in which the strata have the shares that they have here.
//
// Of several blocks it is Student's, of the medians of the blocks: their spread
// holds all that differs between blocks and within. See Kalibera and Jones,
// "Rigorous Benchmarking in Reasonable Time" (2013), section 5: what counts is the
// number of repetitions at the highest level that varies.
//
// Of one block it holds for that block alone; see withinBlock. It is absent where
// there are too few measurements.
func MedianInterval(observations []Observation, confidence float64) (Interval, bool) {
	return medianInterval(newDesign(observations), confidence)
}

// MedianIntervalOf returns what the function [MedianInterval] does of observations
// whose values the sample is made of, which then need not be sorted again.
func (s Sample) MedianIntervalOf(observations []Observation, confidence float64) (Interval, bool) {
	d := newDesign(observations)
	d.sorted = s.sorted
	return medianInterval(d, confidence)
}

func medianInterval(d design, confidence float64) (Interval, bool) {
	if len(d.all) == 0 || len(d.blocks) == 1 && len(d.all) < leastN {
		return Interval{}, false
	}
	basis := BetweenBlocks
	if len(d.blocks) == 1 {
		basis = WithinBlock
	}
	if v, all := d.constant(); all { // without the rounding of logarithms
		return Interval{v, v, confidence, basis}, true
	}
	if basis == WithinBlock {
		return withinBlock(d, confidence)
	}
	scaled, back := d.scale()
	var medians []float64
	for _, block := range d.blocks {
		medians = append(medians, medianOf(valuesOf(scaled.of(block))))
	}
	n := float64(len(medians))
	half := tQuantile((1+confidence)/2, n-1) * math.Sqrt(squares(medians)/(n-1)/n)
	return around(scaled, half, back, confidence, basis)
}

// constant returns the value that all measurements have, if they have one.
func (d design) constant() (float64, bool) {
	for _, o := range d.all {
		if o.Value != d.all[0].Value {
			return 0, false
		}
	}
	return d.all[0].Value, true
}

// scale returns the design with logarithms for values, and what brings them back;
// where a value has none, the values stay.
func (d design) scale() (scaled design, back func(float64) float64) {
	if logs, ok := onLogs(d.all); ok {
		return design{blocks: d.blocks, strata: d.strata, all: logs}, math.Exp
	}
	return d, func(v float64) float64 { return v }
}

// around returns the interval that reaches so far to both sides of the median; it is
// absent where that is beyond all numbers.
func around(d design, half float64, back func(float64) float64, confidence float64, basis Basis) (Interval, bool) {
	m := medianOf(valuesOf(d.all))
	i := Interval{back(m - half), back(m + half), confidence, basis}
	return i, finite(i.Lo) && finite(i.Hi)
}

func finite(v float64) bool { return v-v == 0 }

// withinBlock returns the interval of one block's median.
//
// Where each stratum has many measurements, or there is only one, it is that of
// order statistics: the number of measurements below the population's median is a
// sum of binomials, one for each stratum, and the ends lie where that sum is
// unlikely, between two measurements where need be (Hettmansperger and Sheather,
// "Confidence Intervals Based on Interpolated Order Statistics", 1986, with linear
// interpolation). Where strata have few each, the distances of all measurements
// from their strata's means, which are taken to be distributed alike on a scale of
// ratios, are drawn again; the spread of the median over the draws gives Student's
// interval.
//
// Measurements that follow each other may be alike. From 30 on that is estimated,
// and the interval is wider for it; of fewer they are taken to be independent.
func withinBlock(d design, confidence float64) (Interval, bool) {
	n := len(d.all)
	strata := byStratum(d.all)
	fewest := n
	for _, values := range strata {
		fewest = min(fewest, len(values))
	}
	inflation := d.inflation()
	switch {
	case n-len(strata) < leastFree:
		// Too little tells how a stratum varies: they can only be taken for a sample.
		return d.byRanks(map[int][]float64{0: valuesOf(d.all)}, inflation, confidence)
	case len(strata) == 1, fewest >= manyOfEach, n > mostDrawn:
		return d.byRanks(strata, inflation, confidence)
	}
	scaled, back := d.scale()
	df := float64(n - len(strata))
	half := tQuantile((1+confidence)/2, df) * math.Sqrt(inflation) * scaled.drawn()
	return around(scaled, half, back, confidence, WithinBlock)
}

// byRanks returns the interval of order statistics.
func (d design) byRanks(strata map[int][]float64, inflation, confidence float64) (Interval, bool) {
	s := Sample{d.sorted}
	if d.sorted == nil {
		s = Sorted(valuesOf(d.all))
	}
	n := float64(s.N())
	m, _ := s.Median()
	variance := n / 4
	if len(strata) > 1 {
		variance = 0
		for _, stratum := range d.strata {
			values := strata[stratum]
			of := float64(len(values))
			below := 0.5
			for _, v := range values {
				switch {
				case v < m:
					below++
				case v == m:
					below += 0.5
				}
			}
			p := below / (of + 1)
			variance += of * p * (1 - p)
		}
	}
	half := normalQuantile((1+confidence)/2) * math.Sqrt(variance*inflation)
	lo, hi := n/2-half+0.5, n/2+half+0.5
	if lo < 1 {
		return Interval{}, false
	}
	return Interval{s.atRank(lo), s.atRank(hi), confidence, WithinBlock}, true
}

// atRank returns the measurement of a rank from 1 to N, or what lies between two.
func (s Sample) atRank(rank float64) float64 {
	i := min(int(rank), s.N()-1)
	lo, hi := s.sorted[i-1], s.sorted[i]
	return lo + float64((rank-float64(i))*(hi-lo))
}

// drawn returns the standard deviation of the median over draws of the
// measurements.
func (d design) drawn() float64 {
	centres, distances := d.residuals()
	random := rand.New(rand.NewPCG(1, uint64(len(distances))))
	values, medians := make([]float64, len(centres)), make([]float64, draws)
	for i := range medians {
		for k := range values {
			values[k] = centres[k] + distances[random.IntN(len(distances))]
		}
		medians[i], _ = Sorted(values).Median()
	}
	return math.Sqrt(squares(medians) / (draws - 1))
}

// residuals returns the centre of each measurement's stratum and its distance from
// the stratum's mean, scaled up by what distances from a mean of so few are too
// small. Centres are drawn together by as much as noise alone sets the means apart
// (James and Stein's estimator, by the F statistic).
func (d design) residuals() (centres, distances []float64) {
	grand := meanOf(valuesOf(d.all))
	between, within := 0.0, 0.0
	strata := byStratum(d.all)
	for _, stratum := range d.firstMet() {
		values := strata[stratum]
		mean, n := meanOf(values), float64(len(values))
		between += n * (mean - grand) * (mean - grand)
		within += squares(values)
		for _, v := range values {
			centres = append(centres, mean)
			if n > 1 { // one alone tells nothing of distances
				distances = append(distances, (v-mean)*math.Sqrt(n/(n-1)))
			}
		}
	}
	between /= float64(len(d.strata) - 1)
	within /= float64(len(d.all) - len(d.strata))
	apart := 0.0
	if between > within {
		apart = 1 - within/between
	}
	for i := range centres {
		centres[i] = grand + apart*(centres[i]-grand)
	}
	return centres, distances
}

// inflation returns by what the variance of a median is greater than that of as
// many independent measurements.
//
// The distances from the strata's medians, in the order of measurement, are taken
// for an autoregressive process of the first order, whose correlation is that of
// their ranks. The median depends on which measurements lie below it; of a normal
// process with correlation r the indicators of that have (2/π)·asin(r).
func (d design) inflation() float64 {
	return d.inflated(func(r float64) float64 { return 2 / math.Pi * math.Asin(r) })
}

// rankInflation is that of a sum of ranks, whose correlation is (6/π)·asin(r/2).
func (d design) rankInflation() float64 {
	return d.inflated(func(r float64) float64 { return 6 / math.Pi * math.Asin(r/2) })
}

func (d design) inflated(of func(r float64) float64) float64 {
	// The first of many tell enough.
	some := d.all[:min(len(d.all), mostOrdered)]
	n := len(some)
	if n < leastOrdered {
		return 1
	}
	medians := map[int]float64{}
	for stratum, values := range byStratum(some) {
		medians[stratum] = medianOf(values)
	}
	distances := make([]float64, n)
	for i, o := range some {
		distances[i] = o.Value - medians[o.Stratum]
	}
	r := nextTo(ranks(distances))
	// Estimates are too small by this (Marriott and Pope, 1954).
	r += (1 + 3*r) / float64(n)
	if r < 1/math.Sqrt(float64(n)) { // as chance alone may bring
		return 1
	}
	r = min(r, 0.99)
	sum := 1.0
	for k := 1; k < n; k++ {
		more := 2 * of(math.Pow(r, float64(k)))
		if sum += more; more < 1e-6 {
			break
		}
	}
	return min(sum, float64(len(d.all))/leastN)
}

// ranks returns the place of each value among all; equal ones share theirs.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, k int) int { return cmp.Compare(values[i], values[k]) })
	places := make([]float64, len(values))
	for i := 0; i < len(order); {
		k := i + 1
		for k < len(order) && values[order[k]] == values[order[i]] {
			k++
		}
		for _, of := range order[i:k] {
			places[of] = float64(i+k-1) / 2
		}
		i = k
	}
	return places
}

// nextTo returns the correlation of values with those that follow them.
func nextTo(values []float64) float64 {
	mean, all := meanOf(values), squares(values)
	if all == 0 {
		return 0
	}
	sum := 0.0
	for i := 1; i < len(values); i++ {
		sum += float64((values[i] - mean) * (values[i-1] - mean))
	}
	return sum / all
}
