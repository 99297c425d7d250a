package summary

import (
	"slices"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// Peek is how a cell is doing.
type Peek struct {
	Requests, N int
	Outcomes    map[exobench.Outcome]int
	// LastError is that of the request that was added last of those that have
	// one.
	LastError string
	// TokenRate and Latency are the medians over the OK requests, in tokens/s and
	// seconds; nil where none gives them. Tokens that were counted in different
	// ways are not told apart.
	TokenRate, Latency *float64
}

// Peek returns how a cell is doing, without a snapshot. What came since the last
// peek at the cell is sorted and merged with what was there: of n requests, k of
// them new, it takes the time of copying n numbers and of sorting k.
func (f *Fold) Peek(cell int) Peek {
	p := Peek{Outcomes: map[exobench.Outcome]int{}}
	c := f.cells[cell]
	if c == nil {
		return p
	}
	blocks := f.blocksOf()[cell]
	for id := range c.peek.rates.seen {
		if f.replaced(f.blocks[id]) {
			c.peek = peeking{}
			break
		}
	}
	for _, b := range blocks {
		p.Requests += b.requests
		p.N += b.ok.n
		for outcome, n := range b.outcomes {
			p.Outcomes[outcome] += n
		}
		if b.lastError != "" {
			p.LastError = b.lastError
		}
		c.peek.rates.take(b, f.place(metric.TokenRate))
		c.peek.latencies.take(b, f.place(metric.Latency))
	}
	p.TokenRate, p.Latency = c.peek.rates.median(), c.peek.latencies.median()
	return p
}

// peeking is what the peeks at a cell keep.
type peeking struct{ rates, latencies running }

// running is the values of one metric that were seen, sorted.
type running struct {
	sorted []float64
	seen   map[int]int // how many places of each block
}

// take adds what is new in a block.
func (r *running) take(b *block, place int) {
	if r.seen == nil {
		r.seen = map[int]int{}
	}
	column := &b.ok.values[place]
	var fresh []float64
	for i := r.seen[b.ID]; i < column.n; i++ {
		if v, ok := column.value(i); ok {
			fresh = append(fresh, v)
		}
	}
	r.seen[b.ID] = column.n
	slices.Sort(fresh)
	r.merge(fresh)
}

// merge adds sorted values, from the greatest down.
func (r *running) merge(fresh []float64) {
	i, j := len(r.sorted)-1, len(fresh)-1
	r.sorted = append(r.sorted, fresh...)
	for to := len(r.sorted) - 1; j >= 0; to-- {
		if i >= 0 && r.sorted[i] > fresh[j] {
			r.sorted[to] = r.sorted[i]
			i--
		} else {
			r.sorted[to] = fresh[j]
			j--
		}
	}
}

func (r *running) median() *float64 {
	m, ok := stat.Sorted(r.sorted).Median()
	if !ok {
		return nil
	}
	return &m
}
