package summary

import (
	"iter"

	"exobench"
	"exobench/timeline"
)

// Row is one measured request, whatever its outcome, with what it belongs to.
type Row struct {
	// Record is valid during the call that hands the row over.
	Record *exobench.Record
	Block  exobench.Block
	Cell   *Cell
	Step   *Step
	Memory RequestMemory
	// Energy is in joules; nil where unknown.
	Energy *float64
}

// Rows calls emit for each measured request in the order of the entries, which
// must be those that the fold was given; they may be used again. It stops at the
// first error. Nothing may be added to the fold meanwhile.
func (r *Run) Rows(entries iter.Seq[exobench.Entry], emit func(Row) error) error {
	var row Row
	var m *memory
	var g *gpus
	var power []timeline.Curve
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
			m, g, power = s.memory(), s.gpus(), s.power()
		}
		under := span{record.Sent, record.Done, record.Ended}
		row.Record, row.Energy = record, nil
		row.Memory = m.of(under, m.during(under))
		row.Memory.GPU = g.of(under)
		if joules, ok := energy(power, under.sent, under.done); ok {
			row.Energy = &joules
		}
		if err := emit(row); err != nil {
			return err
		}
	}
	return nil
}
