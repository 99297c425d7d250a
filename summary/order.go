package summary

import (
	"cmp"
	"slices"

	"exobench"
)

// order is the one in which reports show things.
type order struct{ models, engines []string }

// newOrder merges the orders of the plan and of the engines, which may know a
// model by another name than it was asked for, and may lack some.
func newOrder(h *exobench.Header) order {
	o := order{models: slices.Clone(h.Plan.Models)}
	for _, e := range h.Engines {
		o.engines = append(o.engines, e.Name)
		next := 0
		for _, m := range e.Models {
			i := slices.Index(o.models, m.Name)
			if i < 0 {
				i = next
				o.models = slices.Insert(o.models, i, m.Name)
			}
			next = i + 1
		}
	}
	return o
}

// rank returns the place of a name among those in order, or one after the last.
func rank(order []string, name string) int {
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	return len(order)
}

func (o order) subjects(a, b Subject) int {
	return cmp.Or(
		cmp.Compare(rank(o.models, a.Model), rank(o.models, b.Model)),
		cmp.Compare(a.Model, b.Model),
		cmp.Compare(rank(o.engines, a.Engine), rank(o.engines, b.Engine)),
		cmp.Compare(a.Engine, b.Engine),
	)
}

func (o order) cells(a, b Cell) int {
	return cmp.Or(
		o.subjects(a.Subject, b.Subject),
		cmp.Compare(a.ModelID, b.ModelID),
		cmp.Compare(a.Placement, b.Placement),
		cmp.Compare(a.Traffic.Concurrency, b.Traffic.Concurrency),
		cmp.Compare(a.Traffic.Rate, b.Traffic.Rate),
		cmp.Compare(a.ID, b.ID),
	)
}

// Subjects returns every model on every engine that has it, in the plan's order
// of models and then in the header's of engines, so that the engines of a model
// stand side by side.
func (r *Run) Subjects() []Subject {
	var all []Subject
	for _, e := range r.Header.Engines {
		for _, m := range e.Models {
			all = append(all, Subject{e.Name, m.Name})
		}
	}
	for _, s := range r.Steps {
		all = append(all, s.Subject)
	}
	for _, c := range r.Cells {
		all = append(all, c.Subject)
	}
	slices.SortFunc(all, newOrder(&r.Header).subjects)
	return slices.Compact(all)
}

// CellsOf returns the cells of one subject, in the run's order.
func (r *Run) CellsOf(s Subject) []Cell {
	var cells []Cell
	for _, c := range r.Cells {
		if c.Subject == s {
			cells = append(cells, c)
		}
	}
	return cells
}

// StepsOf returns the steps of one subject, in order.
func (r *Run) StepsOf(s Subject) []Step {
	var steps []Step
	for _, step := range r.Steps {
		if step.Subject == s {
			steps = append(steps, step)
		}
	}
	return steps
}

// Warnings says what about the run as a whole the reader must know first.
func (r *Run) Warnings() []Warning {
	var all []Warning
	warn := func(f Figures) { all = append(all, Warning{Kind: f.kind(), Figures: f}) }
	switch {
	case r.Incomplete:
		warn(CutOff{r.Requests})
	case r.Interrupted:
		warn(StoppedEarly{r.Requests})
	case r.End.Reason == exobench.EndFailed:
		warn(BrokenOff{r.Requests, r.End.Error})
	}
	if r.Damaged > 0 {
		warn(DamagedLines{r.Damaged, r.DamagedAt})
	}
	if r.Replaced > 0 {
		warn(DoneAgain{r.Replaced})
	}
	if r.Unplaced > 0 {
		warn(UnplacedRequests{r.Unplaced})
	}
	return all
}
