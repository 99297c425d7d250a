package timeline

import (
	"cmp"
	"slices"

	"exobench"
)

// Set is the lines of one step. The zero Set is empty.
type Set struct {
	lines map[thing]*Line
	// last is the line that was added to last: readings come in bursts.
	last     thing
	lastLine *Line
	// outside counts the readings from outside of requests.
	outside int
	n       int
}

// thing is what a line is of.
type thing struct{ sensor, of string }

// Add adds a sample's values of the quantities wanted, or of all where none is
// named. It copies what it keeps.
func (s *Set) Add(sample *exobench.Sample, wanted ...exobench.Quantity) {
	key := thing{sample.Sensor, sample.Of}
	if s.lastLine == nil || key != s.last {
		s.last, s.lastLine = key, s.make(key)
	}
	var space [16]exobench.Value
	values := exobench.Values(space[:0])
	for _, v := range sample.Values {
		if len(wanted) == 0 || slices.Contains(wanted, v.Quantity) {
			values = append(values, v)
		}
	}
	if sample.Span > 0 {
		values = append(values, exobench.Value{Quantity: spanned, Value: float64(sample.Span)})
	}
	s.n++
	s.lastLine.Add(sample.At, sample.Moment, values)
	if sample.Moment != exobench.During && sample.Moment != exobench.After && sample.Moment != exobench.Moving {
		s.outside++
	}
}

// make returns the line of a thing, a new one where there is none.
func (s *Set) make(key thing) *Line {
	l := s.lines[key]
	if l == nil {
		if s.lines == nil {
			s.lines = map[thing]*Line{}
		}
		l = new(Line)
		s.lines[key] = l
	}
	return l
}

// Line returns the line of a thing, an empty one where nothing was read.
func (s *Set) Line(sensor, of string) *Line {
	if l := s.lines[thing{sensor, of}]; l != nil {
		return l
	}
	return new(Line)
}

// Len returns the number of readings of all lines.
func (s *Set) Len() int { return s.n }

// Of returns what a sensor read, by name.
func (s *Set) Of(sensor string) []string {
	var names []string
	for key := range s.lines {
		if key.sensor == sensor {
			names = append(names, key.of)
		}
	}
	slices.Sort(names)
	return names
}

// Count returns how many readings there are up to an instant, those from
// outside of requests counted whenever they were taken: it changes with
// everything that can change what was read until then.
func (s *Set) Count(until exobench.Instant) (outside, before int) {
	for _, l := range s.lines {
		before += l.After(until)
	}
	return s.outside, before
}

// Together returns the sum of a quantity over all things that a sensor reads,
// for each instant at which all of them were read.
func (s *Set) Together(sensor string, q exobench.Quantity) *Line {
	names := s.Of(sensor)
	type reading struct {
		at  exobench.Instant
		m   moment
		sum float64
		n   int
	}
	var all []reading
	for _, name := range names {
		l := s.Line(sensor, name)
		l.settle()
		for i, at := range l.at {
			if v, ok := l.Value(i, q); ok {
				all = append(all, reading{at, l.moments[i], v, 1})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b reading) int { return cmp.Compare(a.at, b.at) })
	sum := new(Line)
	for i := 0; i < len(all); {
		one := all[i]
		for i++; i < len(all) && all[i].at == one.at; i++ {
			one.sum += all[i].sum
			one.n++
		}
		if one.n == len(names) {
			sum.add(one.at, one.m)
			sum.put(q, one.sum)
		}
	}
	return sum
}
