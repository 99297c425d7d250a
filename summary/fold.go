package summary

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"

	"exobench"
	"exobench/metric"
	"exobench/timeline"
)

// Fold takes the entries of a journal in, in any order, and shows at any time
// what they come to so far. It keeps no entry, so that they may be used again.
// It is not safe for concurrent use.
type Fold struct {
	header *exobench.Header
	headed bool
	// version counts the changes to what all cells depend on: the header, the
	// calibrations and the ceilings.
	version  int
	sessions map[int]exobench.Session
	ends     map[int]exobench.End
	steps    map[int]*bringUp
	cells    map[int]*cell
	blocks   map[int]*block
	// latest has, for each block of the plan, the one that counts of those that
	// took its place.
	latest       map[int]int
	calibrations []exobench.Calibration
	notes        []exobench.Note
	// ceilings are, for each model on each engine, the highest that was told.
	ceilings map[Subject]exobench.Ceiling
	// meters say what powers are of, and idle are the readings of the idle machine.
	meters map[meterID]exobench.Meter
	idle   timeline.Set
	// chosen is the source of each engine's energies.
	chosen map[string]string

	metrics []metric.Metric
	prompts []string // the ids of all that were sent
	places  map[string]int32
	// under is the block of the record before: most are of the same.
	under *block
	space space
}

// NewFold returns a fold that was told nothing.
func NewFold() *Fold {
	return &Fold{
		header: new(exobench.Header), sessions: map[int]exobench.Session{}, ends: map[int]exobench.End{},
		steps: map[int]*bringUp{}, cells: map[int]*cell{}, blocks: map[int]*block{}, latest: map[int]int{},
		ceilings: map[Subject]exobench.Ceiling{}, meters: map[meterID]exobench.Meter{},
		metrics: metric.PerRequest(), places: map[string]int32{},
	}
}

// Build folds a whole journal. It fails where the entries have no header, or are
// of more than one run.
func Build(entries iter.Seq[exobench.Entry]) (*Run, error) {
	f := NewFold()
	for entry := range entries {
		if err := f.Add(entry); err != nil {
			return nil, err
		}
	}
	if !f.headed {
		return nil, errors.New("the journal has no header: it says nothing of what was run")
	}
	return f.Snapshot(), nil
}

// Add takes an entry in. An error says that the entry cannot belong to the same
// run as the ones before; the fold is as it was.
func (f *Fold) Add(entry exobench.Entry) error {
	switch e := entry.(type) {
	case *exobench.Header:
		if f.headed && e.RunID != f.header.RunID {
			return fmt.Errorf("the journal holds two runs, %s and %s", f.header.RunID, e.RunID)
		}
		f.header, f.headed = new(*e), true
		f.version++
	case *exobench.Session:
		f.sessions[e.ID] = *e
	case *exobench.Step:
		// Of a step that was not begun in an earlier session, the later one tells.
		if s := entryOf(f.steps, e.ID); !s.known || e.Session > s.Session || e.Session == s.Session && e.Placement != "" {
			s.Step, s.known = *e, true
		}
	case *exobench.Cell:
		if c := entryOf(f.cells, e.ID); !c.known || e.Placement != "" {
			c.Cell, c.known = *e, true
		}
	case *exobench.Block:
		b := f.block(e.ID)
		if b.Block, b.known = *e, true; b.Warmup() {
			b.onlyCount()
		}
		f.latest[b.Planned()] = max(f.latest[b.Planned()], b.ID)
	case *exobench.StageEvent:
		s := entryOf(f.steps, e.Step)
		s.events = append(s.events, *e)
	case *exobench.Record:
		f.addRecord(e)
	case *exobench.Sample:
		f.addSample(e)
	case *exobench.Meter:
		f.meters[meterID{e.Sensor, e.Of}] = *e
		f.version++
	case *exobench.BlockEnd:
		f.block(e.Block).end = new(*e)
	case *exobench.StepEnd:
		entryOf(f.steps, e.Step).end = new(*e)
	case *exobench.Calibration:
		f.calibrations = append(f.calibrations, *e)
		f.version++
	case *exobench.Ceiling:
		f.addCeiling(*e)
		f.version++
	case *exobench.Note:
		f.notes = append(f.notes, *e)
		if e.Held != "" {
			entryOf(f.steps, e.Step).held = e.Held
		}
	case *exobench.End:
		f.ends[e.Session] = *e
	default:
		return fmt.Errorf("summary of an entry of type %T", entry)
	}
	return nil
}

// entryOf returns the value of an id, a new one where it has none.
func entryOf[T any](m map[int]*T, id int) *T {
	if m[id] == nil {
		m[id] = new(T)
	}
	return m[id]
}

func (f *Fold) block(id int) *block {
	if f.under != nil && f.under.ID == id {
		return f.under
	}
	b := f.blocks[id]
	if b == nil {
		b = newBlock(id, f.metrics)
		f.blocks[id] = b
	}
	f.under = b
	return b
}

func (f *Fold) addRecord(r *exobench.Record) {
	b := f.block(r.Block)
	if b.known && b.Warmup() {
		b.requests++
		return
	}
	c := f.cells[b.Cell]
	b.add(r, f.prompt(r.PromptID), c != nil && c.known && !c.Traffic.Open())
}

// prompt returns the place of a prompt.
func (f *Fold) prompt(id string) int32 {
	place, ok := f.places[id]
	if !ok {
		place = int32(len(f.prompts))
		f.places[id] = place
		f.prompts = append(f.prompts, id)
	}
	return place
}

// mostRead is beyond what any reading can be.
const mostRead = 1e18

// absurd reports whether a reading cannot be; NaN cannot.
func absurd(v exobench.Value) bool { return !(math.Abs(v.Value) <= mostRead) }

// addSample keeps what is read of memory, nodes, GPUs and the machine, and leaves out
// what cannot be.
func (f *Fold) addSample(s *exobench.Sample) {
	if slices.ContainsFunc(s.Values, absurd) {
		s = s.Clone()
		s.Values = slices.DeleteFunc(s.Values, absurd)
	}
	if s.Moment == exobench.Idle {
		f.idle.Add(s, exobench.PowerWatts, exobench.EnergyJoules, exobench.NodePower, exobench.GPUPower, exobench.GPUPowerAverage)
		f.version++
		return
	}
	switch s.Sensor {
	case machineSensor:
		if s.Block != 0 {
			b := f.block(s.Block)
			b.machine = append(b.machine, *s.Clone())
		}
	case processSensor:
		entryOf(f.steps, s.Step).readings.Add(s, exobench.Footprint, exobench.FootprintPeak, exobench.PSS, exobench.RSS, exobench.Anonymous, exobench.File,
			exobench.Process, exobench.ProcessStarted, exobench.Beside, exobench.RSSPeak, exobench.Swap, exobench.CgroupPeak)
	case nodeSensor, gpuSensor, powerSensor:
		entryOf(f.steps, s.Step).readings.Add(s)
	case runnerSensor:
		f.addUse(s)
	}
}

// place returns the place of a metric among those that a record gives.
func (f *Fold) place(name string) int {
	return slices.IndexFunc(f.metrics, func(m metric.Metric) bool { return m.Name == name })
}

// replaced reports whether a block was done again as a whole by a later session:
// its requests are then in no figure. An early part of a block that lost its own
// entry is known by its id.
func (f *Fold) replaced(b *block) bool { return f.latest[b.Planned()] > b.ID }

// placed reports whether a block's requests belong to a cell whose step is
// known as well, and count.
func (f *Fold) placed(b *block) bool {
	c, s := f.cells[b.Cell], f.steps[b.Step]
	return b.known && !f.replaced(b) && c != nil && c.known && s != nil && s.known
}

// blocksOf returns the blocks of each cell, in order.
func (f *Fold) blocksOf() map[int][]*block {
	of := map[int][]*block{}
	for _, id := range slices.Sorted(maps.Keys(f.blocks)) {
		if b := f.blocks[id]; f.placed(b) {
			of[b.Cell] = append(of[b.Cell], b)
		}
	}
	return of
}

// over reports whether a session has ended.
func (f *Fold) over(session int) bool {
	_, ended := f.ends[session]
	return ended || session < f.lastSession()
}

func (f *Fold) lastSession() int {
	last := 0
	for id := range f.sessions {
		last = max(last, id)
	}
	for id := range f.ends {
		last = max(last, id)
	}
	return last
}

// Snapshot returns what the entries come to. It may be called at any time and
// any number of times, and does not change what later ones return. Only cells
// of which something was told since the last snapshot are worked out anew: that
// takes a sort of each metric of their requests, some 40 ms for 10,000 of them.
func (f *Fold) Snapshot() *Run {
	slices.SortFunc(f.calibrations, func(a, b exobench.Calibration) int {
		return cmp.Or(cmp.Compare(a.Session, b.Session), cmp.Compare(a.At, b.At), cmp.Compare(a.Streams, b.Streams))
	})
	run := &Run{Header: *f.header, Calibrations: slices.Clone(f.calibrations), Notes: slices.Clone(f.notes), fold: f}
	slices.SortFunc(run.Notes, func(a, b exobench.Note) int {
		return cmp.Or(cmp.Compare(a.Session, b.Session), cmp.Compare(a.At, b.At), cmp.Compare(a.Engine, b.Engine),
			cmp.Compare(a.Step, b.Step), cmp.Compare(a.Text, b.Text))
	})
	for _, id := range slices.Sorted(maps.Keys(f.sessions)) {
		run.Sessions = append(run.Sessions, f.sessions[id])
	}
	if end, ok := f.ends[f.lastSession()]; ok {
		run.End = &end
	}
	run.Incomplete = run.End == nil
	run.Interrupted = run.End != nil && run.End.Reason == exobench.EndInterrupted
	for _, b := range f.blocks {
		switch {
		case f.placed(b):
			run.Requests += b.requests
		case f.replaced(b):
			run.Replaced += b.requests
		case b.known && b.Warmup():
			run.Warmups += b.requests
		default:
			run.Unplaced += b.requests
		}
	}
	blocks := f.blocksOf()
	run.Steps = f.stepsNow(blocks)
	f.chooseSources()
	run.Cells = f.cellsNow(run, blocks)
	run.index = newIndex(run.Cells)
	return run
}

// stepsNow returns the steps, without their cells.
func (f *Fold) stepsNow(blocks map[int][]*block) []Step {
	measured, under := map[int]window{}, map[int]bool{}
	for _, of := range blocks {
		for _, b := range of {
			measured[b.Step] = measured[b.Step].extend(b.window())
		}
	}
	for _, b := range f.blocks {
		if b.known {
			under[b.Step] = true
		}
	}
	var all []Step
	for _, id := range slices.Sorted(maps.Keys(f.steps)) {
		b := f.steps[id]
		if !b.known {
			continue
		}
		engine, _ := f.header.Engine(b.Engine)
		step := b.step(engine, measured[id])
		step.State = b.state(under[id], f.over(b.Session))
		all = append(all, step)
	}
	return all
}

// cellsNow returns the cells in the order of reports, and tells the steps of the
// run theirs.
func (f *Fold) cellsNow(run *Run, blocks map[int][]*block) []Cell {
	var all []Cell
	waiting := f.waiting()
	for _, id := range slices.Sorted(maps.Keys(f.cells)) {
		c := f.cells[id]
		if !c.known {
			continue
		}
		f.measure(c, blocks[id])
		cell := c.figures
		f.situate(&cell, c, run, blocks[id], waiting)
		all = append(all, cell)
	}
	o := newOrder(f.header)
	slices.SortStableFunc(all, o.cells)
	return all
}
