package summary

import (
	"maps"
	"math"
	"slices"

	"exobench"
	"exobench/timeline"
)

// The names of the sensors whose samples have a meaning here.
const (
	processSensor = "processes"
	nodeSensor    = "nodes"
	machineSensor = "machine"
	runnerSensor  = "runners"
)

// memory is the engine's memory in one step: that of its processes, or where
// nobody reads them all that is in use on its nodes.
type memory struct {
	line           *timeline.Line
	source         MemorySource
	before, loaded *Level
	// released is that after the release, where it can be compared with before.
	released *Level
	// from is before where it is what loaded and later readings can be compared
	// with: of the same process, and not above loaded.
	from *Level
	// process is that of loaded.
	process process
	// processes are of which process each reading is; nil where all are of one.
	processes []process
	// bases are, for each process, the sizes of its first reading of both kinds;
	// for that of loaded, those of loaded.
	bases map[process]base
	// sources are the kinds of reading seen; more than one cannot be compared.
	sources []MemorySource
}

// process numbers the processes of a step's readings from 1.
type process int

const (
	// unknownProcess is what is not told of; it may be any.
	unknownProcess process = 0
	// noProcess is of a reading that found none.
	noProcess process = -1
)

// differs reports whether two readings are of two processes.
func (p process) differs(other process) bool {
	return p != other && p != unknownProcess && other != unknownProcess
}

// base is the memory of a process at a moment.
type base struct{ proportional, resident exobench.Bytes }

func newMemory(readings *timeline.Set) *memory {
	m := &memory{line: readings.Line(processSensor, "")}
	if m.line.Len() == 0 {
		m.line = readings.Together(nodeSensor, exobench.NodeUsed)
	} else {
		m.processes = identify(m.line)
	}
	m.findBases()
	before := unknownProcess
	if i, ok := m.last(exobench.Before); ok {
		m.before, m.source = m.level(i)
		before = m.processOf(i)
	}
	if i, ok := m.last(exobench.Loaded); ok {
		level, source := m.level(i)
		if m.loaded = level; m.source == "" {
			m.source = source
		}
		m.process = m.processOf(i)
	}
	if m.before != nil && !before.differs(m.process) && (m.loaded == nil || !m.fell(m.before.Total, m.loaded.Total)) {
		m.from = m.before
	}
	if i, ok := m.last(exobench.Released); ok && !before.differs(m.processOf(i)) {
		m.released, _ = m.level(i)
	}
	m.sources = m.seen()
	if m.source == "" && len(m.sources) > 0 {
		m.source = m.sources[0]
	}
	return m
}

// identify tells the processes of readings apart; it returns nil where all are of
// one.
func identify(line *timeline.Line) []process {
	type id struct{ pid, started float64 }
	known := map[id]process{}
	all := make([]process, line.Len())
	several := false
	for i := range all {
		pid, told := line.Value(i, exobench.Process)
		started, _ := line.Value(i, exobench.ProcessStarted)
		_, proportional := line.Value(i, exobench.PSS)
		_, resident := line.Value(i, exobench.RSS)
		switch {
		case !proportional && !resident:
			all[i] = noProcess
		case told:
			if known[id{pid, started}] == 0 {
				known[id{pid, started}] = process(len(known) + 1)
			}
			all[i] = known[id{pid, started}]
		}
		several = several || all[i] == noProcess || len(known) > 1
	}
	if !several {
		return nil
	}
	return all
}

// processOf returns the process of reading i.
func (m *memory) processOf(i int) process {
	if m.processes == nil {
		return unknownProcess
	}
	return m.processes[i]
}

// findBases finds what resident sizes can be related to.
func (m *memory) findBases() {
	m.bases = map[process]base{}
	add := func(i int) {
		proportional, known := m.line.Value(i, exobench.PSS)
		resident, both := m.line.Value(i, exobench.RSS)
		if known && both {
			m.bases[m.processOf(i)] = base{bytesOf(proportional), bytesOf(resident)}
		}
	}
	loaded, ok := m.last(exobench.Loaded)
	if ok {
		add(loaded)
	}
	if m.processes == nil {
		return
	}
	for i := range m.line.Len() {
		if _, known := m.bases[m.processOf(i)]; !known && (!ok || m.processOf(i).differs(m.processOf(loaded))) && !m.line.Is(i, exobench.Before) {
			add(i)
		}
	}
}

// A load that moved the memory by no more than this, whichever is greater, did not
// move it.
const (
	stillShare = 0.002
	stillBytes = 1 << 20
)

func still(size exobench.Bytes) exobench.Bytes {
	return max(stillBytes, exobench.Bytes(stillShare*float64(size)))
}

// fell reports whether memory is less than it was, by more than it moves on its
// own.
func (m *memory) fell(from, to exobench.Bytes) bool { return from-to > still(from) }

// around returns the levels before and after the load that a reading can be
// compared with.
func (m *memory) around(i int) (before, loaded *Level) {
	if m.processOf(i).differs(m.process) {
		return nil, nil
	}
	return m.from, m.loaded
}

func (m *memory) last(moment exobench.Moment) (int, bool) {
	return m.line.Last(moment, exobench.Footprint, exobench.PSS, exobench.RSS, exobench.NodeUsed)
}

// seen returns what the readings count, sorted.
func (m *memory) seen() []MemorySource {
	all := map[MemorySource]bool{}
	for i := range m.line.Len() {
		if source := m.sourceOf(i); source != "" {
			all[source] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// sourceOf returns what reading i counts once it is made a level; empty where
// it tells nothing.
func (m *memory) sourceOf(i int) MemorySource {
	known := func(q exobench.Quantity) bool { _, ok := m.line.Value(i, q); return ok }
	switch {
	case known(exobench.Footprint):
		return FromFootprint
	case known(exobench.PSS):
		return FromPSS
	case known(exobench.NodeUsed):
		return FromNode
	case !known(exobench.RSS):
		return ""
	}
	switch _, related := m.bases[m.processOf(i)]; {
	case related:
		return FromPSS
	case m.unrelated(i):
		return ""
	}
	return FromRSS
}

// level returns the memory of reading i and what it counts; nil where the
// reading does not tell.
//
// Where proportional sizes cost too much to read often, readings during requests
// are resident ones. Such a one becomes the proportional size after the load,
// and what the resident one has grown by since; its anonymous pages, which
// processes rarely share, stay as they are.
func (m *memory) level(i int) (*Level, MemorySource) {
	source := m.sourceOf(i)
	total, ok := m.total(i)
	if !ok {
		return nil, source
	}
	l := &Level{total, m.bytes(i, exobench.Anonymous), m.bytes(i, exobench.File), m.bytes(i, exobench.Swap)}
	if _, proportional := m.line.Value(i, exobench.PSS); source == FromPSS && !proportional {
		l.File = nil
		if l.Anonymous != nil {
			l.File = new(max(0, total-*l.Anonymous))
		}
	}
	return l, source
}

// total returns the total of level without making one.
func (m *memory) total(i int) (exobench.Bytes, bool) {
	for _, q := range []exobench.Quantity{exobench.Footprint, exobench.PSS, exobench.NodeUsed} {
		if v, ok := m.line.Value(i, q); ok {
			return bytesOf(v), true
		}
	}
	v, ok := m.line.Value(i, exobench.RSS)
	if !ok {
		return 0, false
	}
	related, ok := m.bases[m.processOf(i)]
	switch {
	case ok:
		return related.proportional + bytesOf(v) - related.resident, true
	case m.unrelated(i):
		return 0, false
	}
	return bytesOf(v), true
}

// unrelated reports whether reading i, of resident sizes, is of another process
// than the one loaded where that was read in proportional ones: what it shares
// with others is not known.
func (m *memory) unrelated(i int) bool {
	return len(m.bases) > 0 && m.processOf(i).differs(m.process)
}

func (m *memory) bytes(i int, q exobench.Quantity) *exobench.Bytes {
	v, ok := m.line.Value(i, q)
	if !ok {
		return nil
	}
	return new(bytesOf(v))
}

func bytesOf(v float64) exobench.Bytes { return exobench.Bytes(math.Round(v)) }

// peak is the reading with the most memory during a request.
type peak struct {
	reading int
	total   exobench.Bytes
	known   bool
	// gpu is what GPUs with memory of their own held at most beside it.
	gpu exobench.Bytes
}

// during returns the greatest reading while a request was under way from sent
// to ended, the last one before it was sent included. Of equal ones it is the
// first. Of several processes only the last counts; where that one had ended, and
// where nobody was seen after one that had, there is none.
func (m *memory) during(s span) (p peak) {
	if !s.sent.Reached() || !s.ended.Reached() {
		return peak{}
	}
	from, to := max(0, m.line.After(s.sent)-1), m.line.After(s.ended)
	if from >= to {
		return peak{}
	}
	last := m.processOf(to - 1)
	if last == noProcess || to == from+1 && to < m.line.Len() && last.differs(m.processOf(to)) {
		return peak{}
	}
	for i := from; i < to; i++ {
		if m.line.Is(i, exobench.Before) || m.processOf(i).differs(last) {
			continue
		}
		if total, ok := m.total(i); ok && (!p.known || total > p.total) {
			p = peak{reading: i, total: total, known: true}
		}
	}
	return p
}

// of returns the memory around a request with that peak.
func (m *memory) of(s span, p peak) RequestMemory {
	if !s.sent.Reached() || !s.ended.Reached() {
		return RequestMemory{}
	}
	r := RequestMemory{Source: m.source, Before: m.from, Loaded: m.loaded}
	if p.known {
		r.Peak, _ = m.level(p.reading)
		r.Before, r.Loaded = m.around(p.reading)
	}
	return r
}
