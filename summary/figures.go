package summary

import (
	"math"
	"slices"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// cell is a Cell under construction.
type cell struct {
	exobench.Cell
	known bool
	// figures are what the blocks came to when they had the stamps and the fold
	// its version.
	figures Cell
	totals  metric.Totals
	stamps  []stamp
	version int
	chosen  string // the source of its energies
	peek    peeking
}

// measure works the figures of a cell out, where anything that they depend on
// has changed. The blocks are the cell's, in order.
func (f *Fold) measure(c *cell, blocks []*block) {
	stamps := make([]stamp, len(blocks))
	for i, b := range blocks {
		stamps[i] = b.stamp(f.steps[b.Step])
	}
	chosen := f.chosen[c.Engine]
	if c.figures.Outcomes != nil && c.version == f.version && c.chosen == chosen && slices.Equal(c.stamps, stamps) {
		return
	}
	c.stamps, c.version, c.chosen = stamps, f.version, chosen
	s := newSample(blocks, &f.space)
	cell := Cell{
		ID: c.ID, Subject: Subject{c.Engine, c.Model.Name}, Traffic: c.Traffic, Stop: c.Stop,
		N: s.n, Outcomes: map[exobench.Outcome]int{}, Errors: map[exobench.Outcome]string{}, TokensFrom: s.from(),
	}
	cell.count(blocks)
	cell.Metrics = s.summaries(f.metrics, &cell)
	cell.Until = untilOf(&cell, blocks)
	f.addMemory(&cell, s)
	cell.HighWater = f.highWater(blocks)
	cell.KVCache = f.kvCache(&cell, tally(blocks).longest)
	f.addEnergy(&cell, s)
	c.totals = f.totals(&cell, s)
	cell.Ceiling = f.ceilingOf(&cell, blocks)
	if cell.Ceiling != nil {
		c.totals.Ceiling = new(cell.Ceiling.Rate())
		if rate, ok := cell.Metric(metric.TokenRate); ok {
			c.totals.Decode = &rate.Median
		}
	}
	cell.Values = valuesOf(&c.totals)
	compared := s.exchanges(f, cell.TokensFrom)
	cell.ClientServer = compared.clientServer()
	cell.Prompts = s.prompts(f, cell.TokensFrom)
	cell.Delay, cell.Machine = delayOf(blocks), machineOf(blocks)
	cell.Calibration = f.calibrationOf(&cell, blocks)
	for _, doubt := range slices.Concat(doubtRequests(f, &cell, s), doubtCourse(f, &cell, s), doubtShared(f, &cell, blocks), doubtMemory(f, &cell, blocks), doubtCeiling(&cell), doubtServer(f.habitsOf(cell.Engine), &cell, compared), doubtHarness(&cell), doubtMachine(&cell, f.ours(blocks)), doubtEnergy(&cell)) {
		cell.Warnings = append(cell.Warnings, Warning{Kind: doubt.kind(), Cell: c.ID, Figures: doubt})
	}
	c.figures = cell
}

// count adds up what does not need the rows.
func (c *Cell) count(blocks []*block) {
	first := map[exobench.Outcome]firstError{}
	for _, b := range blocks {
		c.Requests += b.requests
		if b.end != nil && !slices.Contains(c.Ends, b.end.Reason) {
			c.Ends = append(c.Ends, b.end.Reason)
		}
		for outcome, n := range b.outcomes {
			c.Outcomes[outcome] += n
		}
		for outcome, e := range b.errors {
			if seen, ok := first[outcome]; !ok || e.seq < seen.seq {
				first[outcome] = e
			}
		}
	}
	for outcome, e := range first {
		c.Errors[outcome] = e.text
	}
	t := tally(blocks)
	switch {
	case c.Requests == 0:
	case t.cached > 0:
		c.Cache = CacheWarm
	case t.cold > 0 && t.cold == c.N:
		c.Cache = CacheCold
	default:
		c.Cache = CacheUnknown
	}
}

// memoryMetrics are those of one request's memory.
var memoryMetrics = [...]string{metric.MemoryPeak, metric.MemoryInference, metric.MemoryAdditional, metric.GPUMemoryPeak}

// addMemory adds the memory of each OK request, and that of the one with the
// greatest peak: of equal ones the first, of unknown ones the last.
func (f *Fold) addMemory(c *Cell, s *sample) {
	// In the order of the metrics, not a number where unknown.
	all := make([][len(memoryMetrics)]float64, 0, s.n)
	var chosen struct {
		span
		peak
		memory *memory
		gpus   *gpus
	}
	var m *memory
	var g *gpus
	var around stepGPU
	var of *block
	for b, i := range s.inOrder() {
		r := b.ok.at(i)
		if b != of {
			of, m, g = b, f.steps[b.Step].memory(), f.steps[b.Step].gpus()
			around = g.sums()
		}
		p := m.during(r.span)
		held, read := g.during(r.span)
		one := [len(memoryMetrics)]float64{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
		if read {
			one[3] = float64(held)
			if around.apart {
				p.gpu = held
			}
		}
		if p.known {
			one[0] = float64(p.total)
		}
		if p.known && (read || !around.apart) {
			before, loaded := m.around(p.reading)
			if more, known := around.since(around.loaded, held); known && loaded != nil {
				one[1] = float64(p.total - loaded.Total + more)
			}
			if more, known := around.since(around.before, held); known && before != nil {
				one[2] = float64(p.total - before.Total + more)
			}
		}
		all = append(all, one)
		if chosen.memory == nil || p.above(chosen.peak, r.span.compare(chosen.span)) {
			chosen.span, chosen.peak, chosen.memory, chosen.gpus = r.span, p, m, g
		}
	}
	for k, name := range memoryMetrics {
		observations, n := s.space.observed[:0], 0
		for b, i := range s.inOrder() {
			if value := all[n][k]; !math.IsNaN(value) {
				observations = append(observations, stat.Observation{Value: value, Stratum: int(b.ok.at(i).prompt), Block: b.Step})
			}
			n++
		}
		s.space.observed = observations
		if described, ok := s.describe(observations); ok {
			c.Metrics[name] = described
		}
	}
	if chosen.memory != nil {
		c.Memory = chosen.memory.of(chosen.span, chosen.peak)
		c.Memory.GPU = chosen.gpus.of(chosen.span)
	}
}

// above reports whether a peak is greater than another; order compares when
// their requests were under way.
func (p peak) above(other peak, order int) bool {
	switch {
	case !p.known || !other.known:
		return p.known || !other.known && order > 0
	case p.total+p.gpu != other.total+other.gpu:
		return p.total+p.gpu > other.total+other.gpu
	}
	return order < 0
}

// totals adds up what the metrics of the cell as a whole are made of, all but
// the times of loads.
func (f *Fold) totals(c *Cell, s *sample) metric.Totals {
	t := metric.Totals{OK: c.N, Tokens: s.tokens()}
	for _, b := range s.blocks {
		t.UnderWay += b.underWay
		if !b.sent.Reached() || b.done <= b.sent {
			continue
		}
		t.Wall += b.done.Sub(b.sent)
	}
	if t.Wall == 0 || c.N == 0 {
		t.Wall = 0
		return t
	}
	if len(c.Energy) > 0 && c.Energy[0].Chosen {
		// Requests under way together share the machine, so theirs do not add up.
		t.Energy, t.EnergyAboveIdle = c.Energy[0].Joules, c.Energy[0].AboveIdle
	}
	for _, amount := range []struct {
		of *Level
		to **exobench.Bytes
	}{{c.Memory.Before, &t.Before}, {c.Memory.Loaded, &t.Loaded}, {c.Memory.Peak, &t.Peak}} {
		if amount.of != nil {
			*amount.to = &amount.of.Total
		}
	}
	if g := c.Memory.GPU; g != nil {
		t.GPU = &metric.GPUTotals{Before: g.Before, Loaded: g.Loaded, Peak: g.Peak, Apart: g.apart()}
	}
	return t
}

// valuesOf works out every metric of a cell as a whole.
func valuesOf(t *metric.Totals) map[string]float64 {
	values := map[string]float64{}
	for _, m := range metric.PerCell() {
		if v, ok := m.OfCell(t); ok {
			values[m.Name] = v
		}
	}
	return values
}

// medianSpan returns the median of spans; nil where there are none.
func medianSpan(spans []time.Duration) *time.Duration {
	if len(spans) == 0 {
		return nil
	}
	seconds := make([]float64, len(spans))
	for i, d := range spans {
		seconds[i] = float64(d)
	}
	return new(time.Duration(median(seconds)))
}
