package summary

import (
	"exobench"
	"exobench/metric"
)

// What is beside the engine's processes is worth a doubt from besideShare of
// their memory and besideBytes on.
const (
	besideShare = 0.1
	besideBytes = 32 << 20
)

// What is counted as the engine may be no more than a front end where it used less
// than idleShare of what other processes did, and these kept foreignBusy of the
// machine busy.
const (
	idleShare   = 0.05
	foreignBusy = 0.1
)

// doubtMemory says what of a cell's memory to doubt. Of several steps it is the
// first that raises a doubt.
func doubtMemory(f *Fold, c *Cell, blocks []*block) []Figures {
	var doubts []Figures
	raised := map[WarningKind]bool{}
	add := func(d Figures) {
		if !raised[d.kind()] {
			raised[d.kind()] = true
			doubts = append(doubts, d)
		}
	}
	for _, b := range blocks {
		step := f.steps[b.Step]
		m := step.memory()
		if m.line.Len() == 0 {
			continue
		}
		engine, _ := f.header.Engine(step.Engine)
		if why, there := m.wasThere(step.held, engine.LifeCycle); there && (why != NothingLoaded || !step.gpus().loads()) {
			add(ModelWasThere{why})
		}
		if n, missed := m.changes(b.sent, b.done); n > 1 || missed > 0 {
			add(ProcessChanged{n, missed})
		}
		if m.before != nil && m.loaded != nil && m.from == nil && m.fell(m.before.Total, m.loaded.Total) {
			add(MemoryFell{m.before.Total, m.loaded.Total, nil})
		}
		if d, beside := m.beside(); beside {
			add(d)
		}
		if d, swapped := m.swapped(b.done); swapped {
			add(d)
		}
	}
	if fallen(c) {
		fell := MemoryFell{}
		if c.Memory.Before != nil {
			fell.Before = c.Memory.Before.Total
		}
		if c.Memory.Loaded != nil {
			fell.Loaded = c.Memory.Loaded.Total
		}
		if c.Memory.Peak != nil {
			fell.Peak = &c.Memory.Peak.Total
		}
		add(fell)
	}
	if missed, ok := peakMissed(c); ok {
		add(missed)
	}
	if idle, ok := engineIdle(c); ok {
		add(idle)
	}
	return doubts
}

// fallen reports whether a figure that is a difference is negative.
func fallen(c *Cell) bool {
	for _, difference := range []func() (exobench.Bytes, bool){c.Memory.Model, c.Memory.Inference, c.Memory.Additional} {
		if size, ok := difference(); ok && size < 0 {
			return true
		}
	}
	for _, name := range []string{metric.MemoryInference, metric.MemoryAdditional} {
		if s, ok := c.Metrics[name]; ok && s.Median < 0 {
			return true
		}
	}
	return false
}

// wasThere reports whether the reading before the load may hold the model, and how
// that is known. Where nobody drives the loads, nobody claims the contrary.
func (m *memory) wasThere(told exobench.Held, lifeCycle bool) (ModelThere, bool) {
	switch {
	case told == exobench.HeldModel:
		return ToldThere, true
	case told == exobench.HeldOthers:
		return OthersThere, true
	case !lifeCycle || m.source == FromNode || m.from == nil || m.loaded == nil:
		return "", false
	}
	return NothingLoaded, m.loaded.Total-m.from.Total <= still(m.from.Total)
}

// changes returns how many processes the readings of a time and the one after the
// load are of, and how many found none.
func (m *memory) changes(from, to exobench.Instant) (n, missed int) {
	if m.processes == nil || !from.Reached() {
		return 1, 0
	}
	all := map[process]bool{}
	for i, p := range m.processes {
		outside := m.line.Is(i, exobench.Before) || m.line.Is(i, exobench.Loaded)
		at := m.line.At(i)
		switch {
		case !outside && (at < from || at > to):
		case p == noProcess:
			missed++
		case p != unknownProcess:
			all[p] = true
		}
	}
	return len(all), missed
}

// beside returns what ran beside the engine's processes after the load, where it is
// so large that it may be the engine.
func (m *memory) beside() (MemoryBeside, bool) {
	i, ok := m.last(exobench.Loaded)
	if !ok {
		return MemoryBeside{}, false
	}
	size, told := m.line.Value(i, exobench.Beside)
	if !told || size < besideBytes || size < besideShare*float64(m.loaded.Total) {
		return MemoryBeside{}, false
	}
	return MemoryBeside{m.loaded.Total, bytesOf(size)}, true
}

// engineIdle reports whether others did the work while requests were under way.
func engineIdle(c *Cell) (EngineIdle, bool) {
	m := c.Machine
	if g := c.Memory.GPU; g != nil && g.Source == FromGPUProcesses && g.Peak != nil && *g.Peak > 0 {
		return EngineIdle{}, false // it works there, and its processes are the ones
	}
	if m == nil || m.Wall < sharesNeed || m.EngineCPU == nil || m.Foreign == nil || c.Memory.Source == FromNode || c.Memory.Peak == nil {
		return EngineIdle{}, false
	}
	return EngineIdle{*m.EngineCPU, *m.Foreign}, *m.Foreign > foreignBusy && *m.EngineCPU < idleShare**m.Foreign
}
