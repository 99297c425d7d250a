package summary

import (
	"cmp"
	"fmt"
	"slices"

	"exobench"
)

// Models returns the name of every model of the run, in the plan's order and
// then by name: those with cells, those that failed, and those that the run
// never came to.
func (r *Run) Models() []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range r.planned() {
		add(name)
	}
	planned := len(names)
	for _, c := range r.Cells {
		add(c.Model)
	}
	for _, f := range r.Failures {
		add(f.Model)
	}
	slices.Sort(names[planned:])
	return names
}

// CellsOf returns the cells of one model.
func (r *Run) CellsOf(model string) []Cell {
	var cells []Cell
	for _, c := range r.Cells {
		if c.Model == model {
			cells = append(cells, c)
		}
	}
	return cells
}

// FailureOf returns the failure of one model, if it failed.
func (r *Run) FailureOf(model string) (Failure, bool) {
	i := slices.IndexFunc(r.Failures, func(f Failure) bool { return f.Model == model })
	if i < 0 {
		return Failure{}, false
	}
	return r.Failures[i], true
}

func (r *Run) compareCells(a, b Cell) int {
	return cmp.Or(
		cmp.Compare(r.rank(a.Model), r.rank(b.Model)),
		cmp.Compare(a.Model, b.Model),
		cmp.Compare(a.ModelID, b.ModelID),
		cmp.Compare(a.Placement, b.Placement),
		cmp.Compare(a.Concurrency, b.Concurrency),
		cmp.Compare(a.Engine, b.Engine),
	)
}

// planned returns the models of the plan as the engine knows them, or as they
// were asked for where the engine was not asked.
func (r *Run) planned() []string {
	if len(r.Header.Engines[0].Models) == 0 {
		return r.Header.Plan.Models
	}
	var names []string
	for _, m := range r.Header.Engines[0].Models {
		names = append(names, m.Name)
	}
	return names
}

// rank returns the place of a model in the plan, or one after the last.
func (r *Run) rank(model string) int {
	planned := r.planned()
	if i := slices.Index(planned, model); i >= 0 {
		return i
	}
	return len(planned)
}

// Warnings says what about the run as a whole the reader must know first.
func (r *Run) Warnings() []string {
	var warnings []string
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	switch {
	case r.Incomplete:
		warn("The run is incomplete: it was cut off after %d measured requests. What follows is of those only.", r.Requests)
	case r.Interrupted:
		warn("The run was interrupted after %d measured requests. What follows is of those only.", r.Requests)
	case r.End.Reason == exobench.EndFailed:
		warn("The run failed after %d measured requests: %s", r.Requests, r.End.Error)
	}
	if r.Damaged > 0 {
		warn("%d damaged lines of the journal were skipped; what they held is missing from every figure.", r.Damaged)
	}
	return warnings
}

// LoadOf returns the last load of a model on a placement.
func (r *Run) LoadOf(model, placement string) (Load, bool) {
	for i := len(r.Loads) - 1; i >= 0; i-- {
		if l := r.Loads[i]; l.Model == model && (l.Placement == placement || l.Placement == "") {
			return l, true
		}
	}
	return Load{}, false
}
