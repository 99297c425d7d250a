package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"exobench"
	"exobench/summary"
)

// keep marks columns that are shown however narrow the page is.
func keep(columns ...Column) []Column {
	for i := range columns {
		columns[i].Keep = true
	}
	return columns
}

// subjectColumns are the headings over subjectFields.
func subjectColumns(run *summary.Run) []Column {
	if several(run) {
		return keep(left("Model"), left(engineHead))
	}
	return keep(left("Model"))
}

// subjectFields are the first columns of every table: the name of a model, and
// its engine where there are several.
func subjectFields(run *summary.Run, name, engine string) []string {
	if several(run) {
		return []string{name, engineText(run, engine)}
	}
	return []string{name}
}

// subjectName names a model in running text.
func subjectName(run *summary.Run, name, engine string) string {
	return strings.Join(subjectFields(run, name, engine), " on ")
}

// cellColumns are the headings over cellFields.
func cellColumns(run *summary.Run) []Column {
	return append(subjectColumns(run), keep(right(trafficHead(run)))...)
}

// cellFields are the first columns of a table over cells.
func cellFields(run *summary.Run, c *summary.Cell) []string {
	return append(subjectFields(run, cellName(run, c), c.Engine), trafficText(run, c.Traffic))
}

// cellTable returns a table over cells, with the columns given after those that
// say which cell it is.
func cellTable(run *summary.Run, columns ...Column) *Table {
	return &Table{Columns: append(cellColumns(run), columns...)}
}

// trafficHead is the heading over what was offered: what it is numbers of.
func trafficHead(run *summary.Run) string {
	closed, open := run.Loops()
	switch {
	case closed && open:
		return "Traffic"
	case open:
		return "Rate"
	}
	return "Conc."
}

// trafficText is what was offered, for a column under trafficHead.
func trafficText(run *summary.Run, t exobench.Traffic) string {
	if closed, open := run.Loops(); closed && open && !t.Open() {
		return "conc. " + t.String()
	}
	return t.String()
}

// cellName returns the model's name, with the placement where its engine has it
// in more than one.
func cellName(run *summary.Run, c *summary.Cell) string {
	if c.Placement != "" && len(run.Placements(c.Subject)) > 1 {
		return c.Model + " " + c.Placement
	}
	return c.Model
}

// notRun is why a cell that was planned and never began has no figures.
const notRun = "not run"

// blank says in a word or two why a cell has no requests.
func blank(s summary.State) string {
	switch s {
	case summary.Planned:
		return notRun
	case summary.Failed:
		return "failed"
	case summary.Interrupted:
		return "interrupted"
	case summary.Loading, summary.Measuring:
		return "cut off"
	}
	return "no request"
}

// count writes the number of OK requests, of how many where some failed; where
// there are none, why.
func count(c *summary.Cell) string {
	switch {
	case c.Requests == 0:
		return blank(c.State)
	case c.N != c.Requests:
		return fmt.Sprintf("%d/%d", c.N, c.Requests)
	}
	return strconv.Itoa(c.N)
}

// failure says why a cell could not be measured, or no further; empty where
// nothing failed.
func failure(run *summary.Run, c *summary.Cell) string {
	if c.Error != "" || c.State != summary.Failed {
		return c.Error
	}
	for _, id := range c.Steps {
		if step := run.Step(id); step != nil && step.State == summary.Failed {
			return stepFailure(step)
		}
	}
	for reason, why := range brokenOff {
		if slices.Contains(c.Ends, reason) {
			return why
		}
	}
	return "failed"
}

// brokenOff says why a cell failed of which a block ended so.
var brokenOff = map[exobench.BlockEndReason]string{
	exobench.BlockNoAnswer: "the engine stopped answering",
	exobench.BlockFailed:   "exobench could not go on",
}

// stepFailure says why a step failed.
func stepFailure(s *summary.Step) string {
	if s.Error == "" && s.Stage != "" {
		return "failed after stage " + string(s.Stage)
	}
	return cmp.Or(s.Error, "failed")
}

// longestReason is after how many letters the reason why a model failed is cut:
// what can be done about it stands at the end.
const longestReason = 800

// doubts are the footnotes on a cell: what to doubt, and why it has no figures.
func doubts(run *summary.Run, c *summary.Cell) []string {
	texts := sentences(c.Warnings)
	early := func(w summary.Warning) bool { _, ok := w.Figures.(summary.EndedEarly); return ok }
	if why := failure(run, c); why != "" && (c.Error != "" || !slices.ContainsFunc(c.Warnings, early)) {
		what := "Could not be measured: "
		if c.Requests > 0 {
			what = "The model failed later: "
		}
		texts = append(texts, what+shorten(oneLine(why), longestReason))
	}
	return texts
}

// state says in one word how the run ended.
func state(run *summary.Run) string {
	if run.Incomplete || run.End == nil {
		return "incomplete"
	}
	return string(run.End.Reason)
}

// noteText is a note and what it is of.
func noteText(run *summary.Run, n exobench.Note) string {
	step := run.Step(n.Step)
	switch {
	case step != nil:
		return subjectName(run, step.Model, step.Engine) + ": " + n.Text
	case n.Engine != "" && several(run):
		return engineText(run, n.Engine) + ": " + n.Text
	}
	return n.Text
}
