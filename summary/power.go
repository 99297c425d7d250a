package summary

import (
	"slices"
	"sort"
	"time"

	"exobench"
)

// reach is how far a reading speaks for the time around it. Engines renew their
// sensors once a second.
const reach = 2 * time.Second

// series is readings of one quantity, in order of time.
type series []point

type point struct {
	at    exobench.Instant
	value float64
}

// at returns the value at an instant: between the readings on either side where
// they are close enough to each other, else that of the nearest one in reach.
func (s series) at(t exobench.Instant) (float64, bool) {
	i := sort.Search(len(s), func(i int) bool { return s[i].at >= t })
	before, after := i > 0, i < len(s)
	if before && after && s[i].at.Sub(s[i-1].at) <= 2*reach {
		share := float64(t.Sub(s[i-1].at)) / float64(s[i].at.Sub(s[i-1].at))
		return s[i-1].value + float64(share*(s[i].value-s[i-1].value)), true
	}
	switch {
	case after && s[i].at.Sub(t) <= reach && !(before && t.Sub(s[i-1].at) < s[i].at.Sub(t)):
		return s[i].value, true
	case before && t.Sub(s[i-1].at) <= reach:
		return s[i-1].value, true
	}
	return 0, false
}

// cut returns the readings of [from, to], with the values at both ends.
func (s series) cut(from, to exobench.Instant) (series, bool) {
	first, ok := s.at(from)
	last, known := s.at(to)
	if !ok || !known || to <= from {
		return nil, false
	}
	inner := sort.Search(len(s), func(i int) bool { return s[i].at > from })
	beyond := sort.Search(len(s), func(i int) bool { return s[i].at >= to })
	return slices.Concat(series{{from, first}}, s[inner:beyond], series{{to, last}}), true
}

// area is the integral over time, in seconds, by trapezoids.
func (s series) area() float64 {
	sum := 0.0
	for i := 1; i < len(s); i++ {
		sum += float64(s[i].at.Sub(s[i-1].at).Seconds() * (s[i].value + s[i-1].value) / 2)
	}
	return sum
}

// integral returns the area over [from, to]; it is absent where an instant of it
// is further than reach from every reading.
func (s series) integral(from, to exobench.Instant) (float64, bool) {
	cut, ok := s.cut(from, to)
	if !ok {
		return 0, false
	}
	for i := 1; i < len(cut); i++ {
		if cut[i].at.Sub(cut[i-1].at) > 2*reach {
			return 0, false
		}
	}
	return cut.area(), true
}

// mean returns the mean over [from, to], weighted by time.
func (s series) mean(from, to exobench.Instant) (float64, bool) {
	area, ok := s.integral(from, to)
	return area / to.Sub(from).Seconds(), ok
}
