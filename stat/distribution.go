package stat

import (
	"math"

	"github.com/aclements/go-moremath/stats"
)

// normalQuantile returns the p-quantile of the standard normal distribution.
func normalQuantile(p float64) float64 { return stats.StdNormal.InvCDF(p) }

// tTails returns the probability that a variable with Student's t distribution is at
// least as far from 0 as t.
func tTails(t, df float64) float64 {
	return min(1, 2*(1-stats.TDist{V: df}.CDF(math.Abs(t))))
}

// tQuantile returns the p-quantile of Student's t distribution, 0.5 <= p < 1.
func tQuantile(p, df float64) float64 {
	dist := stats.TDist{V: df}
	lo, hi := 0.0, 1.0
	for dist.CDF(hi) < p && hi < 1e9 {
		hi *= 2
	}
	for range 60 {
		if mid := (lo + hi) / 2; dist.CDF(mid) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// headsAtMost returns the probability of at most k heads in n tosses.
func headsAtMost(k, n int) float64 {
	return stats.BinomialDist{N: n, P: 0.5}.CDF(float64(k))
}
