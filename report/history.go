package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"exobench/compare"
	"exobench/history"
	"exobench/metric"
	"exobench/plot"
)

// mostShown is how many runs a table of a history has, the newest.
const mostShown = 20

// History returns what became of figures over time, with what was beyond a limit.
func History(r *history.Result, breaches []compare.Breach) *Document {
	d := &Document{Title: "exobench: history"}
	for _, b := range breaches {
		d.Lead = append(d.Lead, Paragraph{Text: plainText("Beyond the limit " + b.String() + "."), Callout: true})
	}
	if len(r.Groups) > 1 {
		d.Lead = append(d.Lead, Paragraph{Text: plainText(fmt.Sprintf("The runs are of %d different machines or workloads, which are not set beside each other.", len(r.Groups)))})
	}
	for i := range r.Groups {
		g := &r.Groups[i]
		title := fmt.Sprintf("%d runs", len(g.Runs))
		if len(g.Runs) == 1 {
			title = "1 run"
		}
		if first, last := dayOf(g, 0), dayOf(g, len(g.Runs)-1); first != "" && first != last {
			title += ", " + first + " to " + last
		} else if first != "" {
			title += ", " + first
		}
		s := Section{Title: title}
		groupParts(&s, r, g)
		d.Sections = append(d.Sections, s)
	}
	s := Section{Title: "How to read it"}
	least := percentText(r.MinEffect)
	s.prose("Each run counts as one figure of a series, its median. Levels are the geometric means of the runs between two changes.",
		"A change is where the level differs by at least "+least+" (--min-effect) and more clearly than the same runs in random order would, but for 1 in 20 of such groups of series without any change. In brackets is where the true change lies, in 19 of 20 cases.",
		"What else changed is what differs between the last run before and the first one after: it need not be the cause.")
	s.prose("Changes are found by E-divisive (Matteson and James 2014) on means of logarithms, by permutation with a fixed seed, corrected for the number of series (Bonferroni), with weak ones taken away as by Hunter (Fleming et al. 2023). Of runs that drift slowly it finds steps.")
	d.Sections = append(d.Sections, s)
	return d
}

func dayOf(g *history.Group, run int) string {
	if g.Runs[run].When.IsZero() {
		return ""
	}
	return g.Runs[run].When.Format("2006-01-02")
}

// groupParts says all of one group.
func groupParts(s *Section, r *history.Result, g *history.Group) {
	if of := g.String(); of != "" {
		s.prose("Of " + of + ".")
	}
	if names := g.Machines(); len(names) > 1 {
		s.prose(fmt.Sprintf("They are of machines with %d names, which are taken for one: %s.", len(names), few(names, 5)))
	}
	for _, odd := range []struct {
		is   func(history.Run) bool
		text string
	}{
		{func(r history.Run) bool { return r.Incomplete }, "Cut short, with what they had: "},
		{func(r history.Run) bool { return r.Damaged > 0 }, "With damaged lines in their journals, which are left out: "},
	} {
		var names []string
		for _, run := range g.Runs {
			if odd.is(run) {
				names = append(names, run.Name)
			}
		}
		if len(names) > 0 {
			s.prose(odd.text + few(names, 5) + ".")
		}
	}
	if len(g.Series) == 0 {
		s.prose("They have no figure of these metrics.")
		return
	}
	changesParts(s, g)
	s.add(seriesTable(g))
	for _, cell := range cellsIn(g) {
		s.add(runsTable(g, cell))
	}
	if len(g.Runs) > mostShown {
		s.prose(fmt.Sprintf("Shown are the last %d of %d runs; --json has all, --plot draws them.", mostShown, len(g.Runs)))
	}
}

// few lists some of the names.
func few(names []string, most int) string {
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// changesParts lists the changes by the runs where they are, and what else changed
// there.
func changesParts(s *Section, g *history.Group) {
	type place struct{ before, after string }
	var places []place
	at := map[place]*Table{}
	unlike := map[place][]compare.Unlike{}
	when := map[place]string{}
	for i := range g.Series {
		series := &g.Series[i]
		scale := scaleOf(series)
		m, _ := metric.ByName(series.Metric)
		for _, c := range series.Changes {
			p := place{c.Before, c.After}
			if at[p] == nil {
				places = append(places, p)
				at[p] = &Table{Columns: []Column{left("Cell"), left("Metric"), right("Before"), right("After"), right("Change [95 %]"), left("Verdict"), right("p")}}
				for k := range at[p].Columns {
					at[p].Columns[k].Keep = k != 2 && k != 3 && k != 6
				}
				when[p] = c.When.Format("2006-01-02 15:04")
			}
			at[p].add(series.Cell, heading(m, scale), scale.text(c.Levels[0]), scale.text(c.Levels[1]), historyChange(c), historyVerdict(c), chance(c.P))
			for _, u := range c.Unlike {
				if !slices.Contains(unlike[p], u) {
					unlike[p] = append(unlike[p], u)
				}
			}
		}
	}
	if len(places) == 0 {
		s.prose("No change was found.")
		return
	}
	order := map[string]int{}
	for i, run := range g.Runs {
		order[run.Name] = i
	}
	slices.SortStableFunc(places, func(a, b place) int { return order[a.after] - order[b.after] })
	for _, p := range places {
		s.add(Paragraph{Text: Text{{Text: "A change at " + p.after + " (" + when[p] + " UTC), after " + p.before + ":", Strong: true}}}, at[p])
		if len(unlike[p]) == 0 {
			s.prose("Nothing else is known to have changed there.")
			continue
		}
		s.prose("What else changed there:")
		var list List
		for _, u := range unlike[p] {
			list = append(list, plainText(u.String()))
		}
		s.add(list)
	}
}

func scaleOf(s *history.Series) scale {
	var values []float64
	for _, p := range s.Points {
		values = append(values, p.Median)
	}
	return scaleFor(s.Unit, values)
}

// historyChange writes a change of a level, with its interval where there is one.
func historyChange(c history.Change) string {
	text := change(c.Ratio) + " %"
	if c.Interval != nil {
		text += fmt.Sprintf(" [%s, %s]", change(c.Interval.Lo), change(c.Interval.Hi))
	}
	return text
}

func historyVerdict(c history.Change) string {
	if c.Verdict == compare.Disturbed {
		return "cannot tell: disturbed"
	}
	return string(c.Verdict)
}

// chance writes a probability.
func chance(p float64) string {
	if p < 0.001 {
		return "< 0.001"
	}
	return strconv.FormatFloat(p, 'f', 3, 64)
}

// seriesTable has a row for each series.
func seriesTable(g *history.Group) *Table {
	t := &Table{Columns: []Column{left("Cell"), left("Metric"), right("Runs"), right("Oldest"), right("Newest"), left("Changes")}}
	for i := range t.Columns {
		t.Columns[i].Keep = i != 3
	}
	last := ""
	for i := range g.Series {
		s := &g.Series[i]
		m, _ := metric.ByName(s.Metric)
		scale, name := scaleOf(s), s.Cell
		if name == last {
			name = ""
		}
		last = s.Cell
		t.add(name, heading(m, scale), strconv.Itoa(len(s.Points)), scale.text(s.Points[0].Median), scale.text(s.Points[len(s.Points)-1].Median), seriesText(s))
	}
	return t
}

// seriesText says what became of a series.
func seriesText(s *history.Series) string {
	switch {
	case s.Untold:
		return "cannot tell: a value is not above 0"
	case s.Needed > 0:
		return fmt.Sprintf("too few runs: a change can be told from %d on", s.Needed)
	case len(s.Changes) == 0:
		return "none"
	}
	var texts []string
	for _, c := range s.Changes {
		texts = append(texts, change(c.Ratio)+" % at "+c.After)
	}
	return strings.Join(texts, ", ")
}

// cellsIn lists the cells of a group's series.
func cellsIn(g *history.Group) []string {
	var names []string
	for _, s := range g.Series {
		if !slices.Contains(names, s.Cell) {
			names = append(names, s.Cell)
		}
	}
	return names
}

// runsTable has a row for each of the last runs of one cell, and a column for each
// metric. What begins a new level is marked.
func runsTable(g *history.Group, cell string) *Table {
	t := &Table{Columns: []Column{{Head: cell, Left: true, Keep: true}, left("Time (UTC)")}}
	var all []*history.Series
	var scales []scale
	for i := range g.Series {
		if s := &g.Series[i]; s.Cell == cell {
			m, _ := metric.ByName(s.Metric)
			all, scales = append(all, s), append(scales, scaleOf(s))
			t.Columns = append(t.Columns, right(heading(m, scales[len(scales)-1])))
		}
	}
	for run := max(0, len(g.Runs)-mostShown); run < len(g.Runs); run++ {
		row, measured := []string{g.Runs[run].Name, g.Runs[run].When.Format("2006-01-02 15:04")}, false
		for i, s := range all {
			text := dash
			if k := slices.IndexFunc(s.Points, func(p history.Point) bool { return p.Run == run }); k >= 0 {
				text, measured = pointText(s, k, scales[i]), true
			}
			row = append(row, text)
		}
		if measured {
			t.add(row...)
		}
	}
	t.Legend = append(t.Legend, "◆ where a new level begins; medians, with their 95 % intervals within the run")
	return t
}

func pointText(s *history.Series, at int, scale scale) string {
	p := s.Points[at]
	text := scale.text(p.Median)
	if p.Interval != nil {
		text += fmt.Sprintf(" [%s, %s]", scale.text(p.Interval.Lo), scale.text(p.Interval.Hi))
	}
	if slices.ContainsFunc(s.Changes, func(c history.Change) bool { return c.At == at }) {
		text = "◆ " + text
	}
	return text
}

// mostPanels is how many series a picture of a history has.
const mostPanels = 24

// HistoryPlot draws the series of the group with the most runs, those with a change
// first where there are too many. It is absent where there is none.
func HistoryPlot(r *history.Result) (h plot.History, ok bool) {
	if len(r.Groups) == 0 || len(r.Groups[0].Series) == 0 {
		return h, false
	}
	g := &r.Groups[0]
	h = plot.History{
		Title: "What became of the figures", Subtitle: g.String(),
		Footnote: "Points: medians of runs, with 95 % intervals within the run. Lines: levels. Dashes: where a level changes, with what else changed there. Axes do not begin at 0.",
	}
	for _, run := range g.Runs {
		h.Runs = append(h.Runs, run.When.Format("2006-01-02"))
	}
	if dayOf(g, 0) == dayOf(g, len(g.Runs)-1) {
		for i, run := range g.Runs {
			h.Runs[i] = run.When.Format("15:04:05")
		}
	}
	series := make([]*history.Series, len(g.Series))
	for i := range g.Series {
		series[i] = &g.Series[i]
	}
	if len(series) > mostPanels {
		slices.SortStableFunc(series, func(a, b *history.Series) int { return min(1, len(b.Changes)) - min(1, len(a.Changes)) })
		h.Footnote += fmt.Sprintf(" Shown: %d of %d series, those with changes first.", mostPanels, len(series))
		series = series[:mostPanels]
	}
	for _, s := range series {
		h.Panels = append(h.Panels, panelOf(s))
	}
	return h, true
}

func panelOf(s *history.Series) plot.Panel {
	m, _ := metric.ByName(s.Metric)
	scale := scaleOf(s)
	p := plot.Panel{Name: s.Cell + ": " + heading(m, scale)}
	for _, of := range s.Points {
		point := plot.RunPoint{Run: of.Run, Value: of.Median * scale.factor}
		if of.Interval != nil {
			point.Interval = &plot.Interval{Lo: of.Interval.Lo * scale.factor, Hi: of.Interval.Hi * scale.factor}
		}
		p.Points = append(p.Points, point)
	}
	for i, c := range s.Changes {
		if i == 0 {
			p.Levels = append(p.Levels, plot.Level{From: s.Points[0].Run, To: s.Points[c.At-1].Run, Value: c.Levels[0] * scale.factor})
		}
		to := len(s.Points)
		if i+1 < len(s.Changes) {
			to = s.Changes[i+1].At
		}
		p.Levels = append(p.Levels, plot.Level{From: s.Points[c.At].Run, To: s.Points[to-1].Run, Value: c.Levels[1] * scale.factor})
		text := change(c.Ratio) + " %, " + historyVerdict(c)
		var what []string
		for _, u := range c.Unlike {
			what = append(what, u.What)
		}
		if len(what) > 0 {
			text += ": " + few(what, 3)
		}
		p.Changes = append(p.Changes, plot.ChangeMark{Before: s.Points[c.At].Run, Text: text, Bad: c.Verdict == compare.Worse})
	}
	return p
}
