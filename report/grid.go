package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"exobench"
	"exobench/summary"
)

// grid sets the cells of a run out for bars: a row for each model, in the run's
// order, and a column for each series. Every planned cell has its place, whether
// or not it was measured; where a model was to have none the place is nil. What
// would not be readable is left out from the end.
type grid struct {
	series []series
	rows   []gridRow
	// had and hadRows are how many series and rows the run has.
	had, hadRows int
}

// The most that a picture shows: series that a legend can tell apart, and models
// and bars that the width of a page holds.
const (
	mostSeries = 24
	mostModels = 50
	mostBars   = 200
)

// leftOut says what the picture does not show; empty where it shows all.
func (g grid) leftOut() string {
	var parts []string
	for _, p := range []struct {
		shown, had int
		what       string
	}{{len(g.rows), g.hadRows, "models"}, {len(g.series), g.had, "bars of a model"}} {
		if p.shown < p.had {
			parts = append(parts, fmt.Sprintf("the first %d of %d %s", p.shown, p.had, p.what))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " Shown: " + strings.Join(parts, ", ") + "; the tables have all."
}

type gridRow struct {
	model string
	cells []*summary.Cell // one for each series, or nil
}

// series tells the bars of one model apart: by engine, placement and traffic, each
// left out where it does not vary.
type series struct {
	engine, placement string
	traffic           exobench.Traffic
	// again counts the cells before that nothing else tells apart.
	again int
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
	switch {
	case s.traffic.Open():
		parts = append(parts, s.traffic.String())
	case s.traffic != exobench.Traffic{}:
		parts = append(parts, fmt.Sprintf("concurrency %v", s.traffic))
	}
	if s.again > 0 {
		parts = append(parts, fmt.Sprintf("again (%d)", s.again+1))
	}
	return strings.Join(parts, " · ")
}

// varying is what may tell the cells of a run apart.
type varying struct {
	engine, traffic bool
	placement       map[string]bool // by engine
}

func vary(run *summary.Run) varying {
	v := varying{engine: several(run), placement: map[string]bool{}}
	for _, c := range run.Cells {
		v.traffic = v.traffic || c.Traffic != run.Cells[0].Traffic
		v.placement[c.Engine] = v.placement[c.Engine] || len(run.Placements(c.Subject)) > 1
	}
	return v
}

// seriesOf returns the series of a cell of a run.
func (v varying) seriesOf(c *summary.Cell) series {
	var s series
	if v.engine {
		s.engine = c.Engine
	}
	if v.placement[c.Engine] {
		s.placement = cmp.Or(c.Placement, "placement unknown")
	}
	if v.traffic {
		s.traffic = c.Traffic
	}
	return s
}

// gridOf sets out the cells of a run; there is at least one series.
func gridOf(run *summary.Run) grid {
	v := vary(run)
	places := make([]series, len(run.Cells))
	type place struct {
		model string
		series
	}
	taken := map[place]int{}
	for i := range run.Cells {
		c := &run.Cells[i]
		places[i] = v.seriesOf(c)
		at := place{c.Model, places[i]}
		places[i].again = taken[at]
		taken[at]++
	}
	g := grid{series: inOrder(run, places)}
	g.had = len(g.series)
	g.series = g.series[:min(g.had, mostSeries)]
	columns := map[series]int{}
	for i, s := range g.series {
		columns[s] = i
	}
	most := max(1, min(mostModels, mostBars/len(g.series)))
	for i := range run.Cells {
		c := &run.Cells[i]
		if i == 0 || run.Cells[i-1].Model != c.Model {
			if g.hadRows++; g.hadRows <= most {
				g.rows = append(g.rows, gridRow{c.Model, make([]*summary.Cell, len(g.series))})
			}
		}
		if column, shown := columns[places[i]]; shown && g.hadRows <= most {
			g.rows[len(g.rows)-1].cells[column] = c
		}
	}
	return g
}

// inOrder returns the different series, in the header's order of engines.
func inOrder(run *summary.Run, places []series) []series {
	all := slices.Clone(places)
	rank := func(s series) int {
		return slices.IndexFunc(run.Header.Engines, func(e exobench.Engine) bool { return e.Name == s.engine })
	}
	slices.SortFunc(all, func(a, b series) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.engine, b.engine), cmp.Compare(a.placement, b.placement),
			cmp.Compare(a.traffic.Concurrency, b.traffic.Concurrency), cmp.Compare(a.traffic.Rate, b.traffic.Rate),
			cmp.Compare(a.traffic.Arrival, b.traffic.Arrival), cmp.Compare(a.traffic.MaxUnderWay, b.traffic.MaxUnderWay), cmp.Compare(a.again, b.again))
	})
	if len(all) == 0 {
		return []series{{}}
	}
	return slices.Compact(all)
}
