package report

import (
	"fmt"

	"exobench"
	"exobench/summary"
)

// Brief returns what a terminal shows when a run is over: the results, and what
// to doubt in them.
func Brief(run *summary.Run) *Document {
	s := Section{}
	s.prose("Median [95 % interval] of the n OK requests; additional memory is peak − before the load.")
	s.add(mainTable(run))
	for i := range run.Cells {
		c := &run.Cells[i]
		for _, outcome := range exobench.Outcomes {
			if first := c.Errors[outcome]; first != "" && outcome != exobench.OK {
				s.prose(fmt.Sprintf("%s, first %s: %s", subjectName(run, cellName(run, c), c.Engine), outcome, shorten(oneLine(first), 200)))
			}
		}
	}
	for _, n := range run.Notes {
		s.prose("Note: " + noteText(run, n))
	}
	return &Document{Lead: banner(run), Sections: []Section{s}}
}
