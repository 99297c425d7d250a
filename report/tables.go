package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"exobench/metric"
	"exobench/summary"
)

// The footnotes that tables share.
const (
	tooFew      = "n too small"
	unsupported = "– under a percentile: fewer OK requests than it needs (p90: 10, p95: 20, p99: 100); raise --repeat or --requests."
)

// The metrics of tables with a sample in each cell: of the main table, the
// mission's three first, and of the one by prompt.
var (
	mainMetrics   = []string{metric.Latency, metric.TokenRate, metric.MemoryAdditional, metric.TTFT}
	promptMetrics = []string{metric.Latency, metric.TokenRate, metric.TTFT}
)

// mainTable has one row per cell: medians with their intervals.
func mainTable(run *summary.Run, notes *footnotes) *table {
	all := lines(run)
	t := &table{heads: append(lineHeads(run), "n")}
	var columns []func(summary.Cell) string
	for _, name := range mainMetrics {
		columns = append(columns, sampleColumn(t, all, name))
	}
	columns = append(columns, throughputColumn(t))
	for _, l := range all {
		row := append(lineTexts(run, l, lineMarks(run, l, notes)), count(l))
		for _, column := range columns {
			row = append(row, column(l.cell))
		}
		t.add(row...)
	}
	return t
}

// lineMarks refers to the doubts about a cell, or to why there is none.
func lineMarks(run *summary.Run, l line, notes *footnotes) string {
	texts := l.cell.Warnings
	failure, failed := run.FailureOf(l.cell.Subject, l.cell.Placement)
	switch {
	case l.why == notRun:
	case l.why != "":
		texts = []string{"Could not be measured: " + shorten(oneLine(l.why), 200)}
	case failed:
		texts = append(slices.Clone(texts), "The model failed later: "+shorten(oneLine(failure.Error), 200))
	}
	return notes.marks(texts)
}

// count gives the number of OK requests, of how many where some failed.
func count(l line) string {
	switch {
	case l.why == notRun:
		return notRun
	case l.why != "":
		return "failed"
	case l.cell.N != l.cell.Requests:
		return fmt.Sprintf("%d/%d", l.cell.N, l.cell.Requests)
	}
	return strconv.Itoa(l.cell.N)
}

// sampleColumn adds the heading of a metric and returns what renders a cell's
// median and interval in the column's one scale.
func sampleColumn(t *table, all []line, name string) func(summary.Cell) string {
	m, _ := metric.ByName(name)
	var medians []float64
	for _, l := range all {
		if s, ok := l.cell.Metric(name); ok {
			medians = append(medians, s.Median)
		}
	}
	scale := scaleFor(m.Unit, medians)
	t.heads = append(t.heads, heading(m, scale))
	return func(c summary.Cell) string { return sampleText(c.Metrics, name, scale) }
}

// sampleText gives a median and its interval.
func sampleText(samples map[string]summary.Summary, name string, scale scale) string {
	s, ok := samples[name]
	switch {
	case !ok:
		return dash
	case s.Interval == nil:
		return fmt.Sprintf("%s (%s)", scale.text(s.Median), tooFew)
	}
	return fmt.Sprintf("%s [%s, %s]", scale.text(s.Median), scale.text(s.Interval.Lo), scale.text(s.Interval.Hi))
}

func throughputColumn(t *table) func(summary.Cell) string {
	t.heads = append(t.heads, "Throughput (tokens/s)")
	return func(c summary.Cell) string {
		if c.Throughput == nil {
			return dash
		}
		return digits(*c.Throughput)
	}
}

// percentileTable has the upper percentiles of latency and TTFT.
func percentileTable(run *summary.Run) *table {
	all := lines(run)
	t := &table{heads: append(lineHeads(run), "n")}
	type column struct {
		name  string
		p     float64
		scale scale
	}
	var columns []column
	for _, name := range []string{metric.Latency, metric.TTFT} {
		m, _ := metric.ByName(name)
		var medians []float64
		for _, l := range all {
			medians = append(medians, l.cell.Metrics[name].Median)
		}
		scale := scaleFor(m.Unit, medians)
		for _, p := range shownPercentiles {
			columns = append(columns, column{name, p.p, scale})
			t.heads = append(t.heads, fmt.Sprintf("%s %s (%s)", m.Title, p.name, scale.unit))
		}
	}
	for _, l := range all {
		row := append(lineTexts(run, l, ""), count(l))
		for _, c := range columns {
			text := dash
			if q, ok := l.cell.Metrics[c.name].Percentile(c.p); ok {
				text = c.scale.text(q.Value)
			}
			row = append(row, text)
		}
		t.add(row...)
	}
	return t
}

// promptTable has the main metrics by prompt.
func promptTable(run *summary.Run) *table {
	t := &table{heads: append(lineHeads(run), "Prompt", "n"), left: []string{"Prompt"}}
	all := lines(run)
	var columns []func(summary.Cell) string
	for _, name := range promptMetrics {
		columns = append(columns, sampleColumn(t, all, name))
	}
	for _, l := range all {
		if len(l.cell.Prompts) == 0 {
			t.add(append(lineTexts(run, l, ""), dash, count(l), dash, dash, dash)...)
		}
		for _, p := range l.cell.Prompts {
			row := append(lineTexts(run, l, ""), p.ID, strconv.Itoa(p.N))
			for _, column := range columns {
				// Most often n is too small here; the heading says it once.
				row = append(row, strings.TrimSuffix(column(summary.Cell{Metrics: p.Metrics}), " ("+tooFew+")"))
			}
			t.add(row...)
		}
	}
	return t
}
