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
	for _, e := range h.Engines {
		switch {
		case e.Label == "":
			parts = append(parts, engineName(e))
		case several(run):
			parts = append(parts, strings.TrimSpace(engineText(run, e.Name)+" "+e.Version)+" ("+e.Label+")")
		default:
			parts = append(parts, e.Label, engineName(e))
		}
	}
	parts = append(parts, h.Host.Name, h.Epoch.UTC().Format("2006-01-02"))
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	if state := state(run); state != string(exobench.EndFinished) {
		title += " (" + state + " run)"
	}
	f := plot.Figure{Title: title, Subtitle: strings.Join(parts, " · "), Axis: axis}
	for _, s := range seriesOf(run) {
		f.Series = append(f.Series, s.name(run))
	}
	f.Footnote = fmt.Sprintf("Bars: median of the OK requests (%s). Whiskers: 95 %% confidence interval of the median, where n ≥ %d.", samples(run), summary.IntervalN)
	return f
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
