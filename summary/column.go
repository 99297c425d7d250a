package summary

import (
	"iter"
	"math"

	"exobench/stat"
)

// column is values of one kind, one for each request of a block. It grows by blocks:
// what is there is not copied, and little is spare.
type column[T any] struct {
	blocks [][]T // all but the last have blockLength values
	n      int
}

const blockLength = 4096

func (c *column[T]) append(value T) {
	last := c.n / blockLength
	switch {
	case last < len(c.blocks):
	case last == 0:
		c.blocks = append(c.blocks, nil) // most blocks are small: this one grows
	default:
		c.blocks = append(c.blocks, make([]T, 0, blockLength))
	}
	c.blocks[last] = append(c.blocks[last], value)
	c.n++
}

func (c *column[T]) at(i int) *T { return &c.blocks[i/blockLength][i%blockLength] }

// all returns the values with their places.
func (c *column[T]) all() iter.Seq2[int, *T] {
	return func(yield func(int, *T) bool) {
		for b, block := range c.blocks {
			for i := range block {
				if !yield(b*blockLength+i, &block[i]) {
					return
				}
			}
		}
	}
}

// values is a column of numbers, which not every request has: NaN stands for one
// that is unknown, and no place is taken after the last that is known.
type values struct{ column[float64] }

// put sets the value of request i, which comes after all that have one.
func (v *values) put(i int, value float64) {
	for v.n < i {
		v.append(math.NaN())
	}
	v.append(value)
}

// value returns the value of request i; it is absent where it is unknown.
func (v *values) value(i int) (float64, bool) {
	if i >= v.n || math.IsNaN(*v.at(i)) {
		return 0, false
	}
	return *v.at(i), true
}

// of returns the value of request i, 0 where it is unknown.
func (v *values) of(i int) float64 {
	value, _ := v.value(i)
	return value
}

// known returns the known values with their places.
func (v *values) known() iter.Seq2[int, float64] {
	return func(yield func(int, float64) bool) {
		for i, value := range v.all() {
			if !math.IsNaN(*value) && !yield(i, *value) {
				return
			}
		}
	}
}

// space is where values are put together and sorted, those of one metric after
// those of another, and what client and server say of the requests of one cell
// after that of another.
type space struct {
	floats    []float64
	observed  []stat.Observation
	exchanges []exchange
	giving    []*exchange
}

// empty returns an empty slice with room for n values, in place of what was
// returned before.
func (s *space) empty(n int) []float64 {
	if cap(s.floats) < n {
		s.floats = make([]float64, 0, n)
	}
	return s.floats[:0]
}

// parts returns an empty slice for each of the sizes, in place of the observations
// that were put together before.
func (s *space) parts(sizes ...int) [][]stat.Observation {
	total := 0
	for _, n := range sizes {
		total += n
	}
	if cap(s.observed) < total {
		s.observed = make([]stat.Observation, 0, total)
	}
	room := s.observed[:0]
	parts := make([][]stat.Observation, len(sizes))
	for i, n := range sizes {
		parts[i], room = room[0:0:n], room[n:n:cap(room)]
	}
	return parts
}
