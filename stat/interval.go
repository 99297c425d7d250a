package stat

import (
	"fmt"
	"math"

	"golang.org/x/perf/benchmath"
)

// Confidence is the level at which reports give intervals.
const Confidence = 0.95

// Interval is a confidence interval.
type Interval struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
	// Confidence is the level. That of a Sample's intervals is the one attained, at
	// least the level asked for: order statistics give only certain levels.
	Confidence float64 `json:"confidence"`
	Basis      Basis   `json:"basis"`
}

// HalfWidth returns half of the interval's width as a share of the median that it is
// of; it is absent where that is not above 0.
func (i Interval) HalfWidth(median float64) (float64, bool) {
	if !(median > 0) {
		return 0, false
	}
	return (i.Hi - i.Lo) / 2 / median, true
}

// MedianInterval returns an interval that holds the median of the population
// at the confidence given. It is absent where there are too few measurements;
// the warnings say how many are needed.
func (s Sample) MedianInterval(confidence float64) (iv Interval, ok bool, warnings []string) {
	if len(s.sorted) == 0 {
		return Interval{}, false, nil
	}
	sample := &benchmath.Sample{Values: s.sorted, Thresholds: &benchmath.DefaultThresholds}
	sum := benchmath.AssumeNothing.Summary(sample, confidence)
	for _, w := range sum.Warnings {
		warnings = append(warnings, w.Error())
	}
	if math.IsInf(sum.Lo, 0) || math.IsInf(sum.Hi, 0) {
		return Interval{}, false, warnings
	}
	return Interval{sum.Lo, sum.Hi, sum.Confidence, WithinBlock}, true, warnings
}

// QuantileInterval returns an interval that holds the p-quantile of the
// population at the confidence given, with equal tails. It is absent where
// there are too few measurements; the warnings say how many are needed.
//
// Of n measurements the number B below the p-quantile is binomial(n, p). With
// order statistics x(1) <= ... <= x(n), the quantile lies below x(l) with
// probability P(B < l) and above x(u) with P(B >= u). Taken are the greatest l
// and the least u for which neither is more than (1-confidence)/2. See David
// and Nagaraja, "Order Statistics" (2003), section 7.1.
//
// Note: go-moremath's QuantileCI takes a normal approximation from n = 31 on,
// which is far off in the tails (p = 0.99, n = 400).
func (s Sample) QuantileInterval(p, confidence float64) (iv Interval, ok bool, warnings []string) {
	n := len(s.sorted)
	if n == 0 || !(p > 0 && p < 1) {
		return Interval{}, false, nil
	}
	l, u, attained := quantileOrders(n, p, (1-confidence)/2)
	if l < 1 || u > n {
		return Interval{}, false, []string{fmt.Sprintf("need >= %d samples for confidence interval of the %g-quantile at level %v",
			quantileSamples(p, confidence), p, confidence)}
	}
	return Interval{s.sorted[l-1], s.sorted[u-1], attained, WithinBlock}, true, nil
}

// quantileOrders returns the ranks l and u (from 1) of QuantileInterval for a
// tail of at most the probability given on each side, and the probability
// between them. l is 0 or u is n+1 where no measurement bounds that side.
func quantileOrders(n int, p, tail float64) (l, u int, attained float64) {
	mean, sd := float64(n)*p, math.Sqrt(float64(n)*p*(1-p))
	// Further than 12 standard deviations below the mean nothing adds up to
	// anything in a float64.
	k := int(math.Max(0, mean-12*sd-1))
	pmf := binomialPMF(n, k, p)
	u = n + 1
	below, belowL := 0.0, 0.0 // P(B < k), P(B < l)
	for ; k <= n; k++ {
		if below <= tail {
			l, belowL = k, below
		}
		if 1-below <= tail {
			u = k
			break
		}
		below += pmf
		pmf *= float64(n-k) / float64(k+1) * p / (1 - p)
	}
	if u == n+1 {
		below = 1
	}
	return l, u, below - belowL
}

// binomialPMF returns the probability of k successes in n trials.
func binomialPMF(n, k int, p float64) float64 {
	logGamma := func(x int) float64 { v, _ := math.Lgamma(float64(x)); return v }
	choose := logGamma(n+1) - logGamma(k+1) - logGamma(n-k+1)
	return math.Exp(choose + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

// quantileSamples returns the least n for which QuantileInterval exists: on
// the longer side all n measurements lie with probability max(p, 1-p)^n, which
// must be no more than the tail.
func quantileSamples(p, confidence float64) int {
	return int(math.Ceil(math.Log((1-confidence)/2) / math.Log(math.Max(p, 1-p))))
}
