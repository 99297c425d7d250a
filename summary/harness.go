package summary

import (
	"fmt"
	"math"
	"time"

	"exobench"
	"exobench/metric"
)

// CalibrationOf returns the calibration with as many streams as the cell has
// requests under way, or the next that has more, or else the largest.
func (r *Run) CalibrationOf(concurrency int) (exobench.Calibration, bool) {
	var best exobench.Calibration
	for _, c := range r.Calibrations {
		switch {
		case best.Streams == 0,
			c.Streams >= concurrency && (best.Streams < concurrency || c.Streams < best.Streams),
			best.Streams < concurrency && c.Streams > best.Streams:
			best = c
		}
	}
	return best, best.Streams > 0
}

// DisturbanceOf returns what else the machine did during a cell.
func (r *Run) DisturbanceOf(k Key) (exobench.Disturbance, bool) {
	for _, d := range r.Disturbances {
		if d.Engine == k.Engine && d.Model == k.Model && d.Placement == k.Placement && d.Concurrency == k.Concurrency && d.Rate == k.Rate {
			return d, true
		}
	}
	return exobench.Disturbance{}, false
}

// errorLimit is the share of what is measured that may be the harness's own
// error.
const errorLimit = 0.05

// lateLimit is the share of requests with a late first event from which on the
// 99th percentile of TTFT is the harness's.
const lateLimit = 0.01

// addDoubts says where the harness or the machine may have made the figures.
func (c *Cell) addDoubts(run *Run) {
	warn := func(format string, args ...any) { c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...)) }
	if calibration, ok := run.CalibrationOf(c.Concurrency); ok {
		for _, check := range []struct {
			title, metric string
			off           time.Duration
		}{
			{"TTFT", metric.TTFT, calibration.TTFTP50},
			{"the gaps between events", metric.InterChunkP50, calibration.InterChunkP50},
		} {
			s, known := c.Metrics[check.metric]
			if off := math.Abs(check.off.Seconds()); known && off > errorLimit*s.Median {
				warn("client-bound: the harness's own error in %s is %v at this load, more than 5 %% of what was measured.", check.title, check.off.Round(time.Microsecond))
			}
		}
	}
	if c.Delay != nil && c.Delay.FirstLate > lateLimit {
		warn("client-bound: %s of the requests had their first event read so late that it has the stamp of the next, so their TTFT is too long by up to that gap (more than %s of the requests): lower the concurrency, or run exobench on another machine than the engine.",
			percent(c.Delay.FirstLate), percent(lateLimit))
	}
	d, ok := run.DisturbanceOf(c.Key)
	if !ok {
		return
	}
	latency := c.median(metric.Latency)
	stamped := latency
	if c.Delay == nil {
		// Without kernel stamps, whatever delays a read is in what it measures.
		for _, name := range []string{metric.TTFT, metric.InterChunkP50} {
			if m := c.median(name); m > 0 {
				stamped = min(stamped, m)
			}
		}
	}
	c.Warnings = append(c.Warnings, doubts(d, latency, stamped)...)
}

// median returns that of a metric in seconds; 0 where no request gives it.
func (c *Cell) median(name string) time.Duration {
	return time.Duration(c.Metrics[name].Median * float64(time.Second))
}
