package stat

import (
	"math"
	"slices"
)

// Sample is a set of finite measurements. The zero Sample is empty.
type Sample struct{ sorted []float64 }

// NewSample returns a sample of a copy of the values.
func NewSample(values []float64) Sample {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return Sample{sorted}
}

// Sorted returns a sample of the values themselves, which it sorts; they must be
// left alone as long as it is used.
func Sorted(values []float64) Sample {
	slices.Sort(values)
	return Sample{values}
}

// N returns the number of measurements.
func (s Sample) N() int { return len(s.sorted) }

// Quantile returns the p-quantile, 0 <= p <= 1; it is absent for an empty
// sample.
//
// It is type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages"
// (1996), which is the default of R and NumPy: with h = (n-1)p, the value
// between the order statistics at floor(h) and floor(h)+1 (counted from 0), by
// linear interpolation.
func (s Sample) Quantile(p float64) (float64, bool) {
	n := len(s.sorted)
	if n == 0 || !(p >= 0 && p <= 1) {
		return 0, false
	}
	h := float64(n-1) * p
	i := int(h)
	if i == n-1 {
		return s.sorted[i], true
	}
	lo, hi := s.sorted[i], s.sorted[i+1]
	// Converted, a product is rounded before it is added: without, arm64 would
	// fuse the two and give other last bits than amd64.
	return lo + float64((h-float64(i))*(hi-lo)), true
}

// Median returns the 0.5-quantile.
func (s Sample) Median() (float64, bool) { return s.Quantile(0.5) }

// Min returns the least value.
func (s Sample) Min() (float64, bool) { return s.Quantile(0) }

// Max returns the greatest value.
func (s Sample) Max() (float64, bool) { return s.Quantile(1) }

// Mean returns the arithmetic mean. The sum is taken in ascending order, so it
// does not depend on the order of measurement.
func (s Sample) Mean() (float64, bool) {
	if len(s.sorted) == 0 {
		return 0, false
	}
	sum := 0.0
	for _, v := range s.sorted {
		sum += v
	}
	return sum / float64(len(s.sorted)), true
}

// SD returns the sample standard deviation (divided by n-1); it is absent
// where n < 2.
func (s Sample) SD() (float64, bool) {
	mean, ok := s.Mean()
	if !ok || len(s.sorted) < 2 {
		return 0, false
	}
	squares := 0.0
	for _, v := range s.sorted {
		squares += float64((v - mean) * (v - mean))
	}
	return math.Sqrt(squares / float64(len(s.sorted)-1)), true
}

// Supports reports whether n measurements are enough to speak of the
// p-quantile at all: at least one of them is expected to lie beyond it. That
// is n >= 10 for p90, 20 for p95 and 100 for p99.
func Supports(p float64, n int) bool {
	tail := math.Min(p, 1-p)
	// 1/(1-0.9) is 10.000000000000002 in floating point.
	const slack = 1e-9
	return tail > 0 && float64(n) >= 1/tail-slack
}
