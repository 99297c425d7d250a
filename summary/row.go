package summary

import (
	"iter"

	"exobench"
)

// Row is one measured request, whatever its outcome, with what it belongs to.
type Row struct {
	// Record is valid during the call that hands the row over.
	Record *exobench.Record
	Block  exobench.Block
	Cell   *Cell
	Step   *Step
	Memory RequestMemory
	Energy RequestEnergy
}

// Rows calls emit for each measured request in the order of the entries, which
// must be those that the fold was given; they may be used again. It stops at the
// first error. Nothing may be added to the fold meanwhile.
func (r *Run) Rows(entries iter.Seq[exobench.Entry], emit func(Row) error) error {
	var row Row
	var m *memory
	var g *gpus
	var p *metered
	var idle *float64
	for entry := range entries {
		record, ok := entry.(*exobench.Record)
		if !ok {
			continue
		}
		if row.Cell == nil || record.Block != row.Block.ID {
			b := r.fold.blocks[record.Block]
			if b == nil || !r.fold.placed(b) {
				continue
			}
			s := r.fold.steps[b.Step]
			row = Row{Block: b.Block, Cell: r.Cell(b.Cell), Step: r.Step(b.Step)}
			m, g, p, idle = s.memory(), s.gpus(), r.fold.powerOf(s, r.fold.chosen[s.Engine]), nil
			if len(row.Cell.Energy) > 0 {
				idle = row.Cell.Energy[0].Idle
			}
		}
		under := span{record.Sent, record.Done, record.Ended}
		row.Record = record
		row.Memory = m.of(under, m.during(under))
		row.Memory.GPU = g.of(under)
		row.Energy = p.ofRequest(under.sent, record.FirstToken, under.done, idle)
		if err := emit(row); err != nil {
			return err
		}
	}
	return nil
}
