package report

import (
	"exobench/summary"
)

// line is one row of a table over cells: a cell, or a model that has none and
// why.
type line struct {
	cell summary.Cell
	why  string // empty where there is a cell
}

// lines returns the rows of a table over cells, in the run's order of models.
func lines(run *summary.Run) []line {
	var all []line
	for _, model := range run.Models() {
		cells := run.CellsOf(model)
		for _, c := range cells {
			all = append(all, line{cell: c})
		}
		if len(cells) == 0 {
			all = append(all, missing(run, model))
		}
	}
	return all
}

// notRun is why a model of the plan has neither cells nor a failure.
const notRun = "not run"

func missing(run *summary.Run, model string) line {
	l := line{cell: summary.Cell{Key: summary.Key{Engine: run.Header.Engines[0].Name, Model: model}}, why: notRun}
	for _, m := range run.Header.Engines[0].Models {
		if m.Name == model {
			l.cell.ModelID = m.ID
		}
	}
	if f, ok := run.FailureOf(model); ok {
		l.cell.ModelID, l.cell.Placement = f.ModelID, f.Placement
		l.why = f.Error
		if l.why == "" {
			l.why = "failed after stage " + string(f.After)
		}
	}
	return l
}

// state says in one word how the run ended.
func state(run *summary.Run) string {
	if run.Incomplete {
		return "incomplete"
	}
	return string(run.End.Reason)
}
