package report

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// calibrationTable has the harness's own error before the run; nil where it was
// not measured.
func calibrationTable(run *summary.Run) *Table {
	if len(run.Calibrations) == 0 {
		return nil
	}
	t := new(Table)
	for _, head := range []string{"Streams", "Tokens/s each", "Events", "Lag p50 (µs)", "Lag p99", "TTFT error p50", "TTFT error p99", "Inter-chunk error p50", "Inter-chunk error p99", "Tokens/s error", "Stamps"} {
		t.Columns = append(t.Columns, right(head))
	}
	t.Columns[0].Left = true
	for _, c := range run.Calibrations {
		stamps := "user"
		if c.Kernel {
			stamps = "kernel"
		}
		t.add(strconv.Itoa(c.Streams), digits(c.Rate), strconv.Itoa(c.Events), micros(c.LagP50), micros(c.LagP99),
			micros(c.TTFTP50), micros(c.TTFTP99), micros(c.InterChunkP50), micros(c.InterChunkP99), fmt.Sprintf("%.3f %%", 100*c.TokenRate), stamps)
	}
	return t
}

// observed says what exobench cost an engine on this machine; empty where nobody
// measured it.
func observed(run *summary.Run) string {
	i := slices.IndexFunc(run.Calibrations, func(c exobench.Calibration) bool { return c.Observed != nil })
	if i < 0 {
		return ""
	}
	o := run.Calibrations[i].Observed
	interval := "too few pairs for an interval"
	if o.Low > 0 {
		interval = fmt.Sprintf("95 %% interval %.3f to %.3f", o.Low, o.High)
	}
	return fmt.Sprintf("What being measured costs an engine on this machine of %d cores: under exobench, the speed of %s (%s) was %.3f of that under a bare HTTP client (%d pairs of rounds with %d streams, %s; measured on %s).",
		o.Cores, o.Model, o.Engine, o.Ratio, len(o.Ratios), o.Streams, interval, o.When.UTC().Format(time.DateOnly))
}

// harnessTable has the cells of whose measurement anything is known; nil where
// there is none.
func harnessTable(run *summary.Run) *Table {
	t := cellTable(run)
	for _, head := range []string{"Delivered", "Slip p50 (µs)", "max", "Delay p50 (µs)", "p99", "max", "Shared reads", "Steal", "Foreign CPU", "Own CPU", "Run delay", "Longest wait (ms)", "GC pause max (ms)", "Scheduler p99 (ms)"} {
		t.Columns = append(t.Columns, right(head))
	}
	for i := range run.Cells {
		c := &run.Cells[i]
		if c.Delay == nil && c.Machine == nil {
			continue
		}
		row := append(cellFields(run, c), delivered(c))
		row = append(row, slip(c)...)
		row = append(row, delay(c.Delay)...)
		t.add(append(row, machine(c.Machine)...)...)
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return labelled(run, t)
}

func delivered(c *summary.Cell) string {
	if v, ok := c.Value(metric.Delivered); ok {
		return fmt.Sprintf("%.2f", v)
	}
	return dash
}

func slip(c *summary.Cell) []string {
	if s, ok := c.Metric(metric.Slip); ok {
		return []string{digits(s.Median * 1e6), digits(s.Max * 1e6)}
	}
	return []string{dash, dash}
}

func delay(d *summary.Delay) []string {
	if d == nil {
		return []string{dash, dash, dash, dash}
	}
	return []string{micros(d.P50), micros(d.P99), micros(d.Max), share(&d.Shared)}
}

func machine(m *summary.Machine) []string {
	if m == nil {
		m = new(summary.Machine)
	}
	return []string{share(m.Steal), share(m.Foreign), share(m.HarnessCPU), share(m.RunDelay), millis(m.LongestWait()), millis(m.GCPauseMax), millis(m.SchedulerP99)}
}
