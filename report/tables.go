package report

import (
	"fmt"
	"strconv"
	"strings"

	"exobench/metric"
	"exobench/summary"
)

// The remarks that tables share.
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
func mainTable(run *summary.Run) *Table {
	t := cellTable(run, keep(right("n"))...)
	var fields []func(map[string]summary.Summary) string
	for i, name := range mainMetrics {
		column, field := sampleColumn(run, name)
		column.Keep = i == 0
		t.Columns, fields = append(t.Columns, column), append(fields, field)
	}
	t.Columns = append(t.Columns, right("Throughput (tokens/s)"))
	for i := range run.Cells {
		c := &run.Cells[i]
		row := append(cellFields(run, c), count(c))
		for _, field := range fields {
			row = append(row, field(c.Metrics))
		}
		t.add(append(row, valueText(c, metric.Throughput))...)
		t.refer(0, doubts(run, c))
	}
	return labelled(run, t)
}

// sampleColumn returns the heading of a metric, and what writes a median and its
// interval in the column's one scale.
func sampleColumn(run *summary.Run, name string) (Column, func(map[string]summary.Summary) string) {
	m, _ := metric.ByName(name)
	scale := scaleFor(m.Unit, medians(run, name))
	return right(heading(m, scale)), func(samples map[string]summary.Summary) string { return sampleText(samples, name, scale) }
}

// medians lists those of a metric over the cells that have one.
func medians(run *summary.Run, name string) []float64 {
	var values []float64
	for _, c := range run.Cells {
		if s, ok := c.Metric(name); ok {
			values = append(values, s.Median)
		}
	}
	return values
}

// sampleText writes a median and its interval.
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

// valueText writes one number of a cell as a whole.
func valueText(c *summary.Cell, name string) string {
	if v, ok := c.Value(name); ok {
		return digits(v)
	}
	return dash
}

// shownPercentiles are those that tables have.
var shownPercentiles = []struct {
	name string
	p    float64
}{{"p90", 0.90}, {"p95", 0.95}, {"p99", 0.99}}

// percentileTable has the upper percentiles of latency and TTFT; nil where no
// cell supports any.
func percentileTable(run *summary.Run) *Table {
	t := cellTable(run, right("n"))
	var fields []func(*summary.Cell) (string, bool)
	for _, name := range []string{metric.Latency, metric.TTFT} {
		m, _ := metric.ByName(name)
		scale := scaleFor(m.Unit, medians(run, name))
		for _, p := range shownPercentiles {
			t.Columns = append(t.Columns, right(fmt.Sprintf("%s %s (%s)", m.Title, p.name, scale.unit)))
			fields = append(fields, func(c *summary.Cell) (string, bool) {
				q, ok := c.Metrics[name].Percentile(p.p)
				if !ok {
					return dash, false
				}
				return scale.text(q.Value), true
			})
		}
	}
	supported := false
	for i := range run.Cells {
		row := append(cellFields(run, &run.Cells[i]), count(&run.Cells[i]))
		for _, field := range fields {
			text, ok := field(&run.Cells[i])
			row, supported = append(row, text), supported || ok
		}
		t.add(row...)
	}
	if !supported {
		return nil
	}
	return labelled(run, t)
}

// promptTable has the main metrics by prompt.
func promptTable(run *summary.Run) *Table {
	t := cellTable(run, left("Prompt"), right("n"))
	var fields []func(map[string]summary.Summary) string
	for _, name := range promptMetrics {
		column, field := sampleColumn(run, name)
		t.Columns, fields = append(t.Columns, column), append(fields, field)
	}
	for i := range run.Cells {
		c := &run.Cells[i]
		if len(c.Prompts) == 0 {
			t.add(append(cellFields(run, c), dash, count(c), dash, dash, dash)...)
		}
		for _, p := range c.Prompts {
			row := append(cellFields(run, c), p.ID, strconv.Itoa(p.N))
			for _, field := range fields {
				// Most often n is too small here; the heading says it once.
				row = append(row, strings.TrimSuffix(field(p.Metrics), " ("+tooFew+")"))
			}
			t.add(row...)
		}
	}
	return labelled(run, t)
}
