package report

import (
	"fmt"
	"strconv"

	"exobench/compare"
	"exobench/metric"
)

// Sharpness returns how small a slowdown comparisons find, with the least change
// that mattered.
func Sharpness(all []compare.Sharpness, least float64) *Document {
	d := &Document{Title: "exobench: how small a slowdown comparisons find"}
	t := &Table{Columns: []Column{left("Cell"), left("Metric"), right("Time"), right("Loads of a side"), right("Smallest slowdown"), right("False alarms")}}
	for i := range t.Columns {
		t.Columns[i].Keep = true
	}
	for _, s := range all {
		smallest := fmt.Sprintf("over %.0f %%", 100*compare.Slowdowns[len(compare.Slowdowns)-1])
		switch {
		case s.Smallest == nil && s.FalseAlarms > 0.05:
			smallest = "too many false alarms"
		case s.Smallest != nil:
			smallest = percentText(*s.Smallest)
		}
		m, _ := metric.ByName(s.Metric)
		t.add(s.Cell, m.Title, s.Budget.String(), strconv.Itoa(s.Loads), smallest, fmt.Sprintf("%.1f %%", 100*s.FalseAlarms))
		if !s.Apart {
			t.refer(3, []string{"The run has fewer loads than this takes: they are drawn again and again, which makes the figures too good."})
		}
	}
	s := Section{Title: "What was found"}
	s.add(t)
	read := Section{Title: "How to read it"}
	read.prose("The smallest slowdown is that from which on nine of ten comparisons say worse, in so much time for both sides together, as exobench compare says it of one metric.",
		fmt.Sprintf("False alarms are the comparisons without a slowdown that say better or worse all the same; changes below %s (--min-effect) are never told.", percentText(least)),
		"Both sides are loads of this run that were next to each other, as --ab has them in turn, and the slowdown is reckoned into one of them.")
	d.Sections = append(d.Sections, s, read)
	return d
}
