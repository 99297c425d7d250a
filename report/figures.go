package report

import (
	"fmt"
	"slices"
	"strings"

	"exobench"
	"exobench/metric"
	"exobench/plot"
	"exobench/summary"
)

// medianFigure shows the median of one metric with its interval.
func medianFigure(run *summary.Run, title, name string) plot.Figure {
	m, _ := metric.ByName(name)
	scale := scaleFor(m.Unit, medians(run, name))
	f := newFigure(run, title, heading(m, scale)+", median")
	f.Groups = groups(run, func(c summary.Cell) plot.Bar { return medianBar(c, name, scale) })
	return f
}

// memoryFigure shows what the model and answering take; where memory before
// the load is unknown, the whole of the engine's memory.
func memoryFigure(run *summary.Run) plot.Figure {
	name := metric.MemoryAdditional
	if len(medians(run, name)) == 0 {
		return medianFigure(run, "Memory by model", metric.MemoryPeak)
	}
	f := medianFigure(run, "Memory by model", name)
	scale := scaleFor(metric.Bytes, medians(run, name))
	f.Parts = []string{"model (loaded − before)", "inference (peak − loaded)"}
	f.Groups = groups(run, func(c summary.Cell) plot.Bar {
		bar := medianBar(c, name, scale)
		model, known := c.Memory.Model()
		// Where a part is negative (pages were dropped) the two do not stack.
		if part := float64(model) * scale.factor; known && part >= 0 && part <= bar.Value {
			bar.Parts = []float64{part, bar.Value - part}
		}
		return bar
	})
	f.Footnote += " Additional memory: peak during the request − before the load."
	return f
}

func medians(run *summary.Run, name string) []float64 {
	var values []float64
	for _, c := range run.Cells {
		if s, ok := c.Metric(name); ok {
			values = append(values, s.Median)
		}
	}
	return values
}

func medianBar(c summary.Cell, name string, scale scale) plot.Bar {
	s, ok := c.Metric(name)
	switch {
	case c.N == 0:
		return plot.Bar{Missing: "no OK request"}
	case !ok:
		return plot.Bar{Missing: "unknown"}
	}
	bar := plot.Bar{Value: s.Median * scale.factor, Label: scale.text(s.Median), Detail: tooFew}
	if s.Interval != nil {
		bar.Interval = &plot.Interval{Lo: s.Interval.Lo * scale.factor, Hi: s.Interval.Hi * scale.factor}
		bar.Detail = scale.text(s.Interval.Lo) + "–" + scale.text(s.Interval.Hi)
	}
	return bar
}

// newFigure sets what all figures share.
func newFigure(run *summary.Run, title, axis string) plot.Figure {
	h := run.Header
	var parts []string
	for _, part := range []string{labels(run), engineNames(run), h.Host.Name, h.Epoch.UTC().Format("2006-01-02")} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if state := state(run); state != string(exobench.EndFinished) {
		title += " (" + state + " run)"
	}
	f := plot.Figure{Title: title, Subtitle: strings.Join(parts, " · "), Axis: axis}
	for _, c := range concurrencies(run) {
		f.Series = append(f.Series, fmt.Sprintf("concurrency %d", c))
	}
	f.Footnote = fmt.Sprintf("Bars: median of the OK requests (%s). Whiskers: 95 %% confidence interval of the median, where n ≥ %d.", samples(run), summary.IntervalN)
	return f
}

// labels lists what the engines' results are of, where that must be said.
func labels(run *summary.Run) string {
	var all []string
	for _, e := range run.Header.Engines {
		switch {
		case e.Label == "":
		case len(run.Header.Engines) > 1:
			all = append(all, e.Name+": "+e.Label)
		default:
			all = append(all, e.Label)
		}
	}
	return strings.Join(all, "; ")
}

// samples says how many requests stand behind a bar.
func samples(run *summary.Run) string {
	if len(run.Cells) == 0 {
		return "n = 0"
	}
	least, most := run.Cells[0].N, run.Cells[0].N
	for _, c := range run.Cells {
		least, most = min(least, c.N), max(most, c.N)
	}
	if least == most {
		return fmt.Sprintf("n = %d each", least)
	}
	return fmt.Sprintf("n = %d to %d", least, most)
}

// concurrencies returns the loads of the run, each the same series in every
// group; there is at least one.
func concurrencies(run *summary.Run) []int {
	var all []int
	for _, c := range run.Cells {
		all = append(all, c.Concurrency)
	}
	if len(all) == 0 {
		all = append(all, 1)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// groups has one group per model and placement, in the run's order, with one
// bar per concurrency.
func groups(run *summary.Run, bar func(summary.Cell) plot.Bar) []plot.Group {
	loads := concurrencies(run)
	var all []plot.Group
	for _, l := range lines(run) {
		name := cellName(run, l.cell)
		if l.why != "" {
			missing := "failed"
			if l.why == notRun {
				missing = notRun
			}
			all = append(all, plot.Group{Name: name, Missing: missing})
			continue
		}
		last := len(all) - 1
		if last < 0 || all[last].Name != name {
			all = append(all, plot.Group{Name: name, Bars: slices.Repeat([]plot.Bar{{Missing: notRun}}, len(loads))})
			last++
		}
		all[last].Bars[slices.Index(loads, l.cell.Concurrency)] = bar(l.cell)
	}
	return all
}
