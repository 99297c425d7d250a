package summary

import (
	"slices"
	"time"

	"exobench"
)

// situate says where a cell ran, or is to run, how far it is, and what the
// loads of its model took. Its figures are there.
func (f *Fold) situate(cell *Cell, c *cell, run *Run, blocks []*block, waiting map[place][]int) {
	cell.ModelID, cell.Placement = c.Model.ID, c.Placement
	for _, b := range blocks {
		cell.Blocks = append(cell.Blocks, b.ID)
		cell.Steps = append(cell.Steps, b.Step)
	}
	if len(blocks) == 0 {
		cell.Steps = slices.Clone(waiting[place{c.Engine, c.Model, c.Placement}])
	}
	slices.Sort(cell.Steps)
	cell.Steps = slices.Compact(cell.Steps)

	var loading, downloading []time.Duration
	for _, id := range cell.Steps {
		step := run.Step(id)
		if step == nil {
			continue
		}
		step.Cells = append(step.Cells, cell.ID)
		if c.Placement == "" {
			cell.Placement = step.Placement
		}
		if step.State == Failed {
			cell.Error = step.Error
		}
		if step.Load != nil {
			loading, downloading = append(loading, step.Load.Loading), append(downloading, step.Load.Downloading)
		}
	}
	cell.State = f.stateOf(cell, run, blocks)
	totals := c.totals
	totals.Loading, totals.Downloading = medianSpan(loading), medianSpan(downloading)
	cell.Values = valuesOf(&totals)
}

// place is where a cell without a block is to run: in the steps of its model on
// its engine that want its placement, and of those that resume each other in the
// last.
type place struct {
	engine    string
	model     exobench.Model
	placement string
}

// waiting returns the steps of each place.
func (f *Fold) waiting() map[place][]int {
	resumed := map[int]int{}
	for id, s := range f.steps {
		resumed[s.Resumes] = max(resumed[s.Resumes], id)
	}
	all := map[place][]int{}
	for id, s := range f.steps {
		last := resumed[id] == 0
		if s.Resumes != 0 {
			last = resumed[s.Resumes] == id
		}
		if s.known && last {
			at := place{s.Engine, s.Model, s.Step.Placement}
			all[at] = append(all[at], id)
		}
	}
	return all
}

// stateOf says how far a cell is: as far as its last block, or where it has none
// as the first of its steps that is not over.
func (f *Fold) stateOf(cell *Cell, run *Run, blocks []*block) State {
	if len(blocks) == 0 {
		state := Planned
		for _, id := range cell.Steps {
			switch step := run.Step(id); {
			case step.State == Loading, step.State == Failed:
				state = step.State
			case step.State == Interrupted && state == Planned:
				state = Interrupted
			}
		}
		return state
	}
	last := blocks[len(blocks)-1]
	if last.end == nil {
		switch step := run.Step(last.Step); step.State {
		case Failed, Interrupted:
			return step.State
		}
		return Measuring
	}
	switch last.end.Reason {
	case exobench.BlockInterrupted:
		return Interrupted
	case exobench.BlockNoAnswer, exobench.BlockFailed:
		return Failed
	}
	return Done
}
