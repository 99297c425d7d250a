package run

import (
	"context"
	"slices"

	"exobench"
)

// part is a step that a resumed run still has to do, with its blocks.
type part struct {
	exobench.Step
	blocks []exobench.Block
}

// resume does what earlier sessions left of the plan. Finished blocks are kept.
// One that was cut short is done again as a whole, in a step that loads its model
// again: a block is what statistics resample, and half of one after another load,
// with other caches and memory, is none.
func (x *execution) resume(ctx context.Context) {
	x.seq = x.Past.seq
	parts := x.left(x.plannedSteps(ctx))
	for _, p := range parts {
		x.append(&p.Step)
		for _, b := range p.blocks {
			if !b.Warmup() {
				x.append(x.outline.Cell(b.Cell))
			}
		}
	}
	if len(parts) > 0 {
		x.preliminaries(ctx)
	}
	for _, p := range parts {
		if x.goesOn(ctx) {
			x.step(ctx, p.Step, p.blocks)
		}
	}
}

// plannedSteps returns the ids of the plan's steps in the order in which they run.
// All that are spread over placements are spread here, before anything new is
// numbered, so that each has the number that it has in a run without a break.
func (x *execution) plannedSteps(ctx context.Context) []int {
	var ids []int
	last := x.Past.lastPlanned()
	for _, planned := range slices.Clone(x.outline.Steps) {
		known := x.Past.placementsOf(planned)
		switch {
		case x.Past.over(planned.ID) && len(known) == 0:
			ids = append(ids, planned.ID)
		case len(known) > 0 && len(x.outline.Steps)+len(known)-1 < last:
			// Others were spread after it, so these are all.
			ids = append(ids, x.outline.Spread(x.Plan, planned.ID, known)...)
		default:
			ids = append(ids, x.spread(ctx, planned.ID)...)
		}
	}
	return ids
}

// left returns what is left of the plan's steps.
func (x *execution) left(ids []int) []part {
	// What is new is numbered after all that there is.
	step, block := len(x.outline.Steps), 0
	for id := range x.Past.steps {
		step = max(step, id)
	}
	for _, b := range x.outline.Blocks {
		block = max(block, b.ID)
	}
	for id := range x.Past.blocks {
		block = max(block, id)
	}
	var parts []part
	for _, id := range ids {
		p := part{*x.outline.Step(id), x.outline.BlocksOf(id)}
		if x.Past.begun(id) {
			rest := x.unfinished(p.blocks)
			if len(rest) == 0 || x.Past.over(id) {
				continue
			}
			p.Resumes = id
			if waiting, ok := x.Past.waiting(id); ok {
				p.ID = waiting
			} else {
				step++
				p.ID = step
			}
			p.blocks = p.blocks[:0]
			if x.Plan.Warmup > 0 {
				block++
				p.blocks = append(p.blocks, exobench.Block{ID: block})
			}
			for _, b := range rest {
				if x.Past.tried(b.ID) {
					block++
					b.ID, b.Replaces = block, b.ID
				}
				p.blocks = append(p.blocks, b)
			}
			for i := range p.blocks {
				p.blocks[i].Step = p.ID
			}
		}
		parts = append(parts, p)
	}
	return parts
}

// unfinished returns the blocks of cells that have not been measured.
func (x *execution) unfinished(blocks []exobench.Block) []exobench.Block {
	return slices.DeleteFunc(slices.Clone(blocks), func(b exobench.Block) bool {
		return b.Warmup() || x.Past.finished(b.ID, x.outline.Cell(b.Cell).Stop, len(x.Plan.Workload.Prompts))
	})
}
