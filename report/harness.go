package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"exobench/metric"
	"exobench/summary"
)

// writeHarness shows what is known of the harness's own error, and of what else
// the machine did.
func writeHarness(b *strings.Builder, run *summary.Run) {
	t := harnessTable(run)
	if len(t.rows) == 0 && len(run.Calibrations) == 0 {
		return
	}
	b.WriteString("## The harness's own error\n\n")
	if len(run.Calibrations) > 0 {
		b.WriteString("Measured before the run against the timing reference, whose events carry the instant at which they were sent. Errors are what the harness measured less the truth, at the median and at p99.\n\n")
		calibrationTable(run).markdown(b)
	}
	if len(t.rows) > 0 {
		b.WriteString("In each cell. Delivered is how many requests were under way on average; slip is how much later than planned an open loop sent its requests. Delay is from when the kernel received an event until it was read; metrics go by the kernel's instants, so it is in none of them. Steal is time that the host of a virtual machine took, foreign that of other programs; a hiccup is a gap in the progress of a thread that only waits.\n\n")
		writeTable(b, run, t)
	}
}

func calibrationTable(run *summary.Run) *table {
	t := &table{heads: []string{"Streams", "Tokens/s each", "Events", "Lag p50 (µs)", "Lag p99", "TTFT error p50", "TTFT error p99", "Inter-chunk error p50", "Inter-chunk error p99", "Tokens/s error", "Stamps"}}
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

func micros(d time.Duration) string { return digits(float64(d) / 1e3) }

// harnessTable has one row per cell of which anything is known.
func harnessTable(run *summary.Run) *table {
	t := &table{heads: append(lineHeads(run), "Delivered", "Slip p50 (µs)", "max", "Delay p50 (µs)", "p99", "max", "Shared reads", "Steal", "Foreign CPU", "Own CPU", "Hiccup p99 (ms)", "max", "GC pause max (ms)", "Scheduler p99 (ms)")}
	for _, l := range lines(run) {
		d, watched := run.DisturbanceOf(l.cell.Key)
		if l.cell.Delay == nil && !watched {
			continue
		}
		row := lineTexts(run, l, "")
		if l.cell.Delivered != nil {
			row = append(row, fmt.Sprintf("%.2f", *l.cell.Delivered))
		} else {
			row = append(row, dash)
		}
		if slip, ok := l.cell.Metric(metric.Slip); ok {
			row = append(row, digits(slip.Median*1e6), digits(slip.Max*1e6))
		} else {
			row = append(row, dash, dash)
		}
		if delay := l.cell.Delay; delay != nil {
			row = append(row, micros(delay.P50), micros(delay.P99), micros(delay.Max), fmt.Sprintf("%.1f %%", 100*delay.Shared))
		} else {
			row = append(row, dash, dash, dash, dash)
		}
		if watched {
			row = append(row, share(d.Steal), share(d.Foreign), share(d.HarnessCPU),
				digits(d.HiccupP99.Seconds()*1e3), digits(d.HiccupMax.Seconds()*1e3), digits(d.GCPauseMax.Seconds()*1e3), digits(d.SchedulerP99.Seconds()*1e3))
		} else {
			row = append(row, dash, dash, dash, dash, dash, dash, dash)
		}
		t.add(row...)
	}
	return t
}

func share(v *float64) string {
	if v == nil {
		return dash
	}
	return fmt.Sprintf("%.1f %%", 100**v)
}
