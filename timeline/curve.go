package timeline

import (
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

// Integral returns the area over [from, to], in value · seconds, by trapezoids.
// It is absent where an instant of it is further than Reach from every reading and
// not between two that are twice as far apart.
func (c Curve) Integral(from, to exobench.Instant) (float64, bool) {
	sum := c.Over(from, to, Reach)
	return sum.Value, to > from && sum.Covered == to.Sub(from)
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
