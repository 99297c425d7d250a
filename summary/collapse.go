package summary

import (
	"fmt"

	"exobench/metric"
)

// collapseRatio is by how much TTFT must fall from the first time that prompts
// are sent to the later ones before a cache is suspected.
const collapseRatio = 0.5

// collapseWarning looks for a cache in the times of a server that tells nothing of
// one: an answer from a cache has no prefill. It says that repeated prompts were
// answered suspiciously fast.
func collapseWarning(rs *rows, space *space) string {
	ttft := func(first bool) []float64 {
		sample := space.empty(rs.n)
		for i, value := range rs.valuesOf(metric.TTFT).known() {
			if rs.at(i).first == first {
				sample = append(sample, value)
			}
		}
		return sample
	}
	firsts := ttft(true)
	n, first := len(firsts), median(firsts)
	laters := ttft(false)
	m, later := len(laters), median(laters)
	if n < 3 || m == 0 || later >= collapseRatio*first {
		return ""
	}
	return fmt.Sprintf("The server tells nothing of a prompt cache, and TTFT fell to %.0f %% of the first time's when prompts came again: it seems to keep one, so TTFT is too good.", 100*later/first)
}
