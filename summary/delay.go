package summary

import (
	"time"

	"exobench"
	"exobench/internal/histogram"
)

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

// join adds those of another block.
func (d *delays) join(other *delays) {
	d.spans.Add(&other.spans)
	d.shared += other.shared
	d.requests += other.requests
	d.late += other.late
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

// delayOf joins the delays of blocks.
func delayOf(blocks []*block) *Delay {
	if len(blocks) == 1 {
		return blocks[0].delays.result()
	}
	all := new(delays)
	for _, b := range blocks {
		all.join(b.delays)
	}
	return all.result()
}
