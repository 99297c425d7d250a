package summary

import (
	"cmp"
	"iter"
	"slices"

	"exobench"
	"exobench/metric"
)

// rows holds what is kept of the OK requests of a block, in the order in which
// they came: each value once, and no request twice.
type rows struct {
	column[row]
	metrics []metric.Metric
	values  []values // by metric
	server  serverValues
	outputs [len(ways)]lengths
	// order is the places of the rows in the order in which they were sent, as far
	// as it was asked for.
	order []int
}

// row is what a request has besides its values.
type row struct {
	span
	prompt int32 // its place among the prompts of the fold
	way    int8  // in which its output tokens were counted
	first  bool  // its prompt had not been sent before
}

// inOrder returns the places of the rows in the order in which they were sent.
func (rs *rows) inOrder() []int {
	if len(rs.order) == rs.n {
		return rs.order
	}
	rs.order = rs.order[:0]
	for i := range rs.n {
		rs.order = append(rs.order, i)
	}
	slices.SortFunc(rs.order, func(i, k int) int { return rs.at(i).compare(rs.at(k).span) })
	return rs.order
}

// span is when a request was under way.
type span struct{ sent, done, ended exobench.Instant }

func (s span) compare(other span) int {
	return cmp.Or(cmp.Compare(s.sent, other.sent), cmp.Compare(s.ended, other.ended), cmp.Compare(s.done, other.done))
}

// serverValues are those of the requests that have the server's own figures,
// besides the metrics.
type serverValues struct {
	output, counted values // output tokens, as the answer and as the server says
	events          values // with output
	// shared is the share of the output events that came in the same read as the
	// one before; firstGap is the gap between the first two reads with output,
	// over the median of the later ones.
	shared, firstGap values
}

// lengths is the numbers of output tokens that were counted in one way.
type lengths struct {
	n                int
	sum, least, most float64
}

// ways are those to count output tokens, the most trusted first.
var ways = [...]exobench.TokensFrom{exobench.FromUsage, exobench.FromStats, exobench.FromEvents}

// mostTokens is beyond what any answer can have.
const mostTokens = 1e9

// What stands for a way where none is told, or an unknown one.
const (
	untoldWay  = -1
	unknownWay = -2
)

func wayOf(from exobench.TokensFrom) int8 {
	if from == "" {
		return untoldWay
	}
	if i := slices.Index(ways[:], from); i >= 0 {
		return int8(i)
	}
	return unknownWay
}

// add keeps what is needed of a request. What only an open loop gives is left
// out where the loop is known to be closed, and so is what cannot be: it returns
// the name of the first such metric.
func (rs *rows) add(r *exobench.Record, prompt int32, closed bool) (wrong string) {
	i := rs.n
	way := wayOf(r.TokensFrom)
	rs.append(row{span{r.Sent, r.Done, r.Ended}, prompt, way, r.Repeat <= 1})
	switch n := r.OutputTokens; {
	case n != nil && (*n < 0 || *n > mostTokens):
		wrong = "output_tokens"
	case n != nil && way >= 0:
		rs.outputs[way].add(float64(*n))
	}
	for m := range rs.metrics {
		if closed && rs.metrics[m].OpenLoop {
			continue
		}
		value, ok := rs.metrics[m].Value(r)
		switch {
		case ok && rs.metrics[m].Possible(value):
			rs.values[m].put(i, value)
		case ok && wrong == "":
			wrong = rs.metrics[m].Name
		}
	}
	if r.Server != nil {
		rs.server.put(i, r)
	}
	return wrong
}

func (v *serverValues) put(i int, r *exobench.Record) {
	v.output.put(i, number(r.OutputTokens))
	v.counted.put(i, number(r.Server.OutputTokens))
	v.events.put(i, float64(len(r.Chunks)))
	shared, firstGap := bunching(r.Chunks)
	v.shared.put(i, shared)
	v.firstGap.put(i, firstGap)
}

func number(n *exobench.Tokens) float64 {
	if n == nil {
		return 0
	}
	return float64(*n)
}

// bunching measures how events share reads, and how long the first of the gaps
// between reads is.
func bunching(chunks exobench.Chunks) (shared, firstGap float64) {
	var space [64]float64
	gaps := space[:0]
	for i := 1; i < len(chunks); i++ {
		if gap := chunks[i].At.Sub(chunks[i-1].At); gap > 0 {
			gaps = append(gaps, gap.Seconds())
		} else {
			shared++
		}
	}
	if len(gaps) > 1 {
		firstGap = gaps[0] / median(gaps[1:])
	}
	return shared / float64(max(1, len(chunks)-1)), firstGap
}

func (l *lengths) add(n float64) {
	l.join(lengths{1, n, n, n})
}

// join adds those of another block.
func (l *lengths) join(other lengths) {
	switch {
	case other.n == 0:
	case l.n == 0:
		*l = other
	default:
		l.n += other.n
		l.sum += other.sum
		l.least, l.most = min(l.least, other.least), max(l.most, other.most)
	}
}

// sample is the rows of all blocks of a cell.
type sample struct {
	blocks  []*block
	n       int
	outputs [len(ways)]lengths
	space   *space
}

func newSample(blocks []*block, space *space) *sample {
	s := &sample{blocks: blocks, space: space}
	for _, b := range blocks {
		s.n += b.ok.n
		for way := range ways {
			s.outputs[way].join(b.ok.outputs[way])
		}
	}
	return s
}

// all returns every request, with its block.
func (s *sample) all() iter.Seq2[*block, *row] {
	return func(yield func(*block, *row) bool) {
		for _, b := range s.blocks {
			for _, r := range b.ok.all() {
				if !yield(b, r) {
					return
				}
			}
		}
	}
}

// inOrder returns the OK requests of each block, with their places in it, in the
// order in which they were sent.
func (s *sample) inOrder() iter.Seq2[*block, int] {
	return func(yield func(*block, int) bool) {
		for _, b := range s.blocks {
			for _, i := range b.ok.inOrder() {
				if !yield(b, i) {
					return
				}
			}
		}
	}
}

// known returns the known values of a metric, by its place, with their requests.
func (s *sample) known(m int) iter.Seq2[*row, float64] {
	return func(yield func(*row, float64) bool) {
		for _, b := range s.blocks {
			for i, value := range b.ok.values[m].known() {
				if !yield(b.ok.at(i), value) {
					return
				}
			}
		}
	}
}

// lengthsOf returns the numbers of output tokens that were counted in the way
// given.
func (s *sample) lengthsOf(from exobench.TokensFrom) lengths {
	if way := wayOf(from); way >= 0 {
		return s.outputs[way]
	}
	return lengths{}
}

// used returns the ways in which output tokens were counted, the most trusted
// first.
func (s *sample) used() []CountedWay {
	var used []CountedWay
	for way, from := range ways {
		if n := s.outputs[way].n; n > 0 {
			used = append(used, CountedWay{from, n})
		}
	}
	return used
}

// from returns the way that most requests used.
func (s *sample) from() exobench.TokensFrom {
	var most CountedWay
	for _, w := range s.used() {
		if w.N > most.N {
			most = w
		}
	}
	return most.From
}

// tokens returns the output tokens of all requests; nil unless each tells its
// number and all were counted in one way.
func (s *sample) tokens() *float64 {
	used := s.used()
	if len(used) != 1 || used[0].N != s.n {
		return nil
	}
	return new(s.lengthsOf(used[0].From).sum)
}
