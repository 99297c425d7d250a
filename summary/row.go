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
	// Energy is in joules; nil where unknown.
	Energy *float64
}

// Rows calls emit for each measured request in the order of the entries, which
// must be those that the fold was given; they may be used again. It stops at the
// first error. Nothing may be added to the fold meanwhile.
func (r *Run) Rows(entries iter.Seq[exobench.Entry], emit func(Row) error) error {
	return nil
}
