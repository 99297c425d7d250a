package exobench

import (
	"math/rand/v2"
	"slices"
)

// Step is one bring-up of a model: one engine, one model, one placement, from
// before the load until the model is gone.
type Step struct {
	// ID numbers the steps of a run from 1.
	ID int `json:"id"`
	// Session is the process that carries it out; Instants of what happens in
	// the step are since that session's epoch.
	Session int `json:"session"`
	// Load numbers the loads of a model from 1; 0 in journals from before there
	// were several.
	Load   int    `json:"load,omitempty"`
	Engine string `json:"engine"` // the label of one of the header's engines
	Model  Model  `json:"model"`
	// Placement is the one of the engine's placements that is wanted; empty
	// leaves the choice to the engine. Where the model came to be is told by the
	// step's stages.
	Placement string `json:"placement,omitempty"`
	// Resumes is the id of the planned step that was cut short in an earlier
	// session, and whose remaining blocks this one has; else 0.
	Resumes int `json:"resumes,omitempty"`
}

// Cell is what figures are given of: one engine, model and placement under one
// traffic.
type Cell struct {
	// ID numbers the cells of a run from 1.
	ID        int     `json:"id"`
	Engine    string  `json:"engine"`
	Model     Model   `json:"model"`
	Placement string  `json:"placement,omitempty"` // as Step.Placement
	Traffic   Traffic `json:"traffic"`
	Stop      Stop    `json:"stop"`
}

// Block is one stretch of requests inside one step: those of a cell, or the
// step's warm-ups. A plain run has one block for each cell; interleaved and
// repeated loads have several. It is the unit that statistics resample.
type Block struct {
	// ID numbers the blocks of a run from 1.
	ID   int `json:"id"`
	Step int `json:"step"`
	// Cell is 0 for warm-ups, which belong to no cell.
	Cell int `json:"cell,omitempty"`
	// Replaces is the id of the planned block that was cut short in an earlier
	// session and that this one is instead of; else 0. Of several in the place of
	// one, that with the highest id counts, and the others enter no figure.
	Replaces int `json:"replaces,omitempty"`
	// At is when the block began.
	At Instant `json:"at_ns,omitzero"`
}

// Planned returns the id that the block has in the plan's outline. Its seeds
// derive from that one, so that it asks the same however often it is begun.
func (b Block) Planned() int {
	if b.Replaces > 0 {
		return b.Replaces
	}
	return b.ID
}

// Warmup reports whether the block's requests are warm-ups, which enter no
// statistic.
func (b Block) Warmup() bool { return b.Cell == 0 }

// Outline is what a run consists of: its steps, cells and blocks, numbered once,
// when they become known. It is a function of the plan and of what the engines
// told; run, terminal, summary and report share it, and every seed derives from
// its ids. What a run that is resumed does again has ids after all of these, and
// names those of the outline.
type Outline struct {
	Steps  []Step
	Cells  []Cell
	Blocks []Block
}

// NewOutline numbers the steps, cells and blocks of a plan for engines whose
// models are known: for each engine and each of its models as many steps as the
// plan wants loads, each with a block of warm-ups where the plan wants them and a
// block for the cell of each traffic.
//
// Loads run in rounds: each round has every model of every engine once. With one
// load that is the plan's own order. With several, every second round has the
// order of the one before backwards, and the others an order of their own: what
// drifts over the run, such as heat, then meets all alike.
func NewOutline(p Plan, engines []Engine, session int) *Outline {
	o := new(Outline)
	var subjects []Step
	for _, e := range engines {
		for _, m := range e.Models {
			subjects = append(subjects, Step{Session: session, Engine: e.Name, Model: m})
		}
	}
	for _, s := range subjects {
		o.cellsOf(p, s)
	}
	random := rand.New(rand.NewPCG(p.Seeds.Order, roundsStream))
	for round := range p.LoadCount() {
		switch {
		case p.LoadCount() == 1:
		case round%2 == 1:
			slices.Reverse(subjects)
		default:
			random.Shuffle(len(subjects), func(i, k int) { subjects[i], subjects[k] = subjects[k], subjects[i] })
		}
		for _, s := range subjects {
			s.Load = round + 1
			o.add(p, s)
		}
	}
	return o
}

// roundsStream tells the random numbers of rounds from those of blocks.
const roundsStream = 1 << 32

// cellsOf returns the ids of the cells that a step has a block for, one for each
// traffic; those that there are not yet are made.
func (o *Outline) cellsOf(p Plan, s Step) []int {
	var ids []int
	for _, t := range p.Traffic {
		c := Cell{Engine: s.Engine, Model: s.Model, Placement: s.Placement, Traffic: t, Stop: p.Stop}
		at := slices.IndexFunc(o.Cells, func(have Cell) bool {
			c.ID = have.ID
			return !slices.Contains(ids, have.ID) && have == c
		})
		if at < 0 {
			at = len(o.Cells)
			c.ID = at + 1
			o.Cells = append(o.Cells, c)
		}
		ids = append(ids, at+1)
	}
	return ids
}

// add appends a step with its cells and blocks, and returns its id.
func (o *Outline) add(p Plan, s Step) int {
	s.ID = len(o.Steps) + 1
	o.Steps = append(o.Steps, s)
	if p.Warmups() > 0 {
		o.Blocks = append(o.Blocks, Block{ID: len(o.Blocks) + 1, Step: s.ID})
	}
	for _, cell := range o.cellsOf(p, s) {
		o.Blocks = append(o.Blocks, Block{ID: len(o.Blocks) + 1, Step: s.ID, Cell: cell})
	}
	return s.ID
}

// Spread gives a step the first of the placements and adds a step for each
// other one. It returns the ids of all of them, in the order of the placements.
// What was numbered before keeps its numbers.
func (o *Outline) Spread(p Plan, step int, placements []string) []int {
	s := o.Step(step)
	s.Placement = placements[0]
	o.place(p, s)
	ids := []int{step}
	base := *s
	for _, placement := range placements[1:] {
		base.Placement = placement
		ids = append(ids, o.add(p, base))
	}
	return ids
}

// place gives the blocks of a step the cells of its placement. Where no other load
// of the model was placed yet, those are its own, which get the placement.
func (o *Outline) place(p Plan, s *Step) {
	placed := slices.ContainsFunc(o.Cells, func(c Cell) bool {
		return c.Engine == s.Engine && c.Model == s.Model && c.Placement == s.Placement
	})
	if !placed {
		for _, b := range o.BlocksOf(s.ID) {
			if !b.Warmup() {
				o.Cell(b.Cell).Placement = s.Placement
			}
		}
		return
	}
	cells := o.cellsOf(p, *s)
	for i := range o.Blocks {
		if b := &o.Blocks[i]; b.Step == s.ID && !b.Warmup() {
			b.Cell, cells = cells[0], cells[1:]
		}
	}
}

// Step returns the step of that id, which must be one of the outline's.
func (o *Outline) Step(id int) *Step { return &o.Steps[id-1] }

// Cell returns the cell of that id, which must be one of the outline's.
func (o *Outline) Cell(id int) *Cell { return &o.Cells[id-1] }

// BlocksOf returns the blocks of a step in the order in which they run.
func (o *Outline) BlocksOf(step int) []Block {
	var blocks []Block
	for _, b := range o.Blocks {
		if b.Step == step {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// CellsOf returns the cells that have a block in a step.
func (o *Outline) CellsOf(step int) []Cell {
	var cells []Cell
	for _, b := range o.BlocksOf(step) {
		if !b.Warmup() {
			cells = append(cells, *o.Cell(b.Cell))
		}
	}
	return cells
}
