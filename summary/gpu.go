package summary

import (
	"exobench"
	"exobench/timeline"
)

// gpuSensor is the name of the sensor of this host's GPUs.
const gpuSensor = "gpu"

// GPUSource says what an amount of GPU memory counts.
type GPUSource string

// The sources.
const (
	// FromGPUProcesses is what the driver says that the engine's processes hold.
	FromGPUProcesses GPUSource = "processes"
	// FromGPUDevice is all memory in use on the GPUs, whoever uses it, where the
	// driver does not tell of the engine's processes, or of less than came in use:
	// only what it grew by can be taken for the engine's.
	FromGPUDevice GPUSource = "device"
)

// GPUMemory is the memory that is counted as the engine's on GPUs, summed over
// them, at the moments of a RequestMemory. Each is nil where unknown.
type GPUMemory struct {
	Source GPUSource `json:"source"`
	// Unified is set where the GPUs work in the host's memory: what they hold may be
	// in that of the engine's processes, and is in no sum with it.
	Unified bool            `json:"unified"`
	Before  *exobench.Bytes `json:"before_bytes"`
	Loaded  *exobench.Bytes `json:"loaded_bytes"`
	Peak    *exobench.Bytes `json:"peak_bytes"`
}

// StepGPU is what one GPU did in a step. Each figure is nil where unknown.
type StepGPU struct {
	ID      string    `json:"gpu"`
	Source  GPUSource `json:"memory_source"`
	Unified bool      `json:"unified"`
	// Before, Loaded and Peak are of the memory that Source says, as in Node; Used
	// is the greatest of all in use on the GPU in the time of Peak, and Total the
	// GPU's memory.
	Before *exobench.Bytes `json:"memory_before_bytes"`
	Loaded *exobench.Bytes `json:"memory_loaded_bytes"`
	Peak   *exobench.Bytes `json:"memory_peak_bytes"`
	Used   *exobench.Bytes `json:"memory_used_bytes"`
	Total  *exobench.Bytes `json:"memory_total_bytes"`
	// Busy (0 to 1), Power in watts, Clock in Hz and Throttled, the share of the time
	// in which the GPU was slower than it could be for its power or its heat, are
	// means as those of Node; MaxTemperature is in °C.
	Busy           *float64 `json:"busy_mean_share"`
	Power          *float64 `json:"power_mean_watts"`
	MaxTemperature *float64 `json:"temperature_max_celsius"`
	Clock          *float64 `json:"clock_mean_hz"`
	Throttled      *float64 `json:"throttled_share"`
	// Reasons are all reasons for its clocks that were told of in that time; see
	// exobench.GPUThrottleReasons.
	Reasons uint64 `json:"throttle_reasons"`
}

// gpus are the GPUs of a step: those that count as the engine's GPU memory, which
// are the ones with memory of their own where there are any.
type gpus struct {
	all, counted []gpuLine
	source       GPUSource
	unified      bool
}

// gpuLine is the readings of one GPU.
type gpuLine struct {
	id             string
	line           *timeline.Line
	source         GPUSource
	unified        bool
	before, loaded *exobench.Bytes
}

// The memory in use on a GPU may move by these without the engine, whichever is
// greater.
const (
	gpuStillShare = 0.01
	gpuStillBytes = 64 << 20
)

func newGPUs(readings *timeline.Set) *gpus {
	g := &gpus{unified: true, source: FromGPUProcesses}
	for _, id := range readings.Of(gpuSensor) {
		l := gpuLine{id: id, line: readings.Line(gpuSensor, id)}
		l.unified = len(l.line.Curve(exobench.GPUUnified)) > 0
		l.source = sourceOfGPU(l.line)
		l.before, l.loaded = l.last(exobench.Before), l.last(exobench.Loaded)
		g.all = append(g.all, l)
		g.unified = g.unified && l.unified
	}
	for _, l := range g.all {
		if l.unified == g.unified && l.source != "" {
			g.counted = append(g.counted, l)
			if l.source == FromGPUDevice {
				g.source = FromGPUDevice
			}
		}
	}
	return g
}

// sourceOfGPU decides what counts: what the processes hold where they hold any, or
// where that they hold nothing agrees with the device; empty where nothing is told.
func sourceOfGPU(line *timeline.Line) GPUSource {
	held := line.Curve(exobench.GPUEngine)
	for _, p := range held {
		if p.Value > 0 {
			return FromGPUProcesses
		}
	}
	used := line.Curve(exobench.GPUUsed)
	if len(used) == 0 {
		if len(held) > 0 {
			return FromGPUProcesses
		}
		return ""
	}
	if len(held) == 0 {
		return FromGPUDevice
	}
	least, most := used[0].Value, used[0].Value
	for _, p := range used {
		least, most = min(least, p.Value), max(most, p.Value)
	}
	if most-least > max(gpuStillBytes, gpuStillShare*least) {
		return FromGPUDevice
	}
	return FromGPUProcesses
}

func (l *gpuLine) quantity() exobench.Quantity {
	if l.source == FromGPUDevice {
		return exobench.GPUUsed
	}
	return exobench.GPUEngine
}

// last returns the memory at the last reading of a moment.
func (l *gpuLine) last(m exobench.Moment) *exobench.Bytes {
	i, ok := l.line.Last(m, l.quantity())
	if !ok {
		return nil
	}
	v, _ := l.line.Value(i, l.quantity())
	return new(bytesOf(v))
}

// around returns the memory before and after the load, summed over the GPUs.
func (g *gpus) around() (before, loaded *exobench.Bytes) {
	before, loaded = new(exobench.Bytes), new(exobench.Bytes)
	for i := range g.counted {
		before, loaded = add(before, g.counted[i].before), add(loaded, g.counted[i].loaded)
	}
	return before, loaded
}

// add adds two amounts; the sum is nil where one is.
func add(a, b *exobench.Bytes) *exobench.Bytes {
	if a == nil || b == nil {
		return nil
	}
	return new(*a + *b)
}

// during returns the greatest memory while a request was under way, as that of
// processes, summed over the GPUs: each has a reading of its own.
func (g *gpus) during(s span) (sum exobench.Bytes, known bool) {
	if len(g.counted) == 0 || !s.sent.Reached() || !s.ended.Reached() {
		return 0, false
	}
	for i := range g.counted {
		most := greatest(g.counted[i].line, g.counted[i].quantity(), window{s.sent, s.ended})
		if most == nil {
			return 0, false
		}
		sum += bytesOf(*most)
	}
	return sum, true
}

// of returns the GPU memory around a request; nil where no GPU was read.
func (g *gpus) of(s span) *GPUMemory {
	if len(g.counted) == 0 || !s.sent.Reached() || !s.ended.Reached() {
		return nil
	}
	m := &GPUMemory{Source: g.source, Unified: g.unified}
	m.Before, m.Loaded = g.around()
	if peak, known := g.during(s); known {
		m.Peak = &peak
	}
	return m
}

// apart reports whether GPU memory is added to that of processes.
func (m *GPUMemory) apart() bool { return m != nil && !m.Unified }

// stepGPU is the GPU memory of a step around its load, for sums with that of
// processes.
type stepGPU struct {
	before, loaded *exobench.Bytes
	apart          bool
}

func (g *gpus) sums() stepGPU {
	s := stepGPU{apart: len(g.counted) > 0 && !g.unified}
	s.before, s.loaded = g.around()
	return s
}

// since returns what GPU memory adds to the growth of main memory: none where it is
// not apart.
func (s stepGPU) since(from *exobench.Bytes, held exobench.Bytes) (exobench.Bytes, bool) {
	switch {
	case !s.apart:
		return 0, true
	case from == nil:
		return 0, false
	}
	return held - *from, true
}

// loads reports whether the load of a model moved GPU memory.
func (g *gpus) loads() bool {
	before, loaded := g.around()
	return len(g.counted) > 0 && before != nil && loaded != nil && *loaded-*before > still(*before)
}

// described are the GPUs of a step; its requests were measured in a window.
func (g *gpus) described(measured window) []StepGPU {
	var all []StepGPU
	for i := range g.all {
		l := &g.all[i]
		d := StepGPU{ID: l.id, Source: l.source, Unified: l.unified, Before: l.before, Loaded: l.loaded}
		if c := l.line.Curve(exobench.GPUTotal); len(c) > 0 {
			d.Total = new(bytesOf(c[len(c)-1].Value))
		}
		if measured.from.Reached() {
			d.Busy, d.Power = mean(l.line, exobench.GPUBusy, measured), mean(l.line, exobench.GPUPower, measured)
			if d.Power == nil {
				d.Power = mean(l.line, exobench.GPUPowerAverage, measured)
			}
			d.Clock, d.Throttled = mean(l.line, exobench.GPUClock, measured), mean(l.line, exobench.GPUThrottled, measured)
			d.MaxTemperature = greatest(l.line, exobench.GPUTemperature, measured)
			d.Peak, d.Used = size(greatest(l.line, l.quantity(), measured)), size(greatest(l.line, exobench.GPUUsed, measured))
			d.Reasons = reasons(l.line, measured)
		}
		all = append(all, d)
	}
	return all
}

func size(v *float64) *exobench.Bytes {
	if v == nil {
		return nil
	}
	return new(bytesOf(*v))
}

// reasons joins the reasons for a GPU's clocks in a time.
func reasons(line *timeline.Line, w window) (all uint64) {
	for i := line.After(w.from); i < line.Len() && line.At(i) <= w.to; i++ {
		if v, ok := line.Value(i, exobench.GPUThrottleReasons); ok && v < 1<<53 {
			all |= uint64(v)
		}
	}
	return all
}
