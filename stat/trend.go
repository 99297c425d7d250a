package stat

import (
	"cmp"
	"math"
	"slices"
)

// Trend is how measurements change in the course of a block.
type Trend struct {
	// Change is by what share the last differs from the first.
	Change float64
	// P is the probability of a trend at least as clear where there is none.
	P float64
	// N is how many measurements it was told from.
	N int
	// Left is the standard deviation of the logarithms around the trend.
	Left float64
}

// leastTrend is from how many measurements on a trend is told, and leastTrendFree how
// many more of them there must be than groups.
const (
	leastTrend     = 12
	leastTrendFree = 8
)

// TrendOf returns the trend within blocks: what differs between blocks is in none. It
// is absent where a value is not above 0, or where there are too few measurements.
//
// Each measurement's logarithm less the mean of its stratum and block is ranked among
// all, and the sum over the normal scores of the ranks times the places in the block
// is held against what any other order within each stratum would bring (as in
// [Compare]; with the ranks for scores it would be a stratified Spearman test). The
// change is that of the median slope between two measurements of one stratum and
// block: Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau" (1968).
//
// Measurements that follow each other may be alike by themselves. From 30 on that is
// estimated from what the slope leaves, or one step where that explains more, and
// counts; of fewer they are taken to be independent, so that a caller does well to ask
// for a lower P.
func TrendOf(observations []Observation) (Trend, bool) {
	some, _ := thinnedOut(observations)
	logs, ok := onLogs(some)
	if !ok {
		return Trend{}, false
	}
	groups := groupsOf(logs)
	n := len(logs)
	if n < leastTrend || n-len(groups) < leastTrendFree {
		return Trend{}, false
	}
	values, times := valuesOf(logs), coursesOf(logs)
	slope := slopeOf(values, times, groups)
	z, df := ordered(values, times, groups)
	line, step := make([]float64, n), stepOf(values, times, groups)
	for i := range line {
		line[i] = values[i] - float64(slope*times[i])
	}
	left := spread(line, groups)
	rest := line
	if spread(step, groups) < left {
		rest = step
	}
	alike := make([]Observation, n)
	for id, g := range groups {
		for _, i := range g {
			alike[i] = Observation{Value: rest[i], Stratum: id}
		}
	}
	z /= math.Sqrt(newDesign(alike).rankInflation())
	t := z * math.Sqrt(df/max(df+1-z*z, 1e-9))
	return Trend{Change: math.Expm1(slope), P: tTails(t, df), N: n, Left: left}, true
}

// stepOf returns the values without the one step in their course that explains most.
func stepOf(values, times []float64, groups []group) []float64 {
	n := len(values)
	aligned := make([]float64, n)
	for _, g := range groups {
		mean := g.mean(values)
		for _, i := range g {
			aligned[i] = values[i] - mean
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, k int) int { return cmp.Compare(times[i], times[k]) })
	sum, most, cut, height := 0.0, 0.0, math.Inf(1), 0.0
	for k, i := range order[:n-1] {
		sum += aligned[i]
		before, after := float64(k+1), float64(n-k-1)
		if explained := sum * sum * (1/before + 1/after); times[order[k+1]] > times[i] && explained > most {
			most, cut, height = explained, times[i], -sum*(1/before+1/after)
		}
	}
	without := slices.Clone(values)
	for i := range without {
		if times[i] > cut {
			without[i] -= height
		}
	}
	return without
}

// coursesOf returns where in its block each measurement is: 0 is the first, 1 the
// last.
func coursesOf(observations []Observation) []float64 {
	n := map[int]int{}
	for _, o := range observations {
		n[o.Block]++
	}
	places, times := map[int]int{}, make([]float64, len(observations))
	for i, o := range observations {
		times[i] = float64(places[o.Block]) / float64(max(1, n[o.Block]-1))
		places[o.Block]++
	}
	return times
}

// slopeOf returns the median slope between two of a group.
func slopeOf(values, times []float64, groups []group) float64 {
	var slopes []float64
	for _, g := range groups {
		g.pairs(func(i, k int) { slopes = append(slopes, (values[k]-values[i])/(times[k]-times[i])) })
	}
	m, _ := Sorted(slopes).Median()
	return m
}

// ordered returns how far the scores of the values go with the times, in standard
// deviations of what drawing the order within each group would bring, and the degrees
// of freedom of the t distribution that comes near to it.
func ordered(values, times []float64, groups []group) (z, df float64) {
	n := len(values)
	aligned := make([]float64, n)
	for _, g := range groups {
		mean := g.mean(values)
		for _, i := range g {
			aligned[i] = values[i] - mean
		}
	}
	scores := ranks(aligned)
	for i := range scores {
		scores[i] = normalQuantile((scores[i] + 0.5) / float64(n))
	}
	sum, variance := 0.0, 0.0
	for _, g := range groups {
		if len(g) < 2 {
			continue
		}
		score, time := g.mean(scores), g.mean(times)
		ofScores, ofTimes := 0.0, 0.0
		for _, i := range g {
			sum += float64((scores[i] - score) * (times[i] - time))
			ofScores += float64((scores[i] - score) * (scores[i] - score))
			ofTimes += float64((times[i] - time) * (times[i] - time))
		}
		variance += float64(ofScores*ofTimes) / float64(len(g)-1)
	}
	df = float64(n-len(groups)) - 1
	if variance == 0 {
		return 0, df
	}
	return sum / math.Sqrt(variance), df
}
