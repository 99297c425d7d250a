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
	for _, subject := range run.Subjects() {
		cells := run.CellsOf(subject)
		for _, c := range cells {
			all = append(all, line{cell: c})
		}
		if len(cells) == 0 {
			all = append(all, missing(run, subject))
		}
	}
	return all
}

// notRun is why a model of the plan has neither cells nor a failure.
const notRun = "not run"

func missing(run *summary.Run, subject summary.Subject) line {
	l := line{cell: summary.Cell{Key: summary.Key{Engine: subject.Engine, Model: subject.Model}}, why: notRun}
	engine, _ := run.Header.Engine(subject.Engine)
	for _, m := range engine.Models {
		if m.Name == subject.Model {
			l.cell.ModelID = m.ID
		}
	}
	if f, ok := run.FailureOf(subject); ok {
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
