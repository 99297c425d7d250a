package timeline

import (
	"slices"
	"sort"
	"time"

	"exobench"
)

// Amount is what a quantity comes to over a time, and how well its readings cover
// that time.
type Amount struct {
	// Value is value · seconds of a Curve, or what Stretches add up to; of the
	// Covered part of the time alone.
	Value   float64
	Covered time.Duration
	// Gap is the longest time between two readings.
	Gap time.Duration
}

// Over returns the area over [from, to] by trapezoids, its ends interpolated.
// Between readings that are further apart than twice reach, each speaks for the
// time within its reach, and so do the first and the last.
func (c Curve) Over(from, to exobench.Instant, reach time.Duration) Amount {
	var sum Amount
	if to <= from {
		return sum
	}
	if len(c) == 0 {
		return Amount{Gap: to.Sub(from)}
	}
	add := func(a, b Point) {
		lo, hi := max(a.At, from), min(b.At, to)
		if hi <= lo {
			return
		}
		sum.Value += hi.Sub(lo).Seconds() * (between(a, b, lo) + between(a, b, hi)) / 2
		sum.Covered += hi.Sub(lo)
	}
	hold := func(p Point, by time.Duration) {
		if by < 0 {
			add(Point{p.At.Add(by), p.Value}, p)
		} else {
			add(p, Point{p.At.Add(by), p.Value})
		}
	}
	first, last := c[0], c[len(c)-1]
	hold(first, -reach)
	sum.Gap = max(first.At.Sub(from), to.Sub(last.At))
	start := sort.Search(len(c), func(i int) bool { return c[i].At > from })
	for i := max(1, start); i < len(c) && c[i-1].At < to; i++ {
		gap := c[i].At.Sub(c[i-1].At)
		sum.Gap = max(sum.Gap, gap)
		if gap <= 2*reach {
			add(c[i-1], c[i])
		} else {
			hold(c[i-1], reach)
			hold(c[i], -reach)
		}
	}
	hold(last, reach)
	return sum
}

// between returns the value at an instant on the line from a to b.
func between(a, b Point, t exobench.Instant) float64 {
	if b.At == a.At {
		return a.Value
	}
	return a.Value + float64(float64(t.Sub(a.At))/float64(b.At.Sub(a.At))*(b.Value-a.Value))
}

// Stretch is an amount that was used from one instant to another.
type Stretch struct {
	From, To exobench.Instant
	Amount   float64
}

// Stretches are what a counter grew by from reading to reading, in order of time.
type Stretches []Stretch

// Over returns what was used in [from, to]. Of a stretch that lies in it in part,
// that part of its amount counts, as if it had been used evenly; where the stretch
// is longer than twice reach that is not known, and the part is not covered.
func (s Stretches) Over(from, to exobench.Instant, reach time.Duration) Amount {
	var sum Amount
	if to <= from {
		return sum
	}
	at := from // until where the window is looked at
	start := sort.Search(len(s), func(i int) bool { return s[i].To > from })
	for _, one := range s[start:] {
		if one.From >= to {
			break
		}
		lo, hi := max(one.From, from), min(one.To, to)
		length := one.To.Sub(one.From)
		sum.Gap = max(sum.Gap, length, one.From.Sub(at))
		at = max(at, one.To)
		if whole := lo == one.From && hi == one.To; whole || length <= 2*reach {
			sum.Value += one.Amount * (float64(hi.Sub(lo)) / float64(length))
			sum.Covered += hi.Sub(lo)
		}
	}
	sum.Gap = max(sum.Gap, to.Sub(at))
	return sum
}

// spanned holds the span of a reading that has one, in nanoseconds.
const spanned exobench.Quantity = "span_ns"

// Stretches returns the amounts of a quantity over the spans of the readings that
// have both.
func (l *Line) Stretches(q exobench.Quantity) Stretches {
	l.settle()
	var all Stretches
	values, spans := l.column(q), l.column(spanned)
	for i, at := range l.at {
		if v, span := values.of(i), spans.of(i); v == v && span > 0 {
			all = append(all, Stretch{at - exobench.Instant(span), at, v})
		}
	}
	return all
}

// Means returns a quantity over time. The value of a reading with a span is the
// mean over it, and stands in its middle.
func (l *Line) Means(q exobench.Quantity) Curve {
	l.settle()
	var c Curve
	values, spans := l.column(q), l.column(spanned)
	for i, at := range l.at {
		v, span := values.of(i), spans.of(i)
		if v != v {
			continue
		}
		if span > 0 {
			at -= exobench.Instant(span / 2)
		}
		c = append(c, Point{at, v})
	}
	slices.SortStableFunc(c, func(a, b Point) int { return int(min(1, max(-1, a.At-b.At))) })
	return c
}
