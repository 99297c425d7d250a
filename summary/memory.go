package summary

import (
	"math"

	"exobench"
	"exobench/timeline"
)

// The names of the sensors whose samples have a meaning here.
const (
	processSensor = "processes"
	nodeSensor    = "nodes"
	machineSensor = "machine"
)

// memory is the engine's memory in one step: that of its processes, or where
// nobody reads them all that is in use on its nodes.
type memory struct {
	line           *timeline.Line
	source         MemorySource
	before, loaded *Level
	// resident is the resident set size of the loaded model, where loaded is of
	// proportional sizes.
	resident *exobench.Bytes
	// sources are the kinds of reading seen; more than one cannot be compared.
	sources []MemorySource
}

func newMemory(readings *timeline.Set) *memory {
	m := &memory{line: readings.Line(processSensor, "")}
	if m.line.Len() == 0 {
		m.line = readings.Together(nodeSensor, exobench.NodeUsed)
	}
	if i, ok := m.last(exobench.Before); ok {
		m.before, m.source = m.level(i)
	}
	if i, ok := m.last(exobench.Loaded); ok {
		level, source := m.level(i)
		if m.loaded = level; m.source == "" {
			m.source = source
		}
		if source == FromPSS {
			m.resident = m.bytes(i, exobench.RSS)
		}
	}
	m.sources = m.seen()
	if m.source == "" && len(m.sources) > 0 {
		m.source = m.sources[0]
	}
	return m
}

func (m *memory) last(moment exobench.Moment) (int, bool) {
	return m.line.Last(moment, exobench.PSS, exobench.RSS, exobench.NodeUsed)
}

// seen returns what the readings count, sorted.
func (m *memory) seen() []MemorySource {
	var pss, rss, node bool
	for i := range m.line.Len() {
		switch m.sourceOf(i) {
		case FromPSS:
			pss = true
		case FromRSS:
			rss = true
		case FromNode:
			node = true
		}
	}
	var all []MemorySource
	for _, s := range []struct {
		seen   bool
		source MemorySource
	}{{node, FromNode}, {pss, FromPSS}, {rss, FromRSS}} {
		if s.seen {
			all = append(all, s.source)
		}
	}
	return all
}

// sourceOf returns what reading i counts once it is made a level; empty where
// it tells nothing.
func (m *memory) sourceOf(i int) MemorySource {
	known := func(q exobench.Quantity) bool { _, ok := m.line.Value(i, q); return ok }
	switch {
	case known(exobench.PSS):
		return FromPSS
	case known(exobench.NodeUsed):
		return FromNode
	case !known(exobench.RSS):
		return ""
	case m.resident != nil:
		return FromPSS
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
	l := &Level{total, m.bytes(i, exobench.Anonymous), m.bytes(i, exobench.File)}
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
	for _, q := range []exobench.Quantity{exobench.PSS, exobench.NodeUsed} {
		if v, ok := m.line.Value(i, q); ok {
			return bytesOf(v), true
		}
	}
	v, ok := m.line.Value(i, exobench.RSS)
	if ok && m.resident != nil {
		return m.loaded.Total + bytesOf(v) - *m.resident, true
	}
	return bytesOf(v), ok
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
}

// during returns the greatest reading while a request was under way from sent
// to ended, the last one before it was sent included. Of equal ones it is the
// first.
func (m *memory) during(s span) (p peak) {
	if !s.sent.Reached() || !s.ended.Reached() {
		return peak{}
	}
	for i := max(0, m.line.After(s.sent)-1); i < m.line.Len() && m.line.At(i) <= s.ended; i++ {
		if m.line.Is(i, exobench.Before) {
			continue
		}
		if total, ok := m.total(i); ok && (!p.known || total > p.total) {
			p = peak{i, total, true}
		}
	}
	return p
}

// of returns the memory around a request with that peak.
func (m *memory) of(s span, p peak) RequestMemory {
	if !s.sent.Reached() || !s.ended.Reached() {
		return RequestMemory{}
	}
	r := RequestMemory{Source: m.source, Before: m.before, Loaded: m.loaded}
	if p.known {
		r.Peak, _ = m.level(p.reading)
	}
	return r
}
