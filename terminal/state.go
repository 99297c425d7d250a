package terminal

import (
	"slices"
	"time"

	"exobench"
	"exobench/summary"
)

// state is how far a run is, by the entries of its journal. The figures are
// those of the summary; what it keeps itself is what changes with every entry
// and must cost little: counts, and who is at work.
type state struct {
	header exobench.Header
	fold   *summary.Fold
	// steps stand in the order of their rows: those of a model side by side.
	steps  []*step
	cells  []*cell
	blocks map[int]exobench.Block
	// current is the step that was the last to begin; nil before the first.
	current *step
	// block is the one whose requests are under way; the zero Block where there
	// is none.
	block exobench.Block
	// at is the latest instant told of, answered when the latest request ended
	// or the block at work began.
	at, answered exobench.Instant
	// remarks are the notes, and what else was said.
	remarks []string
	// over is set when nothing more is to come, failure why the run failed.
	over    bool
	failure string
}

// step is a step with what is known of how it goes.
type step struct {
	exobench.Step
	state  summary.State
	reason string
	// stage is the latest news of its model, reached when that stage began.
	stage   exobench.StageEvent
	reached exobench.Instant
	// began is the first news of it, asked when the first block of a cell began,
	// ended its end.
	began, asked, ended exobench.Instant
	// warmups have ended.
	warmups int
}

// cell is a cell in one load of its model, with what is known of how it goes.
type cell struct {
	exobench.Cell
	load  int
	state summary.State
	// began is when its latest block did; spent is the time of those before it.
	began exobench.Instant
	spent time.Duration
	// requests have ended by themselves, wrong of which were not OK. Those that
	// an interrupt cut short are neither.
	requests, wrong int
	// peek is what the summary said when it was asked, at that instant and after
	// so many records.
	records, peeked int
	peekedAt        exobench.Instant
	peek            summary.Peek
}

func newState() *state {
	return &state{fold: summary.NewFold(), blocks: map[int]exobench.Block{}}
}

// add takes an entry in.
func (s *state) add(entry exobench.Entry) {
	switch e := entry.(type) {
	case *exobench.Header:
		s.header = *e
	case *exobench.Step:
		s.addStep(*e)
	case *exobench.Cell:
		s.addCell(*e)
	case *exobench.Block:
		s.beginBlock(*e)
	case *exobench.StageEvent:
		s.advance(*e)
	case *exobench.Record:
		s.count(e)
	case *exobench.Sample:
		s.enter(e.Step, e.At)
		return // no figure that is shown needs it
	case *exobench.BlockEnd:
		s.endBlock(*e)
	case *exobench.StepEnd:
		s.endStep(*e)
	case *exobench.Note:
		s.pass(e.At)
		s.remarks = append(s.remarks, s.remark(*e))
	case *exobench.Calibration:
		s.pass(e.At)
	case *exobench.Ceiling:
		s.pass(e.At)
	case *exobench.End:
		s.pass(e.At)
		if e.Reason == exobench.EndFailed {
			s.failure = oneLine(e.Error)
		}
		s.close()
	}
	// What cannot belong to the run is nothing to show; the report says so.
	_ = s.fold.Add(entry)
}

func (s *state) pass(at exobench.Instant) { s.at = max(s.at, at) }

// addStep takes in a step that became known, or what more is known of it.
func (s *state) addStep(e exobench.Step) {
	if t := s.step(e.ID); t != nil {
		t.Step = e
		return
	}
	i := len(s.steps)
	for j, t := range s.steps {
		if t.Engine == e.Engine && t.Model == e.Model && t.Load == e.Load {
			i = j + 1 // a further placement of the model
		}
	}
	s.steps = slices.Insert(s.steps, i, &step{Step: e, state: summary.Planned})
}

// addCell takes in a cell that became known, or what more is known of it.
func (s *state) addCell(e exobench.Cell) {
	known := false
	for _, c := range s.cells {
		if c.ID == e.ID {
			c.Cell, known = e, true
		}
	}
	if known {
		return
	}
	for load := range s.header.Plan.LoadCount() {
		s.cells = append(s.cells, &cell{Cell: e, load: load + 1, state: summary.Planned})
	}
}

// step returns the step of that id; nil where none is known.
func (s *state) step(id int) *step {
	i := slices.IndexFunc(s.steps, func(t *step) bool { return t.ID == id })
	if i < 0 {
		return nil
	}
	return s.steps[i]
}

// cellOf returns the cell of a block in the load that its step is; nil where none
// is known.
func (s *state) cellOf(b exobench.Block) *cell {
	t := s.step(b.Step)
	if t == nil {
		return nil
	}
	i := slices.IndexFunc(s.cells, func(c *cell) bool { return c.ID == b.Cell && c.load == t.load() })
	if i < 0 {
		return nil
	}
	return s.cells[i]
}

// load numbers the loads of the step's model from 1.
func (t *step) load() int { return max(1, t.Load) }

// cellsOf returns the cells that are, or are to be, measured in a step.
func (s *state) cellsOf(t *step) []*cell {
	var cells []*cell
	for _, c := range s.cells {
		if c.Engine == t.Engine && c.Model == t.Model && c.Placement == t.Placement && c.load == t.load() {
			cells = append(cells, c)
		}
	}
	return cells
}

// planned returns how many requests a cell is to have; 0 means as many as its
// time allows.
func (s *state) planned(c *cell) int { return c.Stop.Count(len(s.header.Plan.Workload.Prompts)) }

// enter makes a step that something is told of for the first time the one at
// work.
func (s *state) enter(id int, at exobench.Instant) *step {
	s.pass(at)
	t := s.step(id)
	if t != nil && t.state == summary.Planned {
		t.state, t.began = summary.Loading, at
		s.current = t
	}
	return t
}

func (s *state) advance(e exobench.StageEvent) {
	t := s.enter(e.Step, e.At)
	if t == nil {
		return
	}
	if e.Stage != t.stage.Stage {
		t.reached = e.At
	}
	t.stage = e
	if e.Stage == exobench.StageReady && t.state == summary.Loading {
		t.state = summary.Measuring
	}
}

func (s *state) beginBlock(b exobench.Block) {
	s.blocks[b.ID] = b
	t := s.enter(b.Step, b.At)
	s.block, s.answered = b, b.At
	if t != nil && !t.state.Ended() {
		t.state = summary.Measuring
		if !b.Warmup() && !t.asked.Reached() {
			t.asked = b.At
		}
	}
	if c := s.cellOf(b); c != nil {
		c.state, c.began = summary.Measuring, b.At
	}
}

// count takes a request in that ended.
func (s *state) count(r *exobench.Record) {
	b, known := s.blocks[r.Block]
	if !known {
		return
	}
	s.pass(r.Ended)
	s.answered = max(s.answered, r.Ended)
	if b.Warmup() {
		if t := s.step(b.Step); t != nil && r.Outcome != exobench.Canceled {
			t.warmups++
		}
		return
	}
	c := s.cellOf(b)
	if c == nil {
		return
	}
	c.records++
	switch r.Outcome {
	case exobench.Canceled:
		return
	case exobench.OK:
	default:
		c.wrong++
	}
	c.requests++
}

func (s *state) endBlock(e exobench.BlockEnd) {
	s.pass(e.At)
	if s.block.ID == e.Block {
		s.block = exobench.Block{}
	}
	c := s.cellOf(s.blocks[e.Block])
	if c == nil {
		return
	}
	c.spent += e.At.Sub(c.began)
	switch e.Reason {
	case exobench.BlockDone, exobench.BlockTime, exobench.BlockPrecise:
		c.state = summary.Done
	case exobench.BlockInterrupted:
		c.state = summary.Interrupted
	default:
		c.state = summary.Failed
	}
}

func (s *state) endStep(e exobench.StepEnd) {
	t := s.enter(e.Step, e.At)
	if t == nil {
		return
	}
	t.ended = e.At
	switch e.Reason {
	case exobench.StepFailed:
		t.state, t.reason = summary.Failed, oneLine(e.Error)
	case exobench.StepInterrupted:
		t.state = summary.Interrupted
	case exobench.StepKept:
		t.state = summary.Kept
	default:
		t.state = summary.Done
	}
}

// close ends what is still at work: nothing more will be told of it.
func (s *state) close() {
	s.over = true
	for _, t := range s.steps {
		if t.state.Begun() && !t.state.Ended() {
			t.state, t.ended = summary.Interrupted, s.at
		}
	}
	for _, c := range s.cells {
		if c.state == summary.Measuring {
			c.state = summary.Interrupted
			c.spent += s.at.Sub(c.began)
		}
	}
	s.block = exobench.Block{}
}

// interrupted reports whether somebody ended the run, as far as was told.
func (s *state) interrupted() bool {
	return slices.ContainsFunc(s.steps, func(t *step) bool { return t.state == summary.Interrupted }) ||
		slices.ContainsFunc(s.cells, func(c *cell) bool { return c.state == summary.Interrupted })
}

// peek returns the figures of a cell. While its requests are under way they are
// worked out once a second at most: that takes time in which nothing can be
// added.
func (s *state) peek(c *cell, now exobench.Instant) summary.Peek {
	fresh := c.peekedAt.Reached() && c.state == summary.Measuring && now.Sub(c.peekedAt) < time.Second
	if c.records != c.peeked && !fresh {
		c.peek, c.peeked, c.peekedAt = s.fold.Peek(c.ID), c.records, now
	}
	return c.peek
}
