package summary

import (
	"fmt"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// collapseRatio is by how much TTFT must fall from the first time that prompts
// are sent to the later ones before a cache is suspected.
const collapseRatio = 0.5

// collapse looks for a cache in the times of a server that tells nothing of
// one: an answer from a cache has no prefill.
type collapse struct{ first, later []float64 }

func (c *collapse) add(r *exobench.Record) {
	ttft, _ := metric.ByName(metric.TTFT)
	value, ok := ttft.Value(r)
	switch {
	case !ok:
	case r.Repeat <= 1:
		c.first = append(c.first, value)
	default:
		c.later = append(c.later, value)
	}
}

// warning says that repeated prompts were answered suspiciously fast.
func (c *collapse) warning() string {
	first, ok1 := stat.NewSample(c.first).Median()
	later, ok2 := stat.NewSample(c.later).Median()
	if !ok1 || !ok2 || len(c.first) < 3 || later >= collapseRatio*first {
		return ""
	}
	return fmt.Sprintf("The server tells nothing of a prompt cache, and TTFT fell to %.0f %% of the first time's when prompts came again: it seems to keep one, so TTFT is too good.", 100*later/first)
}
