package report

import (
	"slices"

	"exobench"
	"exobench/summary"
)

// line is one row of a table over cells: a cell, or a model on an engine that
// has none and why.
type line struct {
	cell summary.Cell
	why  string // empty where there is a cell
}

// lines returns the rows of a table over cells, in the run's order: the cells of
// each model on each engine, and after them the placements that have none.
func lines(run *summary.Run) []line {
	var all []line
	for _, s := range run.Subjects() {
		cells := run.CellsOf(s)
		for _, c := range cells {
			all = append(all, line{cell: c})
		}
		failures := run.FailuresOf(s)
		for _, f := range failures {
			measured := func(c summary.Cell) bool { return f.Placement == "" || c.Placement == f.Placement }
			if !slices.ContainsFunc(cells, measured) {
				all = append(all, failedLine(f))
			}
		}
		if len(cells) == 0 && len(failures) == 0 {
			all = append(all, notRunLine(run, s))
		}
	}
	return all
}

// notRun is why a model of the plan has neither cells nor a failure.
const notRun = "not run"

func notRunLine(run *summary.Run, s summary.Subject) line {
	l := line{cell: summary.Cell{Key: summary.Key{Subject: s}}, why: notRun}
	engine, _ := run.Header.Engine(s.Engine)
	for _, m := range engine.Models {
		if m.Name == s.Model {
			l.cell.ModelID = m.ID
		}
	}
	return l
}

func failedLine(f summary.Failure) line {
	l := line{cell: summary.Cell{Key: summary.Key{Subject: f.Subject, ModelID: f.ModelID, Placement: f.Placement}}, why: f.Error}
	if l.why == "" {
		l.why = "failed after stage " + string(f.After)
	}
	return l
}

// lineHeads are the headings over lineTexts.
func lineHeads(run *summary.Run) []string { return append(subjectHeads(run), loadHead(run)) }

// loadHead is the heading over loads: what they are numbers of.
func loadHead(run *summary.Run) string {
	if len(run.Header.Plan.Rates) > 0 {
		return "Rate"
	}
	return "Conc."
}

// lineTexts are the first columns of a table over cells; mark follows the
// model's name.
func lineTexts(run *summary.Run, l line, mark string) []string {
	concurrency := dash
	if l.why == "" {
		concurrency = l.cell.Load.String()
	}
	return append(subjectTexts(run, cellName(run, l.cell)+mark, l.cell.Engine), concurrency)
}

// state says in one word how the run ended.
func state(run *summary.Run) string {
	if run.Incomplete {
		return "incomplete"
	}
	return string(run.End.Reason)
}

// noteText gives a note and what it is of.
func noteText(run *summary.Run, n exobench.Note) string {
	text := oneLine(n.Text)
	switch {
	case n.Model != "":
		return subjectName(run, n.Model, n.Engine) + ": " + text
	case n.Engine != "" && several(run):
		return engineText(run, n.Engine) + ": " + text
	}
	return text
}
