package run

import (
	"slices"

	"exobench"
)

// Past is what earlier sessions of a run did, by their entries. The zero Past
// knows of none. It keeps no entry.
type Past struct {
	// Last is the id of the last session, and End its end; nil where that
	// session was cut off.
	Last int
	End  *exobench.End

	seq    int // of the latest request
	cells  map[int]bool
	steps  map[int]*pastStep
	blocks map[int]*pastBlock
	notes  map[exobench.Note]bool // without their instants and sessions
}

// pastStep is a step of an earlier session.
type pastStep struct {
	exobench.Step
	// begun reports whether anything of it happened.
	begun bool
	end   exobench.StepEndReason
}

// pastBlock is a block of an earlier session, which began.
type pastBlock struct {
	exobench.Block
	records int
	end     exobench.BlockEndReason
	repeats int // as BlockEnd.Repeats
}

// Add takes an entry in.
func (p *Past) Add(entry exobench.Entry) {
	switch e := entry.(type) {
	case *exobench.Session:
		p.Last, p.End = e.ID, nil
	case *exobench.Step:
		p.step(e.ID).Step = *e
	case *exobench.Cell:
		if p.cells == nil {
			p.cells = map[int]bool{}
		}
		p.cells[e.ID] = true
	case *exobench.Block:
		p.block(e.ID).Block = *e
		p.step(e.Step).begun = true
	case *exobench.StageEvent:
		p.step(e.Step).begun = true
	case *exobench.Sample:
		p.step(e.Step).begun = true
	case *exobench.Record:
		p.seq = max(p.seq, e.Seq)
		p.block(e.Block).records++
	case *exobench.BlockEnd:
		p.block(e.Block).end, p.block(e.Block).repeats = e.Reason, e.Repeats
	case *exobench.StepEnd:
		s := p.step(e.Step)
		s.begun, s.end = true, e.Reason
	case *exobench.Note:
		if p.notes == nil {
			p.notes = map[exobench.Note]bool{}
		}
		p.notes[exobench.Note{Engine: e.Engine, Step: e.Step, Text: e.Text}] = true
	case *exobench.End:
		p.Last, p.End = e.Session, new(*e)
	}
}

func (p *Past) step(id int) *pastStep {
	if p.steps == nil {
		p.steps = map[int]*pastStep{}
	}
	if p.steps[id] == nil {
		p.steps[id] = &pastStep{Step: exobench.Step{ID: id}}
	}
	return p.steps[id]
}

// block returns the block of an id: that something is told of it means that it
// began.
func (p *Past) block(id int) *pastBlock {
	if p.blocks == nil {
		p.blocks = map[int]*pastBlock{}
	}
	if p.blocks[id] == nil {
		p.blocks[id] = &pastBlock{Block: exobench.Block{ID: id}}
	}
	return p.blocks[id]
}

// begun reports whether anything of a planned step happened.
func (p *Past) begun(step int) bool {
	s := p.steps[step]
	return s != nil && s.begun
}

// over reports whether a planned step came to an end that another session would
// not change: its model could not be measured. That exobench itself failed in it
// is none.
func (p *Past) over(step int) bool {
	for _, s := range p.steps {
		if (s.ID == step || s.Resumes == step) && s.end == exobench.StepFailed && !p.broke(s.ID) {
			return true
		}
	}
	return false
}

// broke reports whether exobench failed in a step.
func (p *Past) broke(step int) bool {
	for _, b := range p.blocks {
		if b.Step == step && b.end == exobench.BlockFailed {
			return true
		}
	}
	return false
}

// finished reports whether a planned block has been measured, or another in its
// place. One that has fewer requests than planned, or whose step or cell is not
// told of, since lines of the journal are damaged, has not. A silent engine has been measured: that it was is the result.
func (p *Past) finished(block int, stop exobench.Stop, prompts int) bool {
	for _, b := range p.blocks {
		if b.Planned() != block || !p.placed(b) {
			continue
		}
		switch b.end {
		case exobench.BlockTime, exobench.BlockNoAnswer:
			return true
		case exobench.BlockDone:
			if b.records >= stop.Count(prompts) {
				return true
			}
		case exobench.BlockPrecise:
			if b.records >= b.repeats*prompts {
				return true
			}
		}
	}
	return false
}

// placed reports whether the requests of a block are in the figures of a cell.
func (p *Past) placed(b *pastBlock) bool {
	s := p.steps[b.Step]
	return b.Step != 0 && p.cells[b.Cell] && s != nil && s.Session != 0
}

// tried reports whether a planned block was begun, or another in its place.
func (p *Past) tried(block int) bool {
	for _, b := range p.blocks {
		if b.ID == block || b.Replaces == block {
			return true
		}
	}
	return false
}

// placementsOf returns the placements that a step of the plan was spread over, in
// their order; none where it was not. A nil Past knows of none.
func (p *Past) placementsOf(step exobench.Step) []string {
	if p == nil {
		return nil
	}
	var ids []int
	for id, s := range p.steps {
		if s.Resumes == 0 && s.Engine == step.Engine && s.Model == step.Model && s.Step.Placement != "" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	var placements []string
	for _, id := range ids {
		placements = append(placements, p.steps[id].Step.Placement)
	}
	return placements
}

// lastPlanned returns the greatest id of the steps that are the plan's.
func (p *Past) lastPlanned() int {
	last := 0
	for id, s := range p.steps {
		if s.Resumes == 0 {
			last = max(last, id)
		}
	}
	return last
}

// waiting returns the step that an earlier session meant to go on with a planned
// one in, and did not begin.
func (p *Past) waiting(step int) (id int, ok bool) {
	for id, s := range p.steps {
		if s.Resumes == step && !s.begun {
			return id, true
		}
	}
	return 0, false
}

// noted reports whether an earlier session said the same. A nil Past did not.
func (p *Past) noted(n exobench.Note) bool { return p != nil && p.notes[n] }

// extends reports whether a list begins with another.
func extends(list, with []string) bool {
	return len(list) >= len(with) && slices.Equal(list[:len(with)], with)
}
