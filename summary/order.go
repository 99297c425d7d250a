package summary

import (
	"cmp"
	"fmt"
	"slices"

	"exobench"
)

// Subject is one model on one engine.
type Subject struct{ Engine, Model string }

// Subject returns what the cell is of.
func (k Key) Subject() Subject { return Subject{k.Engine, k.Model} }

// Subjects returns every model on every engine of the run, model by model in
// the plan's order, so that a model's engines stand beside each other: those
// with cells, those that failed, and those that the run never came to.
func (r *Run) Subjects() []Subject {
	var all []Subject
	add := func(s Subject) {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	for _, e := range r.Header.Engines {
		for _, m := range e.Models {
			add(Subject{e.Name, m.Name})
		}
	}
	for _, c := range r.Cells {
		add(c.Subject())
	}
	for _, f := range r.Failures {
		add(Subject{f.Engine, f.Model})
	}
	slices.SortFunc(all, r.compareSubjects)
	return all
}

// CellsOf returns the cells of one model on one engine.
func (r *Run) CellsOf(s Subject) []Cell {
	var cells []Cell
	for _, c := range r.Cells {
		if c.Subject() == s {
			cells = append(cells, c)
		}
	}
	return cells
}

// FailureOf returns the failure of one model on one engine, if it failed.
func (r *Run) FailureOf(s Subject) (Failure, bool) {
	i := slices.IndexFunc(r.Failures, func(f Failure) bool { return f.Engine == s.Engine && f.Model == s.Model })
	if i < 0 {
		return Failure{}, false
	}
	return r.Failures[i], true
}

func (r *Run) compareSubjects(a, b Subject) int {
	return cmp.Or(
		cmp.Compare(r.rank(a.Model), r.rank(b.Model)),
		cmp.Compare(a.Model, b.Model),
		cmp.Compare(r.engineRank(a.Engine), r.engineRank(b.Engine)),
		cmp.Compare(a.Engine, b.Engine),
	)
}

func (r *Run) compareCells(a, b Cell) int {
	return cmp.Or(
		r.compareSubjects(a.Subject(), b.Subject()),
		cmp.Compare(a.ModelID, b.ModelID),
		cmp.Compare(a.Placement, b.Placement),
		cmp.Compare(a.Concurrency, b.Concurrency),
	)
}

// rank returns the place of a model among those that the engines were asked
// for, or one after the last.
func (r *Run) rank(model string) int {
	n := 0
	for _, e := range r.Header.Engines {
		for i, m := range e.Models {
			if m.Name == model {
				return i
			}
		}
		n = max(n, len(e.Models))
	}
	return n
}

func (r *Run) engineRank(engine string) int {
	i := slices.IndexFunc(r.Header.Engines, func(e exobench.Engine) bool { return e.Name == engine })
	if i < 0 {
		return len(r.Header.Engines)
	}
	return i
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

// LoadOf returns the last load of a model on an engine and a placement.
func (r *Run) LoadOf(subject Subject, placement string) (Load, bool) {
	for i := len(r.Loads) - 1; i >= 0; i-- {
		l := r.Loads[i]
		if l.Engine == subject.Engine && l.Model == subject.Model && (l.Placement == placement || l.Placement == "") {
			return l, true
		}
	}
	return Load{}, false
}
