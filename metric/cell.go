package metric

import (
	"time"

	"exobench"
)

// Totals is what the requests of a cell come to together: what the metrics of
// a cell are made of.
type Totals struct {
	// OK is how many requests were OK.
	OK int
	// Wall is the time from the first sent to the last done, summed over the
	// cell's blocks; 0 where it is unknown or nothing was OK. UnderWay is the
	// time that each request was under way, summed.
	Wall, UnderWay time.Duration
	// Tokens is the output tokens of the OK requests; nil unless each tells its
	// number and all were counted in one way.
	Tokens *float64
	// Energy is that over Wall by the source of power that was chosen, in joules, and
	// EnergyAboveIdle the same less that of the idle machine; nil where unknown.
	Energy, EnergyAboveIdle *float64
	// Before, Loaded and Peak are memory; nil where unknown.
	Before, Loaded, Peak *exobench.Bytes
	// GPU is nil where no GPU was read.
	GPU *GPUTotals
	// Ceiling is the most tokens/s that one request can have, and Decode the median
	// that requests had; nil where unknown.
	Ceiling, Decode *float64
	// Loading and Downloading are nil where no load was timed.
	Loading, Downloading *time.Duration
}

// GPUTotals is memory on GPUs; each is nil where unknown. Apart is set where it is
// no part of the engine's main memory, so that what it grew by is additional.
type GPUTotals struct {
	Before, Loaded, Peak *exobench.Bytes
	Apart                bool
}

func wallTime(t *Totals) (float64, bool) { return t.Wall.Seconds(), t.Wall > 0 }

func delivered(t *Totals) (float64, bool) { return over(t.UnderWay.Seconds(), t) }

func requestRate(t *Totals) (float64, bool) { return over(float64(t.OK), t) }

func throughput(t *Totals) (float64, bool) {
	if t.Tokens == nil {
		return 0, false
	}
	return over(*t.Tokens, t)
}

// over divides by the wall time.
func over(value float64, t *Totals) (float64, bool) {
	if t.Wall <= 0 {
		return 0, false
	}
	return value / t.Wall.Seconds(), true
}

func energyOfCell(t *Totals) (float64, bool) {
	if t.Energy == nil {
		return 0, false
	}
	return *t.Energy, true
}

func energyPerToken(t *Totals) (float64, bool) { return perToken(t, t.Energy) }

func energyAboveIdlePerToken(t *Totals) (float64, bool) { return perToken(t, t.EnergyAboveIdle) }

func perToken(t *Totals, joules *float64) (float64, bool) {
	if joules == nil || t.Tokens == nil || *t.Tokens <= 0 {
		return 0, false
	}
	return *joules / *t.Tokens, true
}

func decodeCeiling(t *Totals) (float64, bool) {
	if t.Ceiling == nil {
		return 0, false
	}
	return *t.Ceiling, true
}

func shareOfCeiling(t *Totals) (float64, bool) {
	if t.Ceiling == nil || t.Decode == nil || *t.Ceiling <= 0 {
		return 0, false
	}
	return *t.Decode / *t.Ceiling, true
}

func loadTime(t *Totals) (float64, bool) { return span(t.Loading) }

func downloadTime(t *Totals) (float64, bool) { return span(t.Downloading) }

func span(d *time.Duration) (float64, bool) {
	if d == nil {
		return 0, false
	}
	return d.Seconds(), true
}

func memoryBefore(t *Totals) (float64, bool) { return amount(t.Before) }

func memoryLoaded(t *Totals) (float64, bool) { return amount(t.Loaded) }

func memoryPeak(t *Totals) (float64, bool) { return amount(t.Peak) }

func memoryModel(t *Totals) (float64, bool) {
	g := t.gpu()
	return g.add(t.Before, t.Loaded, g.Before, g.Loaded)
}

func memoryInference(t *Totals) (float64, bool) {
	g := t.gpu()
	return g.add(t.Loaded, t.Peak, g.Loaded, g.Peak)
}

func memoryAdditional(t *Totals) (float64, bool) {
	g := t.gpu()
	return g.add(t.Before, t.Peak, g.Before, g.Peak)
}

func gpuMemoryBefore(t *Totals) (float64, bool) { return amount(t.gpu().Before) }

func gpuMemoryLoaded(t *Totals) (float64, bool) { return amount(t.gpu().Loaded) }

func gpuMemoryPeak(t *Totals) (float64, bool) { return amount(t.gpu().Peak) }

// gpu returns the memory on GPUs, nothing where none was read.
func (t *Totals) gpu() GPUTotals {
	if t.GPU == nil {
		return GPUTotals{}
	}
	return *t.GPU
}

// add returns what main memory grew by, and GPU memory where it is apart.
func (g GPUTotals) add(from, to, gpuFrom, gpuTo *exobench.Bytes) (float64, bool) {
	grew, known := growth(from, to)
	if !g.Apart {
		return grew, known
	}
	more, told := growth(gpuFrom, gpuTo)
	return grew + more, known && told
}

func amount(b *exobench.Bytes) (float64, bool) {
	if b == nil {
		return 0, false
	}
	return float64(*b), true
}

func growth(from, to *exobench.Bytes) (float64, bool) {
	if from == nil || to == nil {
		return 0, false
	}
	return float64(*to - *from), true
}
