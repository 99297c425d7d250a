package peers

import (
	"cmp"
	"math"
	"slices"

	"exobench/stat"
)

// distribution is the figures that a tool gives of many values.
type distribution struct {
	stats []string // mean, sd, min, max, median, or pNN
	name  func(stat string) string
}

// linear gives the figures of values as numpy does: percentiles by linear
// interpolation, and the population standard deviation.
func (d distribution) linear(values []float64) []Figure {
	sample := stat.NewSample(values)
	return d.figures(len(values), func(name string) (float64, bool) {
		switch name {
		case "mean":
			return sample.Mean()
		case "sd":
			return weightedSD(even(values)), true
		}
		return sample.Quantile(probability(name))
	})
}

// step gives the figures of weighted values as guidellm does (statistics.py,
// DistributionSummary.from_values and Percentiles.from_pdf).
func (d distribution) step(values []weighted) []Figure {
	values = merged(values)
	return d.figures(len(values), func(name string) (float64, bool) {
		switch name {
		case "mean":
			return weightedMean(values), true
		case "sd":
			return weightedSD(values), true
		}
		return stepQuantile(values, probability(name)), true
	})
}

func (d distribution) figures(n int, of func(name string) (float64, bool)) []Figure {
	if n == 0 {
		return nil
	}
	var figures []Figure
	for _, s := range d.stats {
		if v, ok := of(s); ok {
			figures = append(figures, Figure{Name: d.name(s), Value: v})
		}
	}
	return figures
}

// probability is that of a percentile's name.
func probability(name string) float64 {
	return map[string]float64{"min": 0, "median": 0.5, "p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "max": 1}[name]
}

// weighted is a value that counts as often as its weight says.
type weighted struct{ value, weight float64 }

// even gives each value the weight 1.
func even(values []float64) []weighted {
	all := make([]weighted, len(values))
	for i, v := range values {
		all[i] = weighted{v, 1}
	}
	return all
}

// merged sorts values, adds up the weights of equal ones, and drops those without
// weight.
func merged(values []weighted) []weighted {
	sorted := slices.SortedFunc(slices.Values(values), func(a, b weighted) int { return cmp.Compare(a.value, b.value) })
	var all []weighted
	for _, v := range sorted {
		switch last := len(all) - 1; {
		case v.weight <= 0:
		case last >= 0 && all[last].value == v.value:
			all[last].weight += v.weight
		default:
			all = append(all, v)
		}
	}
	return all
}

func totalWeight(values []weighted) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v.weight
	}
	return sum
}

func weightedMean(values []weighted) float64 {
	total, mean := totalWeight(values), 0.0
	for _, v := range values {
		mean += float64(v.value * (v.weight / total))
	}
	return mean
}

func weightedSD(values []weighted) float64 {
	total, mean, variance := totalWeight(values), weightedMean(values), 0.0
	for _, v := range values {
		variance += float64((v.value - mean) * (v.value - mean) * (v.weight / total))
	}
	return math.Sqrt(variance)
}

// stepQuantile is the first of the merged values whose cumulated share reaches p:
// searchsorted(cumsum(probabilities), p, side="left").
func stepQuantile(values []weighted, p float64) float64 {
	total, reached := totalWeight(values), 0.0
	for _, v := range values {
		reached += v.weight / total
		if reached >= p {
			return v.value
		}
	}
	return values[len(values)-1].value
}
