package timeline

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"exobench"
)

// Line is the readings of one thing by one sensor. The zero Line is empty.
//
// Each quantity has a column of its own, so that a long run's readings take
// eight bytes for each number and no pointers.
type Line struct {
	at      []exobench.Instant
	moments []moment
	columns []column
	// shuffled is set when a reading came that may not belong at the end.
	shuffled bool
}

// column is the values of one quantity; NaN stands for one that is unknown. It
// ends with the last known one.
type column struct {
	quantity exobench.Quantity
	values   []float64
}

// moment is an exobench.Moment in the order of time.
type moment int8

const (
	unknownMoment moment = iota
	beforeMoment
	loadedMoment
	duringMoment
	afterMoment
	releasedMoment
	movingMoment
)

func momentOf(m exobench.Moment) moment {
	switch m {
	case exobench.Before:
		return beforeMoment
	case exobench.Loaded:
		return loadedMoment
	case exobench.During:
		return duringMoment
	case exobench.After:
		return afterMoment
	case exobench.Released:
		return releasedMoment
	case exobench.Moving:
		return movingMoment
	}
	return unknownMoment
}

// Add adds a reading, of which it copies what it keeps.
func (l *Line) Add(at exobench.Instant, m exobench.Moment, values exobench.Values) {
	l.add(at, momentOf(m))
	for _, v := range values {
		l.put(v.Quantity, v.Value)
	}
}

func (l *Line) add(at exobench.Instant, m moment) {
	last := len(l.at) - 1
	l.shuffled = l.shuffled || last >= 0 && at <= l.at[last]
	l.at, l.moments = append(l.at, at), append(l.moments, m)
}

// put sets a quantity of the reading that was added last.
func (l *Line) put(q exobench.Quantity, value float64) {
	c := l.column(q)
	if c == nil {
		l.columns = append(l.columns, column{quantity: q})
		c = &l.columns[len(l.columns)-1]
	}
	for len(c.values) < len(l.at)-1 {
		c.values = append(c.values, math.NaN())
	}
	c.values = append(c.values, value)
}

func (l *Line) column(q exobench.Quantity) *column {
	for i := range l.columns {
		if l.columns[i].quantity == q {
			return &l.columns[i]
		}
	}
	return nil
}

// of returns the value of reading i, NaN where it is unknown.
func (c *column) of(i int) float64 {
	if c == nil || i >= len(c.values) {
		return math.NaN()
	}
	return c.values[i]
}

// Len returns the number of readings.
func (l *Line) Len() int { return len(l.at) }

// At returns the instant of reading i, in order of time.
func (l *Line) At(i int) exobench.Instant {
	l.settle()
	return l.at[i]
}

// Value returns a quantity of reading i; it is absent where the reading lacks
// it.
func (l *Line) Value(i int, q exobench.Quantity) (float64, bool) {
	l.settle()
	v := l.column(q).of(i)
	return v, !math.IsNaN(v)
}

// Is reports whether reading i was taken at a moment.
func (l *Line) Is(i int, m exobench.Moment) bool {
	l.settle()
	return l.moments[i] == momentOf(m)
}

// After returns the first reading later than an instant; Len where there is
// none.
func (l *Line) After(at exobench.Instant) int {
	l.settle()
	return sort.Search(len(l.at), func(i int) bool { return l.at[i] > at })
}

// Last returns the last reading of a moment that has one of the quantities; it
// is absent where there is none.
func (l *Line) Last(m exobench.Moment, quantities ...exobench.Quantity) (int, bool) {
	l.settle()
	for i := len(l.at) - 1; i >= 0; i-- {
		has := func(q exobench.Quantity) bool { return !math.IsNaN(l.column(q).of(i)) }
		if l.moments[i] == momentOf(m) && slices.ContainsFunc(quantities, has) {
			return i, true
		}
	}
	return 0, false
}

// Curve returns one quantity over time, without the readings that lack it.
func (l *Line) Curve(q exobench.Quantity) Curve {
	l.settle()
	var c Curve
	values := l.column(q)
	for i, at := range l.at {
		if v := values.of(i); !math.IsNaN(v) {
			c = append(c, Point{at, v})
		}
	}
	return c
}

// settle puts the readings in order of time. Those of one instant are put in an
// order of their values, so that the result does not depend on how they came.
func (l *Line) settle() {
	if !l.shuffled {
		return
	}
	l.shuffled = false
	slices.SortFunc(l.columns, func(a, b column) int { return cmp.Compare(a.quantity, b.quantity) })
	order := make([]int, len(l.at))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, l.compare)
	l.at, l.moments = reordered(l.at, order), reordered(l.moments, order)
	for i := range l.columns {
		c := &l.columns[i]
		for len(c.values) < len(order) {
			c.values = append(c.values, math.NaN())
		}
		c.values = reordered(c.values, order)
	}
}

func (l *Line) compare(i, j int) int {
	order := cmp.Or(cmp.Compare(l.at[i], l.at[j]), cmp.Compare(l.moments[i], l.moments[j]))
	for c := 0; c < len(l.columns) && order == 0; c++ {
		order = cmp.Compare(l.columns[c].of(i), l.columns[c].of(j))
	}
	return order
}

func reordered[T any](values []T, order []int) []T {
	all := make([]T, len(order))
	for to, from := range order {
		all[to] = values[from]
	}
	return all
}
