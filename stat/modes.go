package stat

import (
	"cmp"
	"math"
	"slices"
)

// Modes are two centres that measurements lie around.
type Modes struct {
	// Lo and Hi are the centres: geometric means over strata and blocks.
	Lo, Hi float64
	// Share is the share of the measurements that lie around Hi.
	Share float64
	// P is the probability of so few measurements midway between the centres where
	// there is one centre.
	P float64
	// Changes is how often measurements go from one centre to the other and stay
	// there for some, and First the place of the first after such a change.
	Changes, First int
	// Mixed is how often they would if their order told nothing.
	Mixed float64
	// Left is the standard deviation of the logarithms around the centres.
	Left float64
}

const (
	// leastOfModes is how many measurements of a stratum and block there must be on
	// average: fewer are too easily divided so that a gap is left.
	leastOfModes = 6
	// leastShare is the share of the measurements that the lesser mode must have: less
	// are outliers.
	leastShare = 0.15
)

// ModesOf divides the measurements into two, and is absent where they do not allow
// it: where a value is not above 0, where there are too few, or where one of the
// two has too few of them.
//
// Logarithms are divided so that the squares around the centres are least, with one
// distance between the centres for all strata and blocks (two means, with the strata
// fitted at once: the median of a stratum may lie around either centre). Least
// squares divide anything; what tells is the valley. Of measurements with one centre,
// whatever their distribution, no fewer lie in the middle third between two points
// than around the lesser of the two points in as wide a stretch, so their numbers are
// held against tosses of a coin.
func ModesOf(observations []Observation) (Modes, bool) {
	some, places := thinnedOut(observations)
	logs, ok := onLogs(some)
	if !ok {
		return Modes{}, false
	}
	s := split{values: valuesOf(logs), groups: groupsOf(logs), upper: make([]bool, len(logs))}
	n := len(logs)
	if n < leastOfModes*len(s.groups) || n == 0 {
		return Modes{}, false
	}
	left, ok := s.fit()
	if !ok {
		return Modes{}, false
	}
	base, up, lesser := 0.0, 0, 0
	for _, g := range s.groups {
		base += s.base(g) * float64(len(g)) / float64(n)
		own := s.above(g)
		up, lesser = up+own, lesser+min(own, len(g)-own)
	}
	if float64(lesser) < leastShare*float64(n) {
		return Modes{}, false
	}
	m := Modes{
		Lo: math.Exp(base), Hi: math.Exp(base + s.apart), Share: float64(up) / float64(n), P: s.valley(),
		Left: math.Sqrt(left / float64(n-len(s.groups)-1)),
	}
	m.Changes, m.First = s.changes(logs)
	if m.Changes > 0 {
		m.First = places[m.First]
	}
	// The majority of five changes where the four that two such have in common are
	// even and the two others are not alike.
	p := m.Share * (1 - m.Share)
	m.Mixed = 12 * p * p * p * float64(n-1)
	return m, true
}

// split is a division of each group's measurements into lower and upper ones, which
// are apart by the same in all groups.
type split struct {
	values []float64
	groups []group
	upper  []bool
	apart  float64
}

// mostFits is after how many rounds a fit is as good as it gets.
const mostFits = 30

// fit finds the split with the least squares around the centres, which it returns;
// false where the measurements do not differ.
func (s *split) fit() (left float64, ok bool) {
	sorted := make([]group, len(s.groups))
	for i, g := range s.groups {
		sorted[i] = slices.Clone(g)
		slices.SortStableFunc(sorted[i], func(a, b int) int { return cmp.Compare(s.values[a], s.values[b]) })
	}
	// Halves of normal measurements are apart by 1.6 standard deviations.
	s.apart = 1.6 * spread(s.values, s.groups)
	left = math.Inf(1)
	for range mostFits {
		now := 0.0
		for _, g := range sorted {
			now += s.divide(g)
		}
		if !(now < left) {
			break
		}
		left = now
		s.measure()
	}
	return left, s.apart > 0
}

// divide divides a group, which is sorted by value, so that the squares around its
// centres are least, and returns them.
func (s *split) divide(g group) float64 {
	n, middle := float64(len(g)), g.mean(s.values)
	sum, squared := 0.0, 0.0
	for _, i := range g {
		v := s.values[i] - middle
		sum += v
		squared += float64(v * v)
	}
	best, upper := squared-float64(sum*sum)/n, 0
	// One more of the topmost is lowered by the distance each time.
	for k := 1; k < len(g); k++ {
		v := s.values[g[len(g)-k]] - middle
		sum -= s.apart
		squared += float64(s.apart * (s.apart - 2*v))
		if left := squared - float64(sum*sum)/n; left < best {
			best, upper = left, k
		}
	}
	for k, i := range g {
		s.upper[i] = k >= len(g)-upper
	}
	return max(0, best)
}

// measure finds the distance that is best for the division.
func (s *split) measure() {
	with, own := 0.0, 0.0
	for _, g := range s.groups {
		mean, share := g.mean(s.values), float64(s.above(g))/float64(len(g))
		for _, i := range g {
			side := -share
			if s.upper[i] {
				side++
			}
			with += float64(side * (s.values[i] - mean))
			own += float64(side * side)
		}
	}
	if own > 0 {
		s.apart = with / own
	}
}

// above counts the upper measurements of a group.
func (s *split) above(g group) (n int) {
	for _, i := range g {
		if s.upper[i] {
			n++
		}
	}
	return n
}

// base returns the lower centre of a group.
func (s *split) base(g group) float64 {
	return g.mean(s.values) - s.apart*float64(s.above(g))/float64(len(g))
}

// valley returns the probability of no more measurements midway between the centres,
// beside those around the lesser of the two, if either were as likely.
func (s *split) valley() float64 {
	const within = 1.0 / 6
	var lower, midway, upper int
	for _, g := range s.groups {
		base := s.base(g)
		for _, i := range g {
			switch at := (s.values[i] - base) / s.apart; {
			case math.Abs(at) < within:
				lower++
			case math.Abs(at-0.5) < within:
				midway++
			case math.Abs(at-1) < within:
				upper++
			}
		}
	}
	return headsAtMost(midway, midway+min(lower, upper))
}

// around is how many measurements say which mode it is at one of them: it, and as
// many before as after.
const aroundOne = 5

// changes returns how often the mode of most measurements around one changes in the
// course of blocks, and the first place after a change.
func (s *split) changes(observations []Observation) (n, first int) {
	usual := make([]bool, len(s.upper))
	for i := range s.upper {
		up, all := 0, 0
		for k := max(0, i-aroundOne/2); k <= min(len(s.upper)-1, i+aroundOne/2); k++ {
			if observations[k].Block == observations[i].Block {
				all++
				if s.upper[k] {
					up++
				}
			}
		}
		usual[i] = s.upper[i]
		if 2*up != all {
			usual[i] = 2*up > all
		}
		if i > 0 && observations[i].Block == observations[i-1].Block && usual[i] != usual[i-1] {
			if n++; n == 1 {
				first = i
			}
		}
	}
	return n, first
}
