package summary

import (
	"fmt"
	"math"
	"math/bits"
	"time"

	"exobench"
	"exobench/metric"
)

// Delay is the harness's own delay in a cell: from when the kernel received the
// last byte of a read until the read returned, over all output events of the OK
// requests. Metrics use the kernel's instants, so it is in none of them.
type Delay struct {
	Events        int
	P50, P99, Max time.Duration
	// Shared is the share of events that came in one read with the one before:
	// their instants are known to within the time between two reads.
	Shared float64
	// FirstLate is the share of requests whose first event was read so late (by
	// more than 5 % of its TTFT) that it came in one read with the next: its stamp
	// is that of the next.
	FirstLate float64
}

// delays is a Delay under construction: a histogram of fixed size whose buckets
// are at most 1.6 % wide, since a cell may have millions of events.
type delays struct {
	counts         [64 * delayBuckets]uint32
	events, shared int
	requests, late int
	max            int64
}

// delayBuckets is the number of buckets in each power of two.
const delayBuckets = 64

func bucketOf(ns int64) int {
	if ns < delayBuckets {
		return int(max(ns, 0))
	}
	shift := bits.Len64(uint64(ns)) - 7 // leaves seven bits, the first of them 1
	return (shift+1)*delayBuckets + int(ns>>shift) - delayBuckets
}

// lowest returns the least delay of a bucket.
func lowest(bucket int) int64 {
	if bucket < delayBuckets {
		return int64(bucket)
	}
	shift := bucket/delayBuckets - 1
	return int64(bucket%delayBuckets+delayBuckets) << shift
}

func (d *delays) add(r *exobench.Record) {
	if len(r.Delays) > 0 {
		d.requests++
	}
	if len(r.Delays) > 1 && len(r.Chunks) > 1 && r.Chunks[0].At == r.Chunks[1].At &&
		float64(r.Delays[0]) > errorLimit*float64(r.FirstToken.Sub(r.Sent)) {
		d.late++
	}
	for i, ns := range r.Delays {
		d.counts[bucketOf(ns)]++
		d.events++
		d.max = max(d.max, ns)
		if i > 0 && i < len(r.Chunks) && r.Chunks[i].At == r.Chunks[i-1].At {
			d.shared++
		}
	}
}

func (d *delays) result() *Delay {
	if d.events == 0 {
		return nil
	}
	return &Delay{
		Events: d.events, P50: d.quantile(0.50), P99: d.quantile(0.99), Max: time.Duration(d.max),
		Shared: float64(d.shared) / float64(d.events), FirstLate: float64(d.late) / float64(d.requests),
	}
}

func (d *delays) quantile(p float64) time.Duration {
	rank := int(math.Ceil(p * float64(d.events)))
	for bucket, n := range d.counts {
		if rank -= int(n); rank <= 0 {
			return time.Duration(min(lowest(bucket), d.max))
		}
	}
	return time.Duration(d.max)
}

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
			{"the gaps between events", "inter_chunk_p50_s", calibration.InterChunkP50},
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
		for _, name := range []string{metric.TTFT, "inter_chunk_p50_s"} {
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
