package timeline

import (
	"slices"
	"sort"
	"time"

	"exobench"
)

// Reach is how far a reading speaks for the time around it. Engines renew their
// sensors once a second.
const Reach = 2 * time.Second

// Curve is one quantity, in order of time.
type Curve []Point

// Point is the value of a quantity at an instant.
type Point struct {
	At    exobench.Instant
	Value float64
}

// at returns the value at an instant: between the readings on either side where
// they are close enough to each other, else that of the nearest one in reach.
func (c Curve) at(t exobench.Instant) (float64, bool) {
	i := sort.Search(len(c), func(i int) bool { return c[i].At >= t })
	before, after := i > 0, i < len(c)
	if before && after && c[i].At.Sub(c[i-1].At) <= 2*Reach {
		share := float64(t.Sub(c[i-1].At)) / float64(c[i].At.Sub(c[i-1].At))
		return c[i-1].Value + float64(share*(c[i].Value-c[i-1].Value)), true
	}
	switch {
	case after && c[i].At.Sub(t) <= Reach && !(before && t.Sub(c[i-1].At) < c[i].At.Sub(t)):
		return c[i].Value, true
	case before && t.Sub(c[i-1].At) <= Reach:
		return c[i-1].Value, true
	}
	return 0, false
}

// cut returns the readings of [from, to], with the values at both ends.
func (c Curve) cut(from, to exobench.Instant) (Curve, bool) {
	first, ok := c.at(from)
	last, known := c.at(to)
	if !ok || !known || to <= from {
		return nil, false
	}
	inner := sort.Search(len(c), func(i int) bool { return c[i].At > from })
	beyond := sort.Search(len(c), func(i int) bool { return c[i].At >= to })
	return slices.Concat(Curve{{from, first}}, c[inner:beyond], Curve{{to, last}}), true
}

// Integral returns the area over [from, to], in value · seconds, by trapezoids.
// It is absent where an instant of it is further than Reach from every reading.
func (c Curve) Integral(from, to exobench.Instant) (float64, bool) {
	cut, ok := c.cut(from, to)
	if !ok {
		return 0, false
	}
	sum := 0.0
	for i := 1; i < len(cut); i++ {
		gap := cut[i].At.Sub(cut[i-1].At)
		if gap > 2*Reach {
			return 0, false
		}
		sum += float64(gap.Seconds() * (cut[i].Value + cut[i-1].Value) / 2)
	}
	return sum, true
}

// Mean returns the mean over [from, to], weighted by time; it is absent where
// Integral is.
func (c Curve) Mean(from, to exobench.Instant) (float64, bool) {
	area, ok := c.Integral(from, to)
	if !ok {
		return 0, false
	}
	return area / to.Sub(from).Seconds(), true
}
