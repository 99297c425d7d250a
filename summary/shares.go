package summary

import (
	"slices"
	"sort"

	"exobench"
)

// shares splits the energy of a block among its requests: at each instant evenly
// among those under way.
type shares struct {
	at []exobench.Instant // of beginnings and ends
	// sums are the joules that a request has been charged with that was under way
	// from the first instant until each.
	sums []float64
}

// newShares works the shares out. Requests that were not OK are charged with
// nothing.
func newShares(b *block, p *metered) *shares {
	s := new(shares)
	if p == nil {
		return s
	}
	steps := map[exobench.Instant]int{}
	for _, r := range b.ok.all() {
		if r.sent.Reached() && r.done > r.sent {
			steps[r.sent]++
			steps[r.done]--
		}
	}
	for at := range steps {
		s.at = append(s.at, at)
	}
	slices.Sort(s.at)
	s.sums = make([]float64, len(s.at))
	under := 0
	for i := 1; i < len(s.at); i++ {
		s.sums[i] = s.sums[i-1]
		if under += steps[s.at[i-1]]; under > 0 {
			s.sums[i] += p.over(s.at[i-1], s.at[i]).Value / float64(under)
		}
	}
	return s
}

// of returns what a request of the block is charged with, in joules.
func (s *shares) of(r span) float64 { return s.until(r.done) - s.until(r.sent) }

func (s *shares) until(at exobench.Instant) float64 {
	i := sort.Search(len(s.at), func(i int) bool { return s.at[i] >= at })
	if i == len(s.at) {
		return 0
	}
	return s.sums[i]
}
