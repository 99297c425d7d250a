package stat

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Change is a place in a series where its level changes.
type Change struct {
	// At is the place of the first value of the new level.
	At int
	// P is the probability of a change at least as clear in a series without one, of
	// as many values; corrected for where it was looked for, as Changes says.
	P float64
}

const (
	// leastLevel is how many values there must be of a level: fewer are odd values
	// rather than a level.
	leastLevel = 3
	// orders is how often the values of a stretch are put into another order, at
	// most, and enoughOrders how many of them with as clear a change end that: it is
	// then known well enough (Besag and Clifford, "Sequential Monte Carlo p-values",
	// 1991).
	orders       = 9999
	enoughOrders = 20
	// ofWhole is the share of the level at which a stretch is tested as a whole. The
	// rest is for windows in it.
	ofWhole = 0.75
)

// Changes returns where the level of a series changes, in order. A level is the
// mean of logarithms; values must be above 0, else nothing is told. Alpha is how
// often a change may be told of a series that has none, and least the smallest
// change of interest, as a share.
//
// It is E-divisive (Matteson and James, "A Nonparametric Approach for Multiple
// Change Point Analysis of Multivariate Data", 2014) with squared distances, where
// its statistic is the difference of means: a stretch is cut where the means of the
// two parts differ most, weighed by their lengths, if the same values in random
// order seldom have such a cut; and so are then the parts. Nothing is assumed of
// the noise but that its order is of no consequence. As in Fleming et al., "Hunter:
// Using Change Point Detection to Hunt for Performance Regressions" (2023), weak
// changes are taken away again, and the same series always gives the same changes:
// the orders are drawn with a fixed seed. Hunter's t-test of the best cut is not
// used, since it takes no account of that cut being the best of many.
//
// A level that is left and returned to hides in the means of a whole stretch, so a
// quarter of alpha is for cuts of windows: those of Kovács, Bühlmann, Li and Munk,
// "Seeded Binary Segmentation" (2023). Parts are tested at a share of alpha that is
// their share of the series.
func Changes(values []float64, alpha, least float64) ([]Change, bool) {
	logs := make([]float64, len(values))
	for i, v := range values {
		if !(v > 0) || !finite(v) {
			return nil, false
		}
		logs[i] = math.Log(v)
	}
	var found []Change
	var look func(from, to, depth int)
	look = func(from, to, depth int) {
		share := float64(to-from) / float64(len(logs)) / float64(int(1)<<min(depth, 30))
		if to-from < 2*leastLevel || arrangement(to-from)/ofWhole > alpha*share {
			return
		}
		at, p := clearest(logs[from:to], alpha*share)
		if p > alpha*share {
			return
		}
		found = append(found, Change{from + at, min(1, p/share)})
		look(from, from+at, depth+1)
		look(from+at, to, depth+1)
	}
	look(0, len(logs), 0)
	slices.SortFunc(found, func(a, b Change) int { return a.At - b.At })
	return strong(logs, settled(logs, found), math.Log1p(least)), true
}

// LeastForChange returns how many values a series must have for a change to be
// told at the level alpha at all: in fewer, even values that change as clearly as
// they can are too often in that order by chance.
func LeastForChange(alpha float64) int {
	n := 2 * leastLevel
	for arrangement(n)/ofWhole > alpha || 1.0/(orders+1)/ofWhole > alpha {
		if n++; n > 64 {
			break // beyond what the orders drawn can show
		}
	}
	return n
}

// arrangement returns the probability that n values in random order have all of the
// lower half on one side.
func arrangement(n int) float64 {
	whole, _ := math.Lgamma(float64(n + 1))
	lower, _ := math.Lgamma(float64(n/2 + 1))
	upper, _ := math.Lgamma(float64(n - n/2 + 1))
	return 2 * math.Exp(lower+upper-whole)
}

// window is a stretch of a series, to before the place to.
type window struct{ from, to int }

// windows returns stretches of all lengths, spread evenly, each length the one
// before over the square root of two.
func windows(n int) []window {
	var all []window
	for length := float64(n) / math.Sqrt2; length >= 2*leastLevel; length /= math.Sqrt2 {
		long := int(math.Ceil(length))
		count := int(math.Ceil(float64(n-long)/(length/2))) + 1
		for i := range count {
			from := 0
			if count > 1 {
				from = int(math.Round(float64(i) * float64(n-long) / float64(count-1)))
			}
			all = append(all, window{from, from + long})
		}
	}
	return all
}

// clearest returns the best place to cut a stretch, and how probable one as clear
// would be by chance. Beyond the level given it need not be exact.
func clearest(values []float64, level float64) (at int, p float64) {
	at, p = drawnCut(values, []window{{0, len(values)}})
	if p /= ofWhole; p <= level {
		return at, p
	}
	inside := windows(len(values))
	if len(inside) == 0 {
		return at, p
	}
	other, of := drawnCut(values, inside)
	if of /= 1 - ofWhole; of < p {
		return other, of
	}
	return at, p
}

// drawnCut returns the best cut in any of the windows, and the share of random orders
// of all values that have as clear a one.
func drawnCut(values []float64, in []window) (at int, p float64) {
	sums := make([]float64, len(values)+1)
	at, size := cut(values, in, sums)
	if at < 0 || size <= nearby {
		return 0, 1
	}
	random := rand.New(rand.NewPCG(1, uint64(len(values))))
	shuffled, asClear := slices.Clone(values), 0
	for i := 1; i <= orders; i++ {
		random.Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
		// Sums in another order differ in their last bits.
		if _, other := cut(shuffled, in, sums); other >= size*(1-nearby) {
			if asClear++; asClear >= enoughOrders {
				return at, float64(asClear) / float64(i)
			}
		}
	}
	return at, float64(asClear+1) / (orders + 1)
}

// cut returns where in one of the windows the means before and after differ most,
// each difference times √(n·m/(n+m)) of the numbers n and m of values; -1 where
// there is no place for one. Sums is room for one more than the values.
func cut(values []float64, in []window, sums []float64) (at int, size float64) {
	for i, v := range values {
		sums[i+1] = sums[i] + v
	}
	at = -1
	for _, w := range in {
		for k := w.from + leastLevel; k <= w.to-leastLevel; k++ {
			n, m := float64(k-w.from), float64(w.to-k)
			apart := (sums[w.to]-sums[k])/m - (sums[k]-sums[w.from])/n
			if clear := math.Abs(apart) * math.Sqrt(n*m/(n+m)); clear > size {
				at, size = k, clear
			}
		}
	}
	return at, size
}

// bounds returns the places between which a change is the only one.
func bounds(changes []Change, i, n int) (from, to int) {
	to = n
	if i > 0 {
		from = changes[i-1].At
	}
	if i+1 < len(changes) {
		to = changes[i+1].At
	}
	return from, to
}

// settled puts each change where it is best between its neighbours, which were not
// all known when it was found.
func settled(logs []float64, changes []Change) []Change {
	for i := range changes {
		from, to := bounds(changes, i, len(logs))
		stretch := logs[from:to]
		if at, _ := cut(stretch, []window{{0, len(stretch)}}, make([]float64, len(stretch)+1)); at >= 0 {
			changes[i].At = from + at
		}
	}
	return changes
}

// strong takes away the changes that are too small, the smallest first, and then
// those whose levels are not known well enough to differ by Welch's test: a few wild
// values on one side make no level.
func strong(logs []float64, changes []Change, least float64) []Change {
	for len(changes) > 0 {
		weakest, size, unsure, p := 0, math.Inf(1), 0, 0.0
		for i, c := range changes {
			from, to := bounds(changes, i, len(logs))
			before, after := logs[from:c.At], logs[c.At:to]
			if apart := math.Abs(meanOf(after) - meanOf(before)); apart < size {
				weakest, size = i, apart
			}
			if of := welch(before, after); of > p {
				unsure, p = i, of
			}
		}
		switch {
		case size < least:
		case p > 1-Confidence:
			weakest = unsure
		default:
			return changes
		}
		changes = settled(logs, slices.Delete(changes, weakest, weakest+1))
	}
	return changes
}

// welch returns the probability of means as far apart, where there is no difference.
func welch(a, b []float64) float64 {
	n, m := float64(len(a)), float64(len(b))
	ofA, ofB := squares(a)/(n-1)/n, squares(b)/(m-1)/m
	if ofA+ofB == 0 {
		return 0
	}
	df := (ofA + ofB) * (ofA + ofB) / (ofA*ofA/(n-1) + ofB*ofB/(m-1))
	return tTails((meanOf(b)-meanOf(a))/math.Sqrt(ofA+ofB), df)
}
