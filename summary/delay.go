package summary

import (
	"time"

	"exobench"
	"exobench/internal/histogram"
)

// Delay is the harness's own delay in a cell: from when the kernel received the
// last byte of a read until the read returned, over all output events of the OK
// requests. Metrics use the kernel's instants, so it is in none of them. P50 and
// P99 are upper bounds within 1.6 %.
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

// delays is a Delay under construction.
type delays struct {
	spans          histogram.Histogram
	shared         int
	requests, late int
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
		d.spans.Record(time.Duration(ns))
		if i > 0 && i < len(r.Chunks) && r.Chunks[i].At == r.Chunks[i-1].At {
			d.shared++
		}
	}
}

// result returns nil where no record had delays.
func (d *delays) result() *Delay {
	n := int(d.spans.Count())
	if n == 0 {
		return nil
	}
	return &Delay{
		Events: n, P50: d.spans.Quantile(0.50), P99: d.spans.Quantile(0.99), Max: d.spans.Max(),
		Shared: float64(d.shared) / float64(n), FirstLate: float64(d.late) / float64(d.requests),
	}
}
