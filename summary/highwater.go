package summary

import "exobench"

// HighWater is the most memory that the kernel itself saw, which no reading can miss.
// It is kept since the processes, or the control group, began: without Rose it may be
// from before the requests.
type HighWater struct {
	// Processes is the sum of the marks of the engine's processes, put where memory
	// is: the proportional size after the load, and what the marks are above the
	// resident one. Where several processes had theirs at different times, they never
	// had as much together.
	Processes *exobench.Bytes `json:"processes_bytes"`
	// Rose is set where that mark rose while requests were under way: so much is
	// then of these requests.
	Rose bool `json:"rose"`
	// Cgroup is the mark of the engine's own control group where it rose while
	// requests were under way. It holds files in the kernel's cache.
	Cgroup *exobench.Bytes `json:"cgroup_bytes"`
}

// What the kernel saw above the greatest reading is worth a doubt from missedShare of
// it and missedBytes on: the kernel counts resident pages with an error of some
// hundred KiB for each core.
const (
	missedShare = 0.02
	missedBytes = 8 << 20
)

// mark is a high-water mark at the end of some requests, and whether it rose in them.
type mark struct {
	reading int
	size    float64
	rose    bool
}

// markOf returns the mark of a quantity at the first reading of it after the requests
// of a time, or else at the last in it. It is absent where nothing was read before
// them, or where the process changed.
func (m *memory) markOf(q exobench.Quantity, w window) (mark, bool) {
	if !w.from.Reached() {
		return mark{}, false
	}
	first, last := -1, -1
	for i := range m.line.Len() {
		if _, told := m.line.Value(i, q); !told || m.line.Is(i, exobench.Released) {
			continue
		}
		if m.line.At(i) <= w.from {
			first = i
			continue
		}
		if last = i; m.line.At(i) >= w.to {
			break
		}
	}
	if first < 0 || last < 0 || m.line.Is(first, exobench.Before) || m.processOf(first).differs(m.processOf(last)) {
		return mark{}, false
	}
	before, _ := m.line.Value(first, q)
	after, _ := m.line.Value(last, q)
	return mark{last, after, after > before}, true
}

// markOfProcesses returns the mark of what counts: of footprints on macOS, of
// resident sizes elsewhere.
func (m *memory) markOfProcesses(w window) (mark, bool) {
	if at, ok := m.markOf(exobench.FootprintPeak, w); ok {
		return at, true
	}
	return m.markOf(exobench.RSSPeak, w)
}

// related puts a mark where memory is, as total does: a footprint is there, a sum of
// resident sizes may not be.
func (m *memory) related(at mark) exobench.Bytes {
	if b, ok := m.bases[m.processOf(at.reading)]; ok {
		return b.proportional + bytesOf(at.size) - b.resident
	}
	return bytesOf(at.size)
}

// highWater returns what the kernel saw while the requests of blocks were under way;
// nil where it does not tell. A mark that rose goes before one that did not.
func (f *Fold) highWater(blocks []*block) *HighWater {
	var h HighWater
	for _, b := range blocks {
		m := f.steps[b.Step].memory()
		if at, ok := m.markOfProcesses(b.window()); ok {
			size := m.related(at)
			if h.Processes == nil || at.rose && !h.Rose || at.rose == h.Rose && size > *h.Processes {
				h.Processes, h.Rose = &size, at.rose
			}
		}
		if at, ok := m.markOf(exobench.CgroupPeak, b.window()); ok && at.rose && (h.Cgroup == nil || bytesOf(at.size) > *h.Cgroup) {
			h.Cgroup = new(bytesOf(at.size))
		}
	}
	if h == (HighWater{}) {
		return nil
	}
	return &h
}

// peakMissed reports whether the kernel saw more than the readings did, by enough to
// matter.
func peakMissed(c *Cell) (PeakMissed, bool) {
	h := c.HighWater
	if h == nil || !h.Rose || c.Memory.Peak == nil || c.Memory.Source == FromNode {
		return PeakMissed{}, false
	}
	read := c.Memory.Peak.Total
	missed := *h.Processes - read
	return PeakMissed{read, *h.Processes}, missed > max(missedBytes, exobench.Bytes(missedShare*float64(read)))
}

// What the engine has swapped out is worth a doubt from swappedShare of its memory
// and swappedBytes on.
const (
	swappedShare = 0.01
	swappedBytes = 4 << 20
)

// swapped returns the most that the engine had swapped out from its load until an
// instant, where that matters.
func (m *memory) swapped(until exobench.Instant) (Swapped, bool) {
	if m.loaded == nil {
		return Swapped{}, false
	}
	most := exobench.Bytes(0)
	for i := range m.line.Len() {
		if m.line.Is(i, exobench.Before) || m.line.Is(i, exobench.Released) || m.line.At(i) > until && !m.line.Is(i, exobench.Loaded) {
			continue
		}
		if size := m.bytes(i, exobench.Swap); size != nil {
			most = max(most, *size)
		}
	}
	return Swapped{most, m.loaded.Total}, most >= swappedBytes && float64(most) >= swappedShare*float64(m.loaded.Total)
}
