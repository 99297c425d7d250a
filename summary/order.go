package summary

import (
	"cmp"
	"slices"

	"exobench"
)

// Subject is one model on one engine: what is loaded, and what can fail.
type Subject struct{ Engine, Model string }

// Subjects returns every model on every engine that has it, in the plan's order
// of models and then in the header's of engines, so that the engines of a model
// stand side by side: those with cells, those that failed, and those that the
// run never came to.
func (r *Run) Subjects() []Subject {
	var all []Subject
	for _, e := range r.Header.Engines {
		for _, m := range e.Models {
			all = append(all, Subject{e.Name, m.Name})
		}
	}
	if len(all) == 0 && len(r.Header.Engines) < 2 {
		// The engine was not asked: the models as the plan names them.
		engine := ""
		for _, e := range r.Header.Engines {
			engine = e.Name
		}
		for _, model := range r.Header.Plan.Models {
			all = append(all, Subject{engine, model})
		}
	}
	for _, c := range r.Cells {
		all = append(all, c.Subject)
	}
	for _, f := range r.Failures {
		all = append(all, f.Subject)
	}
	slices.SortFunc(all, r.compareSubjects)
	return slices.Compact(all)
}

// CellsOf returns the cells of one subject.
func (r *Run) CellsOf(s Subject) []Cell {
	var cells []Cell
	for _, c := range r.Cells {
		if c.Subject == s {
			cells = append(cells, c)
		}
	}
	return cells
}

// FailuresOf returns the failures of one subject, one for each placement.
func (r *Run) FailuresOf(s Subject) []Failure {
	var failures []Failure
	for _, f := range r.Failures {
		if f.Subject == s {
			failures = append(failures, f)
		}
	}
	return failures
}

// FailureOf returns the failure of one subject in a placement, if it failed
// there.
func (r *Run) FailureOf(s Subject, placement string) (Failure, bool) {
	return lastOf(r.FailuresOf(s), func(f Failure) bool { return samePlacement(f.Placement, placement) })
}

// LoadOf returns the last load of a subject in a placement.
func (r *Run) LoadOf(s Subject, placement string) (Load, bool) {
	return lastOf(r.Loads, func(l Load) bool {
		return l.Subject == s && (l.Placement == placement || l.Placement == "")
	})
}

func lastOf[T any](all []T, wanted func(T) bool) (last T, found bool) {
	for _, v := range slices.Backward(all) {
		if wanted(v) {
			return v, true
		}
	}
	return last, false
}

func (r *Run) compareCells(a, b Cell) int {
	return cmp.Or(
		r.compareSubjects(a.Subject, b.Subject),
		cmp.Compare(a.ModelID, b.ModelID),
		cmp.Compare(a.Placement, b.Placement),
		cmp.Compare(a.Concurrency, b.Concurrency),
		cmp.Compare(a.Rate, b.Rate),
	)
}

func (r *Run) compareSubjects(a, b Subject) int {
	return cmp.Or(
		cmp.Compare(rank(r.models, a.Model), rank(r.models, b.Model)),
		cmp.Compare(a.Model, b.Model),
		cmp.Compare(rank(r.engines, a.Engine), rank(r.engines, b.Engine)),
		cmp.Compare(a.Engine, b.Engine),
	)
}

// rank returns the place of a name among those in order, or one after the last.
func rank(order []string, name string) int {
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	return len(order)
}

func engineOrder(h exobench.Header) []string {
	var names []string
	for _, e := range h.Engines {
		names = append(names, e.Name)
	}
	return names
}

// modelOrder merges the orders of the plan and of the engines, which may know a
// model by another name than it was asked for, and may lack some.
func modelOrder(h exobench.Header) []string {
	names := slices.Clone(h.Plan.Models)
	for _, e := range h.Engines {
		next := 0
		for _, m := range e.Models {
			i := slices.Index(names, m.Name)
			if i < 0 {
				i = next
				names = slices.Insert(names, i, m.Name)
			}
			next = i + 1
		}
	}
	return names
}
