package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"exobench"
	"exobench/plot"
	"exobench/summary"
)

// series tells the bars of one model apart: by engine, placement and
// load, each left out where it does not vary.
type series struct {
	engine, placement string
	load              exobench.Load
}

// name is the entry in the legend.
func (s series) name(run *summary.Run) string {
	var parts []string
	if s.engine != "" {
		parts = append(parts, engineText(run, s.engine))
	}
	if s.placement != "" {
		parts = append(parts, s.placement)
	}
	if s.load.Rate > 0 {
		parts = append(parts, s.load.String())
	} else if s.load.Concurrency > 0 {
		parts = append(parts, fmt.Sprintf("concurrency %d", s.load.Concurrency))
	}
	return strings.Join(parts, " · ")
}

// seriesOfCell returns the series that a cell's bar is of.
func seriesOfCell(run *summary.Run, c summary.Cell) series {
	var s series
	if several(run) {
		s.engine = c.Engine
	}
	if placed(run, c.Engine) {
		s.placement = c.Placement
	}
	if len(loads(run)) > 1 {
		s.load = c.Load
	}
	return s
}

// placed reports whether an engine has a model in several placements.
func placed(run *summary.Run, engine string) bool {
	return slices.ContainsFunc(run.Subjects(), func(s summary.Subject) bool {
		return s.Engine == engine && len(placements(run, s)) > 1
	})
}

// loads returns the loads of the run.
func loads(run *summary.Run) []exobench.Load {
	var all []exobench.Load
	for _, c := range run.Cells {
		if !slices.Contains(all, c.Load) {
			all = append(all, c.Load)
		}
	}
	return all
}

// seriesOf returns the series of the run, in the header's order of engines;
// there is at least one.
func seriesOf(run *summary.Run) []series {
	var all []series
	for _, c := range run.Cells {
		all = append(all, seriesOfCell(run, c))
	}
	for _, l := range lines(run) {
		if s := seriesOfCell(run, l.cell); l.why != "" && !slices.ContainsFunc(all, s.holds) {
			all = append(all, s)
		}
	}
	rank := func(s series) int {
		for i, e := range run.Header.Engines {
			if e.Name == s.engine {
				return i
			}
		}
		return len(run.Header.Engines)
	}
	slices.SortFunc(all, func(a, b series) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.engine, b.engine),
			cmp.Compare(a.placement, b.placement), cmp.Compare(a.load.Concurrency, b.load.Concurrency), cmp.Compare(a.load.Rate, b.load.Rate))
	})
	if len(all) == 0 {
		return []series{{}}
	}
	return slices.Compact(all)
}

// holds reports whether a series is one of those that s, which may not know its
// placement and load, stands for.
func (s series) holds(other series) bool {
	return s.engine == other.engine && (s.placement == "" || s.placement == other.placement) &&
		(s.load == (exobench.Load{}) || s.load == other.load)
}

// groups has one group per model, in the run's order, with one bar for each
// series that the model was to have: in place of a failed placement's it has
// one.
func groups(run *summary.Run, bar func(summary.Cell) plot.Bar) []plot.Group {
	all := seriesOf(run)
	var groups []plot.Group
	for _, l := range lines(run) {
		last := len(groups) - 1
		if last < 0 || groups[last].Name != l.cell.Model {
			groups = append(groups, plot.Group{Name: l.cell.Model, Bars: slices.Repeat([]plot.Bar{{None: true}}, len(all))})
			last++
		}
		bars := groups[last].Bars
		s := seriesOfCell(run, l.cell)
		switch {
		case l.why == "":
			bars[slices.Index(all, s)] = bar(l.cell)
			// The same placement's other loads, until their cells come.
			s.load = exobench.Load{}
			for i := range all {
				if s.holds(all[i]) && bars[i].None {
					bars[i] = plot.Bar{Missing: notRun}
				}
			}
		case l.why == notRun:
			bars[slices.IndexFunc(all, s.holds)] = plot.Bar{Missing: notRun}
		default:
			bars[slices.IndexFunc(all, s.holds)] = plot.Bar{Missing: "failed"}
		}
	}
	return groups
}
