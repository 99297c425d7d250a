package stat

import "math"

// group is the measurements of one stratum in one block, by their places among all,
// in the order of measurement. They differ by noise alone, and by what befell the
// block in its course.
type group []int

// groupsOf returns the groups, in the order of their first measurements.
func groupsOf(observations []Observation) []group {
	type key struct{ block, stratum int }
	at := map[key]int{}
	var groups []group
	for i, o := range observations {
		k := key{o.Block, o.Stratum}
		g, seen := at[k]
		if !seen {
			g = len(groups)
			at[k] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// mostDiagnosed is from how many measurements what is usual, a trend or modes are
// told: more would tell no more.
const mostDiagnosed = 2000

// golden is what multiples of leave evenly spread when their whole parts are taken
// away, whatever the step from one to the next.
const golden = 0.6180339887498949

// thinnedOut returns about so many of the observations at most, evenly spread over
// their course whatever the order of the strata, and the places that they have among
// all.
func thinnedOut(observations []Observation) (some []Observation, places []int) {
	keep := 1.0
	if n := len(observations); n > mostDiagnosed {
		keep = mostDiagnosed / float64(n)
	}
	for i, o := range observations {
		if _, at := math.Modf(float64(i) * golden); at < keep {
			some, places = append(some, o), append(places, i)
		}
	}
	return some, places
}

// mostLags is with how many of those that follow it a measurement is compared.
const mostLags = 12

// pairs calls f with pairs of the group's measurements, the earlier first: with all
// where they are few, else with some over every distance.
func (g group) pairs(f func(i, k int)) {
	step := (len(g) + mostLags - 1) / mostLags
	for lag := max(1, step/2); lag < len(g); lag += max(1, step) {
		for i := 0; i+lag < len(g); i++ {
			f(g[i], g[i+lag])
		}
	}
}

func (g group) mean(values []float64) float64 {
	sum := 0.0
	for _, i := range g {
		sum += values[i]
	}
	return sum / float64(len(g))
}

// median returns that of a group's measurements; of many, of as many as tell enough.
func (g group) median(values []float64) float64 {
	own := make([]float64, min(len(g), mostDiagnosed))
	for k := range own {
		own[k] = values[g[k*len(g)/len(own)]]
	}
	m, _ := Sorted(own).Median()
	return m
}

// noiseOf returns the spread within groups: the standard deviation of normal
// measurements, by the median distance between two of a group, which single ones that
// are far off do not change. It needs no centre, so groups of three do not seem
// quieter than they are. It is absent where no group has two.
func noiseOf(values []float64, groups []group) (float64, bool) {
	var distances []float64
	for _, g := range groups {
		g.pairs(func(i, k int) { distances = append(distances, math.Abs(values[k]-values[i])) })
	}
	m, ok := Sorted(distances).Median()
	return m / (math.Sqrt2 * normalQuantile(0.75)), ok
}

// spread returns the standard deviation within groups.
func spread(values []float64, groups []group) float64 {
	sum, df := 0.0, 0
	for _, g := range groups {
		mean := g.mean(values)
		for _, i := range g {
			sum += float64((values[i] - mean) * (values[i] - mean))
		}
		df += len(g) - 1
	}
	return math.Sqrt(sum / float64(max(1, df)))
}
