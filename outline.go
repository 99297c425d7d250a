package exobench

// Step is one bring-up of a model: one engine, one model, one placement, from
// before the load until the model is gone.
type Step struct {
	// ID numbers the steps of a run from 1.
	ID int `json:"id"`
	// Session is the process that carries it out; Instants of what happens in
	// the step are since that session's epoch.
	Session int    `json:"session"`
	Engine  string `json:"engine"` // the label of one of the header's engines
	Model   Model  `json:"model"`
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
// models are known: for each engine and each of its models one step, with a
// block of warm-ups where the plan wants them and a block for the cell of each
// traffic.
func NewOutline(p Plan, engines []Engine, session int) *Outline {
	o := new(Outline)
	for _, e := range engines {
		for _, m := range e.Models {
			o.add(p, Step{Session: session, Engine: e.Name, Model: m})
		}
	}
	return o
}

// add appends a step with its cells and blocks, and returns its id.
func (o *Outline) add(p Plan, s Step) int {
	s.ID = len(o.Steps) + 1
	o.Steps = append(o.Steps, s)
	if p.Warmups() > 0 {
		o.Blocks = append(o.Blocks, Block{ID: len(o.Blocks) + 1, Step: s.ID})
	}
	for _, t := range p.Traffic {
		c := Cell{ID: len(o.Cells) + 1, Engine: s.Engine, Model: s.Model, Placement: s.Placement, Traffic: t, Stop: p.Stop}
		o.Cells = append(o.Cells, c)
		o.Blocks = append(o.Blocks, Block{ID: len(o.Blocks) + 1, Step: s.ID, Cell: c.ID})
	}
	return s.ID
}

// Spread gives a step the first of the placements and adds a step for each
// other one. It returns the ids of all of them, in the order of the placements.
// What was numbered before keeps its numbers.
func (o *Outline) Spread(p Plan, step int, placements []string) []int {
	ids := []int{step}
	s := o.Step(step)
	s.Placement = placements[0]
	for _, b := range o.BlocksOf(step) {
		if !b.Warmup() {
			o.Cell(b.Cell).Placement = placements[0]
		}
	}
	base := *s
	for _, placement := range placements[1:] {
		base.Placement = placement
		ids = append(ids, o.add(p, base))
	}
	return ids
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
