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

// The names of the pictures.
const (
	latencyFile = "latency_by_model.png"
	memoryFile  = "memory_by_model.png"
	rateFile    = "tps_by_model.png"
)

// charts are the pictures of a report.
func charts(run *summary.Run) Figures {
	return Figures{
		{File: latencyFile, Title: "latency", Chart: medianChart(run, "Latency by model", metric.Latency)},
		{File: memoryFile, Title: "memory", Chart: memoryChart(run)},
		{File: rateFile, Title: "tokens per second", Chart: medianChart(run, "Tokens per second by model", metric.TokenRate)},
	}
}

// medianChart shows the median of one metric with its interval.
func medianChart(run *summary.Run, title, name string) plot.Figure {
	m, _ := metric.ByName(name)
	scale := scaleFor(m.Unit, medians(run, name))
	return newChart(run, title, heading(m, scale)+", median", func(c *summary.Cell) plot.Bar { return medianBar(c, name, scale) })
}

// memoryChart shows what the model and answering take; where memory before the
// load is unknown, the whole of the engine's memory.
func memoryChart(run *summary.Run) plot.Figure {
	const title = "Memory by model"
	m, _ := metric.ByName(metric.MemoryAdditional)
	all := medians(run, m.Name)
	if len(all) == 0 {
		return medianChart(run, title, metric.MemoryPeak)
	}
	scale, added := scaleFor(m.Unit, all), gpuAdded(run)
	f := newChart(run, title, heading(m, scale)+", median", func(c *summary.Cell) plot.Bar {
		bar := medianBar(c, m.Name, scale)
		bar.Parts = memoryParts(c.Memory, bar.Value, scale.factor, added)
		return bar
	})
	f.Parts = []string{"model (loaded − before)", "inference (peak − loaded)"}
	f.Footnote += " Additional memory: peak during the request − before the load."
	if added {
		f.Parts = []string{"model, main memory", "model, GPU memory", "inference"}
		f.Footnote += " It is that of main memory and of GPUs together."
	}
	return f
}

// gpuAdded reports whether GPU memory is in the sums of a cell of the run.
func gpuAdded(run *summary.Run) bool {
	return slices.ContainsFunc(run.Cells, func(c summary.Cell) bool { return c.Memory.GPU != nil && !c.Memory.GPU.Unified })
}

// memoryParts returns what a bar of memory is stacked from; nil where a part is
// negative (pages were dropped), so that they do not stack. GPU memory is a part of
// its own where it is added in the run.
func memoryParts(m summary.RequestMemory, whole, factor float64, added bool) []float64 {
	model, known := m.Model()
	part := float64(model) * factor
	if !known || part < 0 || part > whole {
		return nil
	}
	if !added {
		return []float64{part, whole - part}
	}
	onGPU := 0.0
	if g := m.GPU; g != nil && !g.Unified {
		onGPU = float64(*g.Loaded-*g.Before) * factor
	}
	if onGPU < 0 || onGPU > part {
		return nil
	}
	return []float64{part - onGPU, onGPU, whole - part}
}

func medianBar(c *summary.Cell, name string, scale scale) plot.Bar {
	s, ok := c.Metric(name)
	switch {
	case c.Requests == 0:
		return plot.Bar{Missing: blank(c.State)}
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

// newChart sets the cells of a run out as bars.
func newChart(run *summary.Run, title, axis string, bar func(*summary.Cell) plot.Bar) plot.Figure {
	if state := state(run); state != string(exobench.EndFinished) {
		title += " (" + state + " run)"
	}
	f := plot.Figure{Title: title, Subtitle: chartOrigin(run), Axis: axis}
	g := gridOf(run)
	for _, s := range g.series {
		f.Series = append(f.Series, s.name(run))
	}
	for _, row := range g.rows {
		group := plot.Group{Name: row.model}
		for _, c := range row.cells {
			if c == nil {
				group.Bars = append(group.Bars, plot.Bar{None: true})
			} else {
				group.Bars = append(group.Bars, bar(c))
			}
		}
		f.Groups = append(f.Groups, group)
	}
	f.Footnote = fmt.Sprintf("Bars: median of the OK requests (%s). Whiskers: 95 %% confidence interval of the median, where n ≥ %d.", samples(run), summary.IntervalN) + g.leftOut()
	return f
}

// chartOrigin says where the numbers of a chart come from.
func chartOrigin(run *summary.Run) string {
	var parts []string
	for _, e := range run.Header.Engines {
		switch {
		case e.Label == "":
			parts = append(parts, engineName(e))
		case several(run):
			parts = append(parts, strings.TrimSpace(engineText(run, e.Name)+" "+e.Version)+" ("+e.Label+")")
		default:
			parts = append(parts, e.Label, engineName(e))
		}
	}
	if len(run.Sessions) > 0 {
		first := run.Sessions[0]
		parts = append(parts, first.Host.Name, first.Epoch.UTC().Format("2006-01-02"))
	}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), " · ")
}

// samples says how many requests stand behind a bar.
func samples(run *summary.Run) string {
	least, most, any := 0, 0, false
	for _, c := range run.Cells {
		if c.Requests == 0 {
			continue
		}
		if !any {
			least, any = c.N, true
		}
		least, most = min(least, c.N), max(most, c.N)
	}
	switch {
	case !any:
		return "n = 0"
	case least == most:
		return fmt.Sprintf("n = %d each", least)
	}
	return fmt.Sprintf("n = %d to %d", least, most)
}

// drawable is what every text goes through on its way into a picture: it then
// stands on one line and has only characters that can be drawn.
func drawable(f plot.Figure) plot.Figure {
	escape := func(texts []string) (escaped []string) {
		for _, text := range texts {
			escaped = append(escaped, escapePlain(text))
		}
		return escaped
	}
	f.Title, f.Subtitle, f.Axis, f.Footnote = escapePlain(f.Title), escapePlain(f.Subtitle), escapePlain(f.Axis), escapePlain(f.Footnote)
	f.Series, f.Parts, f.Groups = escape(f.Series), escape(f.Parts), slices.Clone(f.Groups)
	for i := range f.Groups {
		f.Groups[i].Name = escapePlain(f.Groups[i].Name)
	}
	return f
}
