package summary

import (
	"iter"

	"exobench"
)

// Fold takes the entries of a journal in, in any order, and shows at any time
// what they come to so far. It keeps no entry, so that they may be used again.
// It is not safe for concurrent use.
type Fold struct {
}

// NewFold returns a fold that was told nothing.
func NewFold() *Fold { return &Fold{} }

// Add takes an entry in. An error says that the entry cannot belong to the same
// run as the ones before; the fold is as it was.
func (f *Fold) Add(entry exobench.Entry) error { return nil }

// Snapshot returns what the entries come to. It may be called at any time and
// any number of times, and does not change what later ones return. Only cells
// of which something was told since the last snapshot are worked out anew: that
// takes a sort of each metric of their requests, some 10 ms for 10,000 requests.
func (f *Fold) Snapshot() *Run { return &Run{fold: f} }

// Peek is how a cell is doing.
type Peek struct {
	Requests, N int
	Outcomes    map[exobench.Outcome]int
	// LastError is that of the request that was added last of those that have
	// one.
	LastError string
	// TokenRate and Latency are the medians over the OK requests, in tokens/s and
	// seconds; nil where none gives them.
	TokenRate, Latency *float64
}

// Peek returns how a cell is doing, without a snapshot. What came since the last
// peek at the cell is sorted and merged with what was there: of n requests, k of
// them new, it takes the time of copying n numbers and of sorting k.
func (f *Fold) Peek(cell int) Peek { return Peek{} }

// Build folds a whole journal. It fails where the entries have no header, or are
// of more than one run.
func Build(entries iter.Seq[exobench.Entry]) (*Run, error) { return nil, nil }

// Subjects returns every model on every engine that has it, in the plan's order
// of models and then in the header's of engines, so that the engines of a model
// stand side by side.
func (r *Run) Subjects() []Subject { return nil }

// CellsOf returns the cells of one subject.
func (r *Run) CellsOf(s Subject) []Cell { return nil }

// StepsOf returns the steps of one subject.
func (r *Run) StepsOf(s Subject) []Step { return nil }

// Warnings says what about the run as a whole the reader must know first.
func (r *Run) Warnings() []Warning { return nil }
