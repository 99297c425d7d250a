package summary

import (
	"cmp"
	"maps"
	"slices"

	"exobench"
	"exobench/timeline"
)

// Trace is what went on over a run: when what was done, and the readings of its
// sensors. Times are seconds of the run: sessions follow each other without the
// time between them, and Breaks are where they meet.
type Trace struct {
	Until  float64
	Breaks []float64
	Spans  []TraceSpan
	// Requests is how many OK requests of cells were under way.
	Requests []TracePoint
	Lines    []TraceLine
}

// TraceSpan is a time in which one thing was done.
type TraceSpan struct {
	From, To float64
	Kind     TraceKind
	// Subject is that of a whole step.
	Subject Subject
}

// TraceKind says what was done.
type TraceKind int

// The kinds. A TraceStep is from the first stage of a step until its end.
const (
	TraceIdle TraceKind = iota
	TraceLoad
	TraceWarmup
	TraceMeasured
	TraceRelease
	TraceStep
)

// TraceLine is the readings of one thing.
type TraceLine struct {
	// Lane is that of lines that belong together, Name what this one is of.
	Lane, Name string
	Quantity   TraceQuantity
	// Gap is the longest time between two readings that speak for the time between
	// them, in seconds.
	Gap    float64
	Points []TracePoint
}

// TraceQuantity says what is read.
type TraceQuantity int

// The quantities, in bytes and in watts.
const (
	TraceMemory TraceQuantity = iota
	TracePower
)

// TracePoint is a reading; the first of a step is Apart.
type TracePoint struct {
	At, Value float64
	Apart     bool
}

// tracer puts a trace together.
type tracer struct {
	f     *Fold
	bases map[int]float64 // of the sessions
	trace *Trace
	lines map[[2]string]int
}

// Trace returns what went on. It holds a copy of all readings.
func (r *Run) Trace() *Trace {
	t := &tracer{f: r.fold, bases: map[int]float64{}, trace: new(Trace), lines: map[[2]string]int{}}
	t.layOut()
	t.idle()
	for _, id := range slices.Sorted(maps.Keys(r.fold.steps)) {
		if b := r.fold.steps[id]; b.known {
			t.step(b)
		}
	}
	t.blocks()
	for i := range t.trace.Lines {
		// Readings of a log are of two steps where these meet.
		slices.SortStableFunc(t.trace.Lines[i].Points, func(a, b TracePoint) int {
			return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Value, b.Value))
		})
	}
	return t.trace
}

// layOut puts the sessions behind each other.
func (t *tracer) layOut() {
	last := map[int]exobench.Instant{}
	see := func(session int, at exobench.Instant) { last[session] = max(last[session], at) }
	for id, e := range t.f.ends {
		see(id, e.At)
	}
	for _, b := range t.f.steps {
		for _, e := range b.events {
			see(b.Session, e.At)
		}
		if b.end != nil {
			see(b.Session, b.end.At)
		}
	}
	for _, b := range t.f.blocks {
		if s := t.f.steps[b.Step]; s != nil {
			see(s.Session, b.done)
		}
	}
	base := 0.0
	for i, id := range slices.Sorted(maps.Keys(last)) {
		if i > 0 {
			t.trace.Breaks = append(t.trace.Breaks, base)
		}
		t.bases[id] = base
		base += last[id].Seconds()
	}
	t.trace.Until = base
}

func (t *tracer) at(session int, at exobench.Instant) float64 { return t.bases[session] + at.Seconds() }

func (t *tracer) span(session int, from, to exobench.Instant, kind TraceKind, of Subject) {
	if from.Reached() && to > from {
		t.trace.Spans = append(t.trace.Spans, TraceSpan{t.at(session, from), t.at(session, to), kind, of})
	}
}

// idle adds the readings of the idle machine, where there is one session that they
// can be of.
func (t *tracer) idle() {
	if len(t.bases) != 1 {
		return
	}
	for session := range t.bases {
		var from, to exobench.Instant
		for _, s := range t.f.powerSources(&t.f.idle) {
			for _, m := range s.meters {
				l := t.f.idle.Line(m.Sensor, m.Of)
				if n := l.Len(); n > 1 {
					from, to = cmp.Or(min(from, l.At(0)), l.At(0)), max(to, l.At(n-1))
				}
			}
		}
		t.span(session, from, to, TraceIdle, Subject{})
		t.powers(session, &t.f.idle)
	}
}

// step adds the stages and the readings of a step.
func (t *tracer) step(b *bringUp) {
	b.settle()
	subject := Subject{b.Engine, b.Model.Name}
	ready, _ := b.first(exobench.StageReady)
	release, _ := b.first(exobench.StageRelease, exobench.StageReleased)
	if len(b.events) > 0 {
		first, last := b.events[0].At, b.events[len(b.events)-1].At
		if b.end != nil {
			last = b.end.At
		}
		t.span(b.Session, first, cmp.Or(ready.At, release.At, last), TraceLoad, subject)
		t.span(b.Session, release.At, last, TraceRelease, subject)
		t.span(b.Session, first, last, TraceStep, subject)
	}
	m := b.memory()
	if m.source != FromNode {
		for i := range m.line.Len() {
			if level, _ := m.level(i); level != nil {
				t.put(t.line(b.Engine, "processes", TraceMemory, timeline.Reach.Seconds()), b.Session, m.line.At(i), float64(level.Total), i == 0)
			}
		}
	}
	for _, name := range b.readings.Of(nodeSensor) {
		t.curve("node "+name, name, TraceMemory, b.Session, b.readings.Line(nodeSensor, name).Curve(exobench.NodeUsed))
	}
	for _, name := range b.readings.Of(gpuSensor) {
		line := b.readings.Line(gpuSensor, name)
		t.curve("GPU "+name, "in use", TraceMemory, b.Session, line.Curve(exobench.GPUUsed))
		t.curve("GPU "+name, "the engine's", TraceMemory, b.Session, line.Curve(exobench.GPUEngine))
	}
	t.powers(b.Session, &b.readings)
}

// powers adds the readings of each meter once.
func (t *tracer) powers(session int, readings *timeline.Set) {
	for _, s := range t.f.powerSources(readings) {
		if s.scope == exobench.PartsScope {
			continue // they are there on their own
		}
		for _, m := range s.meters {
			switch readings := gaugeOf(readings, m).(type) {
			case timeline.Curve:
				t.curve(s.name, m.Of, TracePower, session, readings)
			case timeline.Stretches:
				line := t.line(s.name, m.Of, TracePower, 2*max(timeline.Reach, s.step).Seconds())
				for i, one := range readings {
					if one.To > one.From {
						t.put(line, session, one.From+(one.To-one.From)/2, one.Amount/one.To.Sub(one.From).Seconds(), i == 0)
					}
				}
			}
		}
	}
}

// curve adds the readings of a curve to a line.
func (t *tracer) curve(lane, name string, q TraceQuantity, session int, c timeline.Curve) {
	if len(c) == 0 {
		return
	}
	line := t.line(lane, name, q, 2*timeline.Reach.Seconds())
	for i, p := range c {
		t.put(line, session, p.At, p.Value, i == 0)
	}
}

// line returns the place of a line, a new one where there is none.
func (t *tracer) line(lane, name string, q TraceQuantity, gap float64) int {
	key := [2]string{lane, name}
	if q == TracePower {
		key[0] += " power"
	}
	i, there := t.lines[key]
	if !there {
		i = len(t.trace.Lines)
		t.lines[key] = i
		t.trace.Lines = append(t.trace.Lines, TraceLine{Lane: lane, Name: name, Quantity: q, Gap: gap})
	}
	return i
}

func (t *tracer) put(line, session int, at exobench.Instant, value float64, apart bool) {
	l := &t.trace.Lines[line]
	l.Points = append(l.Points, TracePoint{t.at(session, at), value, apart})
}

// blocks adds when requests were under way.
func (t *tracer) blocks() {
	under := map[float64]int{}
	for _, id := range slices.Sorted(maps.Keys(t.f.blocks)) {
		b := t.f.blocks[id]
		s := t.f.steps[b.Step]
		if !b.known || s == nil || !s.known {
			continue
		}
		kind, to := TraceMeasured, b.done
		if b.Warmup() {
			kind = TraceWarmup
		}
		if b.end != nil {
			to = b.end.At
		}
		t.span(s.Session, b.At, to, kind, Subject{})
		for _, r := range b.ok.all() {
			if r.sent.Reached() && r.done > r.sent {
				under[t.at(s.Session, r.sent)]++
				under[t.at(s.Session, r.done)]--
			}
		}
	}
	n := 0
	for _, at := range slices.Sorted(maps.Keys(under)) {
		t.trace.Requests = append(t.trace.Requests, TracePoint{At: at, Value: float64(n)})
		n += under[at]
		t.trace.Requests = append(t.trace.Requests, TracePoint{At: at, Value: float64(n)})
	}
}
