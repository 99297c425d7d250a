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
// or not it was measured; where a model was to have none the place is nil.
type grid struct {
	series []series
	rows   []gridRow
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
		v.placement[c.Engine] = v.placement[c.Engine] || len(placements(run, c.Subject)) > 1
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
	var g grid
	g.series = inOrder(run, places)
	for i := range run.Cells {
		c := &run.Cells[i]
		last := len(g.rows) - 1
		if last < 0 || g.rows[last].model != c.Model {
			g.rows = append(g.rows, gridRow{c.Model, make([]*summary.Cell, len(g.series))})
			last++
		}
		g.rows[last].cells[slices.Index(g.series, places[i])] = c
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
