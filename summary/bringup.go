package summary

import (
	"cmp"
	"math"
	"slices"

	"exobench"
	"exobench/timeline"
)

// bringUp is a Step under construction.
type bringUp struct {
	exobench.Step
	known  bool
	events []exobench.StageEvent
	end    *exobench.StepEnd
	// held is what was in memory before the load, as far as that was told.
	held exobench.Held
	// uses are what the engine did for others from before the load until the first
	// request.
	uses     []use
	readings timeline.Set
	mem      *memory // of counted readings
	cards    *gpus
	counted  int
	// power is what metered readings came to when the fold had that version.
	power             []*metered
	readAt, versionAt int
}

// stages is the order of a model's life.
var stages = []exobench.Stage{
	exobench.StageResolve, exobench.StagePlace, exobench.StageDownload, exobench.StageLoad,
	exobench.StageWarm, exobench.StageReady, exobench.StageRelease, exobench.StageReleased,
}

// settle puts the events in order of time.
func (b *bringUp) settle() {
	slices.SortStableFunc(b.events, func(x, y exobench.StageEvent) int {
		return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(slices.Index(stages, x.Stage), slices.Index(stages, y.Stage)))
	})
}

// memory returns the engine's memory in the step.
func (b *bringUp) memory() *memory {
	b.count()
	return b.mem
}

// gpus returns the GPUs of the step.
func (b *bringUp) gpus() *gpus {
	b.count()
	return b.cards
}

// count makes of the readings what is made of them, where there are new ones.
func (b *bringUp) count() {
	if n := b.readings.Len(); b.mem == nil || n != b.counted {
		b.mem, b.cards, b.counted = newMemory(&b.readings), newGPUs(&b.readings), n
	}
}

// first returns the first event with one of the stages.
func (b *bringUp) first(wanted ...exobench.Stage) (exobench.StageEvent, bool) {
	for _, e := range b.events {
		if slices.Contains(wanted, e.Stage) {
			return e, true
		}
	}
	return exobench.StageEvent{}, false
}

// load times the way until the model was ready; nil where it never was. Each
// stage lasts until the next one is told. What the engine did to clear the way,
// before the model was looked up for the load itself, is none of the load, but
// for files that were fetched.
func (b *bringUp) load() *ModelLoad {
	end := slices.IndexFunc(b.events, func(e exobench.StageEvent) bool { return e.Stage == exobench.StageReady })
	if end < 0 {
		return nil
	}
	start := 0
	for i, e := range b.events[:end] {
		if e.Stage == exobench.StageResolve {
			start = i
		}
	}
	if i := slices.IndexFunc(b.events[start:end], func(e exobench.StageEvent) bool { return e.Stage == exobench.StagePlace }); i >= 0 {
		start += i
	}
	l := &ModelLoad{Start: b.events[start].At}
	for i, e := range b.events[:end] {
		span := b.events[i+1].At.Sub(e.At)
		l.Downloaded = max(l.Downloaded, e.Downloaded)
		switch {
		case e.Stage == exobench.StageDownload:
			l.Downloading += span
		case i < start:
		case e.Stage == exobench.StageLoad:
			l.Weights += span
			l.Loading += span
		case e.Stage == exobench.StageWarm:
			l.Warming += span
			l.Loading += span
		default:
			l.Placing += span
			l.Loading += span
		}
	}
	return l
}

// step returns what is known of the step, all but its state. Its requests were
// measured in a window.
func (b *bringUp) step(engine exobench.Engine, measured window) Step {
	b.settle()
	s := Step{
		ID: b.ID, Session: b.Session, Subject: Subject{b.Engine, b.Model.Name}, ModelID: b.Model.ID,
		Wanted: b.Placement, Placement: b.Placement,
	}
	failed := b.end != nil && b.end.Reason == exobench.StepFailed
	for _, e := range b.events {
		if e.Placement != "" {
			s.Placement = e.Placement
		}
		if e.Instance != "" {
			s.Instance = e.Instance
		}
		if !failed || e.Stage != exobench.StageRelease && e.Stage != exobench.StageReleased {
			s.Stage = e.Stage
		}
	}
	if len(b.events) > 0 {
		s.Began = b.events[0].At
	}
	if b.end != nil {
		s.Ended, s.Error = b.end.At, b.end.Error
	}
	if engine.LifeCycle {
		s.Load = b.load()
	}
	m := b.memory()
	s.Source, s.Before, s.Loaded, s.Released = m.source, m.before, m.loaded, m.released
	s.Weights = m.weights(fileOf(engine, b.Model.ID))
	s.Nodes, s.GPUs = b.nodes(measured), b.gpus().described(measured)
	return s
}

// state says how far the step is: asked reports whether a block of it began,
// over that its session has ended.
func (b *bringUp) state(asked, over bool) State {
	if b.end != nil {
		switch b.end.Reason {
		case exobench.StepReleased:
			return Done
		case exobench.StepKept:
			return Kept
		case exobench.StepFailed:
			return Failed
		}
		return Interrupted
	}
	_, ready := b.first(exobench.StageReady)
	switch {
	case !asked && len(b.events) == 0 && b.readings.Len() == 0:
		return Planned
	case over:
		return Interrupted
	case asked || ready:
		return Measuring
	}
	return Loading
}

// window is a time, ends included; without a start it is empty.
type window struct{ from, to exobench.Instant }

// extend makes the window hold another.
func (w window) extend(other window) window {
	switch {
	case other.from >= other.to:
		return w
	case !w.from.Reached():
		return other
	}
	return window{min(w.from, other.from), max(w.to, other.to)}
}

// nodes describes each machine that the engine tells of.
func (b *bringUp) nodes(measured window) []Node {
	var all []Node
	for _, name := range b.readings.Of(nodeSensor) {
		line := b.readings.Line(nodeSensor, name)
		n := Node{Name: name, Before: used(line, exobench.Before), Loaded: used(line, exobench.Loaded)}
		if c := line.Curve(exobench.NodeTotal); len(c) > 0 {
			n.Total = new(bytesOf(c[len(c)-1].Value))
		}
		if measured.from.Reached() {
			n.Power = mean(line, exobench.NodePower, measured)
			n.GPU = mean(line, exobench.NodeGPU, measured)
			n.MaxTemperature = greatest(line, exobench.NodeTemperature, measured)
			if peak := greatest(line, exobench.NodeUsed, measured); peak != nil {
				n.Peak = new(bytesOf(*peak))
			}
		}
		all = append(all, n)
	}
	return all
}

// used returns the memory in use at the last reading of a moment.
func used(line *timeline.Line, m exobench.Moment) *exobench.Bytes {
	i, ok := line.Last(m, exobench.NodeUsed)
	if !ok {
		return nil
	}
	v, _ := line.Value(i, exobench.NodeUsed)
	return new(bytesOf(v))
}

func mean(line *timeline.Line, q exobench.Quantity, w window) *float64 {
	v, ok := line.Curve(q).Mean(w.from, w.to)
	if !ok {
		return nil
	}
	return &v
}

// greatest returns the greatest value of a time, of the last reading before it
// too. What was read before the load does not count.
func greatest(line *timeline.Line, q exobench.Quantity, w window) *float64 {
	most := math.Inf(-1)
	for i := max(0, line.After(w.from)-1); i < line.Len() && line.At(i) <= w.to; i++ {
		if v, ok := line.Value(i, q); ok && !line.Is(i, exobench.Before) {
			most = max(most, v)
		}
	}
	if math.IsInf(most, -1) {
		return nil
	}
	return &most
}
