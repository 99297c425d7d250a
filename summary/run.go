package summary

import (
	"cmp"
	"slices"

	"exobench"
)

// Run is everything that a report says of a run, as far as it was told. Nobody
// may change what it holds: snapshots of one fold share it.
type Run struct {
	Header exobench.Header `json:"header"`
	// Sessions are the processes that wrote the journal, in the order of their
	// ids.
	Sessions []exobench.Session `json:"sessions"`
	// Steps are all that are known, those that have not begun included, in the
	// order of their ids.
	Steps []Step `json:"steps"`
	// Cells are all that are known, those that were never measured included: in
	// the plan's order of models, then in the header's of engines, then by
	// placement, concurrency, rate and id.
	Cells []Cell `json:"cells"`
	// Notes are in the order of their sessions and then of time.
	Notes []exobench.Note `json:"notes"`
	// End is that of the last session; nil where it has none: the run then goes
	// on, or was cut off, and is Incomplete.
	End         *exobench.End `json:"end"`
	Incomplete  bool          `json:"incomplete"`
	Interrupted bool          `json:"interrupted"`
	// Requests and Warmups count the requests of cells and the warm-ups. Replaced
	// counts those of blocks that were cut short and done again as a whole, and
	// Unplaced those of blocks that nothing else tells of: these enter no figure.
	Requests int `json:"requests"`
	Warmups  int `json:"warmups"`
	Replaced int `json:"replaced"`
	Unplaced int `json:"unplaced"`
	// Damaged is how many lines of the journal could not be read, and DamagedAt
	// the numbers of the first of them; whoever reads the journal sets them.
	Damaged   int   `json:"damaged_lines"`
	DamagedAt []int `json:"-"`
	// Calibrations are the harness's own error before the run, in the order of
	// their sessions and then of time. Cells hold the one that speaks for them.
	Calibrations []exobench.Calibration `json:"calibrations"`

	fold *Fold
	index
}

// index finds what is asked for again and again for each of thousands of cells.
type index struct {
	cells        map[int]int          // the places of cells, by id
	placements   map[Subject][]string // where each subject was put, or was to be
	closed, open bool                 // which loops there are
}

// newIndex makes the index of a run's cells.
func newIndex(cells []Cell) index {
	i := index{cells: make(map[int]int, len(cells)), placements: map[Subject][]string{}}
	for place := range cells {
		c := &cells[place]
		i.cells[c.ID] = place
		if all := i.placements[c.Subject]; c.Placement != "" && !slices.Contains(all, c.Placement) {
			i.placements[c.Subject] = append(all, c.Placement)
		}
		i.closed, i.open = i.closed || !c.Traffic.Open(), i.open || c.Traffic.Open()
	}
	return i
}

// Step returns the step of that id; nil where none is known.
func (r *Run) Step(id int) *Step {
	i, ok := slices.BinarySearchFunc(r.Steps, id, func(s Step, id int) int { return cmp.Compare(s.ID, id) })
	if !ok {
		return nil
	}
	return &r.Steps[i]
}

// Cell returns the cell of that id; nil where none is known.
func (r *Run) Cell(id int) *Cell {
	i, ok := r.index.cells[id]
	if !ok {
		return nil
	}
	return &r.Cells[i]
}

// Placements lists where a subject was put, or was to be, in the order of its
// cells.
func (r *Run) Placements(s Subject) []string { return r.index.placements[s] }

// Loops reports which kinds of traffic the run has.
func (r *Run) Loops() (closed, open bool) { return r.index.closed, r.index.open }

// State says how far a step or a cell is.
type State string

// The states. What was under way when its session ended, or when a later one
// began, is Interrupted. What was under way when the journal was cut off still
// is.
const (
	// Planned: it has not begun. In a run that ended it never ran.
	Planned State = "planned"
	// Loading: the model is on its way onto the engine.
	Loading State = "loading"
	// Measuring: the model is ready, or requests of the cell are under way.
	Measuring State = "measuring"
	// Done: a step whose model was taken away, a cell that has been measured.
	Done State = "done"
	// Kept: a step that is done and whose model was left on the engine.
	Kept State = "kept"
	// Failed: it could not be measured, or no further; Error says why.
	Failed State = "failed"
	// Interrupted: it was cut short with the run.
	Interrupted State = "interrupted"
)

// Begun reports whether anything of it happened.
func (s State) Begun() bool { return s != Planned }

// Ended reports whether no more of it is to come.
func (s State) Ended() bool {
	return s == Done || s == Kept || s == Failed || s == Interrupted
}

// Subject is one model on one engine.
type Subject struct {
	Engine string `json:"engine"`
	Model  string `json:"model"`
}
