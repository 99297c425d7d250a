package terminal

import (
	"time"

	"exobench"
	"exobench/summary"
)

// basis is what is known of how long things take.
type basis struct {
	// overhead is the time that so many steps took besides the requests of their
	// cells: to load the model, to warm up, to take it away.
	overhead time.Duration
	steps    int
	// cells is the time of each cell that has been measured, or is being
	// measured and has a pace.
	cells []cellTime
}

type cellTime struct {
	traffic exobench.Traffic
	span    time.Duration
}

// left estimates how long the run takes yet: for the cell at work, by the time
// that each of its requests took; for each cell to come, the mean over those of
// the same traffic so far, else over all; and for each load to come the mean
// over the loads so far. Steps that failed are no basis. It returns false where
// there is no basis, and when nothing more is to come.
func (s *state) left(now exobench.Instant) (time.Duration, bool) {
	if s.over || s.interrupted() {
		return 0, false
	}
	var rest time.Duration
	b := s.basis(now)
	for _, t := range s.steps {
		if t.state.Ended() {
			continue
		}
		if !t.asked.Reached() {
			if b.steps == 0 {
				return 0, false
			}
			overhead := b.overhead / time.Duration(b.steps)
			if t.state.Begun() {
				overhead = max(0, overhead-now.Sub(t.began))
			}
			rest += overhead
		}
		for _, c := range s.cellsOf(t) {
			left, ok := s.cellLeft(c, b, now)
			if !ok {
				return 0, false
			}
			rest += left
		}
	}
	return rest, rest > 0
}

// basis gathers what the steps and cells so far took.
func (s *state) basis(now exobench.Instant) basis {
	var b basis
	for _, t := range s.steps {
		switch {
		case t.state == summary.Done || t.state == summary.Kept:
			b.overhead += t.ended.Sub(t.began)
			for _, c := range s.cellsOf(t) {
				b.overhead -= c.spent
			}
			b.steps++
		case t.asked.Reached() && !t.state.Ended():
			b.overhead += t.asked.Sub(t.began)
			b.steps++
		}
	}
	for _, c := range s.cells {
		switch c.state {
		case summary.Done:
			b.cells = append(b.cells, cellTime{c.Traffic, c.spent})
		case summary.Measuring:
			if left, ok := s.ownPace(c, now); ok {
				b.cells = append(b.cells, cellTime{c.Traffic, c.spent + now.Sub(c.began) + left})
			}
		}
	}
	return b
}

// cellLeft estimates how long a cell takes yet.
func (s *state) cellLeft(c *cell, b basis, now exobench.Instant) (time.Duration, bool) {
	spent := c.spent
	switch c.state {
	case summary.Planned:
	case summary.Measuring:
		if left, ok := s.ownPace(c, now); ok {
			return left, true
		}
		spent += now.Sub(c.began)
	default:
		return 0, true
	}
	span, known := b.of(c.Traffic)
	if bound := time.Duration(c.Stop.Duration); bound > 0 && (!known || bound < span) {
		span, known = bound, true
	}
	return max(0, span-spent), known
}

// ownPace estimates how long the cell at work takes yet, by its own requests so
// far and by its bound in time, whichever is sooner.
func (s *state) ownPace(c *cell, now exobench.Instant) (time.Duration, bool) {
	var left time.Duration
	known := false
	planned := s.planned(c)
	if planned > 0 && c.requests > 0 && s.answered > c.began {
		each := s.answered.Sub(c.began) / time.Duration(c.requests)
		left, known = max(0, each*time.Duration(planned-c.requests)-now.Sub(s.answered)), true
	}
	if bound := time.Duration(c.Stop.Duration); bound > 0 {
		bound = max(0, bound-c.spent-now.Sub(c.began))
		if !known || bound < left {
			left, known = bound, known || planned == 0
		}
	}
	return left, known
}

// of returns how long a cell of that traffic takes.
func (b basis) of(traffic exobench.Traffic) (time.Duration, bool) {
	var same, all time.Duration
	alike := 0
	for _, c := range b.cells {
		all += c.span
		if c.traffic == traffic {
			same += c.span
			alike++
		}
	}
	switch {
	case alike > 0:
		return same / time.Duration(alike), true
	case len(b.cells) > 0:
		return all / time.Duration(len(b.cells)), true
	}
	return 0, false
}
